"""The services of an application, by the way to them from it."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from core.bootstrap import App

# Not services: what they stand on.
_GROUND = {"settings", "clock", "state", "lake"}


def list_services(app: App) -> Iterator[tuple[str, object]]:
    """Yield each service with the way to it, such as "campaigns.composing"."""
    for room in fields(app):
        found = getattr(app, room.name)
        if room.name in _GROUND:
            continue
        if not is_dataclass(found):
            yield room.name, found
            continue
        for service in fields(found):
            yield f"{room.name}.{service.name}", getattr(found, service.name)


def list_methods_for_viewers(app: App) -> Iterator[str]:
    """Yield the way to each public method that takes a viewer."""
    for name, service in list_services(app):
        for method, function in vars(type(service)).items():
            if not method.startswith("_") and "viewer" in getattr(function, "__annotations__", {}):
                yield f"{name}.{method}"
