"""
Bodies of callbacks: form or JSON, one object or several, in the body or in the address.

Whatever comes costs no more than its length, and is an object of names and values or an `UnreadableCallback`.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl

from core.gateways.callbacks import CallbackRequest, UnreadableCallback

# More than any provider puts into one callback; each becomes a row.
ITEMS_MOST = 5_000
FIELDS_MOST = 500
# A form is one receipt or reply. To take escapes out of one as long as a body may be would take seconds, and that
# before its signature is looked at.
FORM_MOST = 128 << 10

Item: TypeAlias = Mapping[str, object]

# How a form begins: with the name of a field. JSON has none of these before a sign of its own.
_FORM = re.compile(rb"[^\s{}\[\]\",:=&]+=")
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_pairs(text: str) -> list[tuple[str, str]]:
    """Return the names and values of a form or a query. Raises: UnreadableCallback: there are too many, or too long."""
    if len(text) > FORM_MOST:
        raise UnreadableCallback("too long a form")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=FIELDS_MOST)
    except ValueError as error:
        raise UnreadableCallback("too many fields") from error
    return [(_mend(name), _mend(value)) for name, value in pairs]


def decode_octets(octets: bytes) -> str:
    """
    Return *octets* as text: UTF-8, or where they are not, and nothing beyond ASCII in them is, Windows-1252.

    Some providers write Latin-1, whatever they say of it; a STOP in French has to be heard. One cut within a
    character is UTF-8 all the same.
    """
    try:
        return octets.decode()
    except UnicodeDecodeError:
        text = octets.decode(errors="replace")
        return octets.decode("cp1252", "replace") if text.replace("\ufffd", "").isascii() else text


def _mend(text: str) -> str:
    """Return *text*, octets in it that were not UTF-8 as what they are."""
    return text if text.isascii() else decode_octets(text.encode(errors="surrogateescape"))


def is_json(request: CallbackRequest) -> bool:
    """
    Return whether the body is to be read as JSON, whatever its type says.

    Templates and proxies say the one of the other: what begins as a form is one, and what begins as an object or a list
    is JSON, unless it says that it is a form and cannot be read as JSON.
    """
    kind, body = request.headers.get("content-type", "").lower(), request.body.lstrip()
    if "json" in kind:
        return _FORM.match(body) is None
    if not body.startswith((b"{", b"[", *_MARKS)):
        return False
    return "form" not in kind or _can_be_json(body)


def _can_be_json(body: bytes) -> bool:
    try:
        load_json(body)
    except (ValueError, RecursionError):
        return False
    return True


def load_json(body: bytes) -> object:
    """Return what *body* says. Raises: ValueError: it is no JSON. RecursionError: it is too deep."""
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        return json.loads(decode_octets(body))


def read_document(request: CallbackRequest) -> object:
    """Return what was sent: JSON as it is, a form as an object. Raises: UnreadableCallback."""
    if not request.body.strip() or request.method == "GET":
        return dict(read_pairs(request.query))
    if not is_json(request):
        # A line around it is of whoever wrote the template: in a form itself lines are escaped.
        return dict(read_pairs(request.body.decode("utf-8-sig", "surrogateescape").strip("\r\n")))
    try:
        return load_json(request.body)
    except (ValueError, RecursionError) as error:
        raise UnreadableCallback("no JSON") from error


def list_items(found: object) -> Iterator[Item]:
    """Yield the objects of *found*: itself, or those in it. Raises: UnreadableCallback: it is neither, or too many."""
    items = found if isinstance(found, list) else [found]
    if len(items) > ITEMS_MOST:
        raise UnreadableCallback("too many items")
    for item in items:
        if not isinstance(item, dict):
            raise UnreadableCallback("no object")
        yield item


def text_of(value: object) -> str:
    """Return a value as text: a text without spaces around it, a number as it is written; "" for anything else."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return str(value)
    except ValueError:
        # An integer of more digits than Python writes.
        return ""


def first_text(item: Item, *names: str) -> str:
    """Return the first of these that says anything, or ""."""
    return next((text for name in names if (text := text_of(item.get(name)))), "")
