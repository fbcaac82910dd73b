"""
Templates of a request: what a person writes down, with names in braces where a message comes in.

What comes in is escaped for where it stands: in an address and a form as in a URL, in JSON as a string of it. So no
text of a message can become part of the request's own structure.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from core.errors import InvalidInput

OF_MESSAGE = ("to", "from", "text", "id", "segments", "unicode")
OF_GATEWAY = ("user", "secret", "basic", "callback")
# What may stand in a header: nothing that anybody but the provider and Heliograph has made.
IN_HEADERS = ("user", "secret", "basic", "id")
_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,40})\}")
# Of objects and lists in each other. Every message's body is filled in, level by level: the interpreter ends at a few
# hundred, where nobody would know any more whether it was sent.
_LEVELS_MOST = 50
# Source: RFC 9110, section 5.6.2.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# The client's own business.
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})


@dataclass(frozen=True)
class Values:
    """What comes in: *texts* by their names, and those of them that JSON has a form of its own for."""

    texts: Mapping[str, str]
    plain: Mapping[str, int | bool]


def make_values(message: Mapping[str, str], gateway: Mapping[str, str], segment_count: int, *, unicode: bool) -> Values:
    """Return the values of a message: its own texts, those of the gateway, and what both come to."""
    credentials = f"{gateway['user']}:{gateway['secret']}".encode()
    texts = {**message, **gateway, "basic": b64encode(credentials).decode(), "segments": str(segment_count)}
    return Values(texts, {"segments": segment_count, "unicode": unicode})


def fill(template: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Return *template* with each of its names replaced, once: braces in what comes in stand for themselves."""
    return _PLACEHOLDER.sub(lambda found: escape(values[found[1]]), template)


def fill_url(template: str, values: Mapping[str, str]) -> str:
    """Return an address with what comes in escaped."""
    return fill(template, values, lambda text: quote(text, safe=""))


def fill_json(document: object, values: Values) -> object:
    """
    Return *document* with the strings in it filled.

    A string that is {segments} or {unicode} and nothing else becomes a number, or true or false.
    """
    if isinstance(document, dict):
        return {name: fill_json(value, values) for name, value in document.items()}
    if isinstance(document, list):
        return [fill_json(value, values) for value in document]
    if not isinstance(document, str):
        return document
    alone = _PLACEHOLDER.fullmatch(document)
    if alone and alone[1] in values.plain:
        return values.plain[alone[1]]
    return fill(document, values.texts)


def check_names(template: str, field: str, known: Collection[str] = (*OF_MESSAGE, *OF_GATEWAY)) -> None:
    """Let a template with known names pass. Raises: InvalidInput, with the *field*."""
    for found in _PLACEHOLDER.finditer(template):
        if found[1] not in known:
            named = ", ".join(f"{{{name}}}" for name in known)
            raise InvalidInput(f"{found[0]} cannot be used here.", hint=f"There are {named}.", field=field)


def parse_fields(text: str, field: str) -> tuple[tuple[str, str], ...]:
    """Return the names and templates of a form, one `name = template` a line. Raises: InvalidInput."""
    pairs = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, mark, template = (part.strip() for part in line.partition("="))
        if not mark or not name:
            raise InvalidInput(f"The line {line[:40]!r} cannot be read.", hint="Write to = {to}.", field=field)
        check_names(template, field)
        pairs.append((name, template))
    return tuple(pairs)


def parse_headers(text: str, field: str) -> tuple[tuple[str, str], ...]:
    """Return the names and templates of headers, one `Name: template` a line. Raises: InvalidInput."""
    pairs = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, mark, template = (part.strip() for part in line.partition(":"))
        if not mark or not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS or not template.isascii():
            raise InvalidInput(
                f"The line {line[:40]!r} is no header that can be set.",
                hint="Write Authorization: Bearer {secret}.",
                field=field,
            )
        check_names(template, field, IN_HEADERS)
        pairs.append((name, template))
    return tuple(pairs)


def parse_json(text: str, field: str) -> object:
    """Return a JSON document whose strings are templates. Raises: InvalidInput."""
    try:
        document = json.loads(text)
        # Numbers that only Python writes: NaN, Infinity.
        json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"The body is no JSON: {error}."[:200], hint='Write {"to": "{to}", "text": "{text}"}.', field=field
        ) from error
    _check_document(document, field, _LEVELS_MOST)
    return document


def _check_document(document: object, field: str, levels: int) -> None:
    if not levels:
        raise InvalidInput(
            "The body has too many levels.", hint=f"Put at most {_LEVELS_MOST} into each other.", field=field
        )
    if isinstance(document, str):
        check_names(document, field)
    for part in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        _check_document(part, field, levels - 1)
