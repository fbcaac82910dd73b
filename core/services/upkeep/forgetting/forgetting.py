"""Going through the kinds of things that are over."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import StorageError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Forgettable:
    """What is forgotten, in words, and what forgets all of it that is over by then and returns how much that was."""

    name: str
    forget: Callable[[datetime], int]


class Forgetting:
    """Deletes what is over; asking twice, or in two workers at once, does no harm."""

    def __init__(self, kinds: Sequence[Forgettable]) -> None:
        self.kinds = tuple(kinds)

    def run(self, now: datetime) -> dict[str, int]:
        """
        Forget every kind and return how much of each.

        A store that does not answer, or a file that cannot be deleted, keeps no other kind from its turn.
        Raises: StorageError: the first one, after all kinds had their turn; calling it again does the rest.
        """
        counts: dict[str, int] = {}
        fault: StorageError | None = None
        for kind in self.kinds:
            try:
                counts[kind.name] = kind.forget(now)
            except (StorageError, OSError) as error:
                told = error if isinstance(error, StorageError) else _in_words(error)
                log.warning("not_forgotten", extra={"kind": kind.name, "reason": told.message})
                fault = fault or told
        if forgotten := {name: count for name, count in counts.items() if count}:
            log.info("forgotten", extra=forgotten)
        if fault is not None:
            raise fault
        return counts


def _in_words(error: OSError) -> StorageError:
    # The fault of a device names neither a file nor a reason of its own.
    said = f"{error.filename} cannot be deleted: {error.strerror}" if error.filename else f"Files fail: {error}"
    return StorageError(f"{said}.", hint="Let Heliograph write to its data folder.")
