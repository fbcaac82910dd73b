"""
What the address of a page may say: the one place that knows what each of its values can be.

The frame asks it before a page reads anything, and so does whoever keeps an address as a view. What the table does not
name is a text of bounded length without control characters, and no page reads it.
"""

import re
from collections.abc import Callable, Sequence

from core.domain.messages.messages import DeliveryStatus
from core.domain.numbering import list_countries
from core.domain.words.control_characters import refuse_controls
from core.errors import InvalidInput

MOST_VALUES = 100
_LONGEST, _LONGEST_TEXT = 4_000, 200
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{0,64}")
_CODES = re.compile(r"[0-9 /-]{0,12}")
_WORDS = re.compile(r"[A-Za-z0-9 ,_-]{0,200}")
_DAY = re.compile(r"[0-9-]{0,10}")
_PRICE = re.compile(r"[0-9A-Za-z.+-]{0,20}")
# Fewer rows than a number of seven digits counts pages are in any table; more would not fit into a query.
_COUNT = re.compile(r"[0-9]{0,7}")


def _is_country(value: str) -> bool:
    return not value or value.strip().upper() in list_countries()


def _is_status(value: str) -> bool:
    return not value or value in set(DeliveryStatus)


def _is_long(value: str) -> bool:
    return len(value) <= _LONGEST


def _is_short(value: str) -> bool:
    return len(value) <= _LONGEST_TEXT


_KINDS: dict[str, Callable[[str], object]] = {
    "id": _IDENTIFIER.fullmatch,
    "campaign": _IDENTIFIER.fullmatch,
    "country": _is_country,
    "delivery_status": _is_status,
    "mccmnc": _CODES.fullmatch,
    "period": _WORDS.fullmatch,
    "from": _DAY.fullmatch,
    "to": _DAY.fullmatch,
    "group": _WORDS.fullmatch,
    "sort": _WORDS.fullmatch,
    "rows": _WORDS.fullmatch,
    "outcome": _WORDS.fullmatch,
    "price": _PRICE.fullmatch,
    "receiver": _is_short,
    "sender": _is_short,
    "message_id": _is_short,
    "gateway_message_id": _is_short,
    "network": _is_short,
    "error_code": _is_short,
    "where": _is_short,
    "about": _is_short,
    "reason": _is_short,
    # The address of the page one came from. The page it leads back to looks at it.
    "back": _is_long,
    "origin": _IDENTIFIER.fullmatch,
}
# What widgets keep there begins with their page's name.
_ENDS: dict[str, Callable[[str], object]] = {
    "_page": _COUNT.fullmatch,
    "_size": _COUNT.fullmatch,
    "_search": _is_short,
    "_action": _is_short,
    "_status": _is_short,
    "_account": _is_short,
    "_keyword": _WORDS.fullmatch,
    "_source": _WORDS.fullmatch,
    "_campaign": _IDENTIFIER.fullmatch,
    "_sort": _is_short,
    "_period": _is_short,
}
# All that pages may read: these names, and these ends behind a page's name.
NAMES, ENDS = tuple(_KINDS), tuple(_ENDS)


def check_address(pairs: Sequence[tuple[str, str]]) -> None:
    """
    Let the names and values of an address pass.

    Raises: InvalidInput: a value is not what it can be; *field* is its name.
    """
    if len(pairs) > MOST_VALUES:
        raise InvalidInput("The page's address is too long.", hint="Open the page from the menu.")
    for name, value in pairs:
        refuse_controls(name, "The page's address")
        if len(name) > _LONGEST_TEXT:
            raise InvalidInput("The page's address has a name that is too long.", hint="Open the page from the menu.")
        refuse_controls(value, f"The value of “{name}” in the page's address", field=name)
        if len(value) > _LONGEST or not _kind_of(name)(value):
            raise InvalidInput(
                f"The value of “{name}” in the page's address cannot be used.",
                hint="Remove it from the address, or open the page from the menu.",
                field=name,
            )


def is_known(name: str) -> bool:
    """Return whether a page may read the value of *name*: there is a rule for what it can be."""
    return name in _KINDS or name.endswith(ENDS)


def _kind_of(name: str) -> Callable[[str], object]:
    if name in _KINDS:
        return _KINDS[name]
    return next((kind for end, kind in _ENDS.items() if name.endswith(end)), lambda _: True)
