"""
The text of a delivery receipt.

SMPP 3.4 gives an example of it (appendix B) and leaves the form to the vendor. So what is read is `key:value` in any
order, with keys in any case; a value goes on to the next key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.messages.receipts import is_known_state

# More than any receipt has before its text.
_MOST_OCTETS = 4_096
# The alphabet's underscore, which ids have; all their other characters have the same code in ASCII.
_GSM7_UNDERSCORE = "\x11"
_KEY = re.compile(
    r"(?<![a-z0-9_])(?:(?P<id>(?:(?:message|msg)[ _-]?)?id)|(?P<stat>stat(?:us)?)|(?P<err>err(?:or)?)|(?P<text>text)"
    r"|(?P<sub>sub)|(?P<dlvrd>dlvrd)|(?P<submit>submit[\s_-]{0,3}date)|(?P<done>done[\s_-]{0,3}date))[\"']? {0,3}[:=]",
    re.IGNORECASE,
)
_OTHERS = {"sub", "dlvrd", "submit", "done", "err"}
_WORD = re.compile(r"[^\s,;|&\"'{}]+")
# A state may be followed by its reason: "FAILED:Absent subscriber".
_STATE = re.compile(r"[^\s,;:|&\"'{}]+")

_NO_ERROR = re.compile(r"0*|null|none|nil|n/?a", re.IGNORECASE)


@dataclass(frozen=True)
class ReceiptFields:
    """What a receipt's text says, "" where it says nothing. *others* counts its fields besides id, state and text."""

    message_id: str = ""
    state: str = ""
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
    text = octets[:_MOST_OCTETS].decode("latin-1").replace("\0", "").replace(_GSM7_UNDERSCORE, "_")
    values: dict[str, str] = {}
    keys = list(_iterate_keys(text))
    for index, key in enumerate(keys):
        end = keys[index + 1].start() if index + 1 < len(keys) else len(text)
        values.setdefault(key.lastgroup or "", text[key.end() : end])
    done_date = values.get("done", "").strip()
    return ReceiptFields(
        _find(_WORD, values.get("id", "")),
        _read_state(values, done_date),
        _find(_WORD, values.get("err", "")),
        done_date,
        len(values.keys() & _OTHERS),
    )


def _iterate_keys(text: str) -> Iterator[re.Match[str]]:
    for key in _KEY.finditer(text):
        yield key
        if key["text"]:
            return


def _find(pattern: re.Pattern[str], value: str) -> str:
    found = pattern.search(value)
    return found[0] if found else ""


def _read_state(values: dict[str, str], done_date: str) -> str:
    state = _find(_STATE, values.get("stat", ""))
    if not state:
        # Some leave the key out: "done date:180903120816 DELIVRD err:000".
        state = next((word for word in reversed(done_date.split()) if is_known_state(word)), "")
    return state.upper() if is_known_state(state) else state
