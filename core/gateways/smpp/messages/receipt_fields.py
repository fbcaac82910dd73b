"""
The text of a delivery receipt.

SMPP 3.4 gives an example of it (appendix B) and leaves the form to the vendor. So what is read is `key:value` in any
order, with keys in any case; a value goes on to the next key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.messages.receipts import is_known_state
from core.domain.texts.encoding import GSM7_EXTENSION

# More than any receipt has before its text.
_MOST_OCTETS = 4_096
# What ids have and the GSM alphabet has elsewhere than ASCII. Its @ is a NUL, which UTF-16 has too.
_GSM7 = re.compile(r"\x02|\x11|\x1b.")
_ASCII_BY_GSM7 = {"\x02": "$", "\x11": "_", **{f"\x1b{chr(code)}": sign for sign, code in GSM7_EXTENSION.items()}}
_KEY = re.compile(
    r"(?<![a-z0-9_])(?:(?P<id>(?:(?:message|msg)[ _-]?)?id)|(?P<stat>stat(?:us)?)|(?P<err>err(?:or)?)|(?P<text>text)"
    r"|(?P<sub>sub)|(?P<dlvrd>dlvrd)|(?P<submit>submit[\s_-]{0,3}date)|(?P<done>done[\s_-]{0,3}date))[\"']? {0,3}[:=]",
    re.IGNORECASE,
)
_OTHERS = {"sub", "dlvrd", "submit", "done", "err"}
# A value ends with a blank or a quote. Ids have such signs as |, so one of those ends it only where nothing follows, or
# another field, perhaps one that is not known here.
_WORD = re.compile(
    r"(?:\{[^\s\"'{},;|&]+\}|[^\s\"'{},;|&])"
    r"(?:[^\s\"'{},;|&]|[{},;|&]++(?=[^\s\"'])(?![a-z][a-z0-9_.-]{0,31}(?: date)? ?[:=]))*",
    re.IGNORECASE,
)
# A state may be followed by its reason: "FAILED:Absent subscriber".
_STATE = re.compile(r"[^\s,;:|&\"'{}]+")

_AROUND = " \t\r\n,;|&\"'{}"
_NO_ERROR = re.compile(r"0*|null|none|nil|n/?a", re.IGNORECASE)


@dataclass(frozen=True)
class ReceiptFields:
    """
    What a receipt's text says, "" where it says nothing.

    *state_in_full* is all that stands there, such as "NOT DELIVERED" or "FAILED:Absent subscriber", of which *state* is
    the first word. *others* counts its fields besides id, state and text.
    """

    message_id: str = ""
    state: str = ""
    state_in_full: str = ""
    error_code: str = ""
    done_date: str = ""
    others: int = 0

    @property
    def names_error(self) -> bool:
        """Whether the error code is one, not the word or number for none."""
        return _NO_ERROR.fullmatch(self.error_code) is None


def read_fields(octets: bytes) -> ReceiptFields:
    """
    Return the fields in *octets*, in ASCII, Latin-1, the GSM alphabet, or UTF-16 of either order.

    Of a key that comes twice the first counts; what stands behind `text:` is somebody's message and says nothing. Only
    the first 4,096 octets are looked through.
    """
    # Without its NULs UTF-16 is ASCII, and a text that ends with one is the same text.
    text = octets[:_MOST_OCTETS].decode("latin-1").replace("\0", "")
    text = _GSM7.sub(lambda found: _ASCII_BY_GSM7.get(found[0], found[0]), text)
    values: dict[str, str] = {}
    keys = list(_iterate_keys(text))
    for index, key in enumerate(keys):
        end = keys[index + 1].start() if index + 1 < len(keys) else len(text)
        values.setdefault(key.lastgroup or "", text[key.end() : end])
    done_date = values.get("done", "").strip()
    return ReceiptFields(
        _find(_WORD, values.get("id", "")),
        _read_state(values, done_date),
        " ".join(values.get("stat", "").strip(_AROUND).split()),
        _find(_WORD, values.get("err", "")),
        done_date,
        len(values.keys() & _OTHERS),
    )


def _iterate_keys(text: str) -> Iterator[re.Match[str]]:
    end_of_id = -1
    for key in _KEY.finditer(text):
        if key["id"] and key.start() == end_of_id:
            # An id may begin like a key: those of Java's message services are "ID:host-1:2".
            continue
        yield key
        if key["text"]:
            return
        end_of_id = key.end() if key["id"] else -1


def _find(pattern: re.Pattern[str], value: str) -> str:
    found = pattern.search(value)
    return found[0] if found else ""


def _read_state(values: dict[str, str], done_date: str) -> str:
    state = _find(_STATE, values.get("stat", ""))
    if not state:
        # Some leave the key out: "done date:180903120816 DELIVRD err:000".
        state = next((word for word in reversed(done_date.split()) if is_known_state(word)), "")
    return state.upper() if is_known_state(state) else state
