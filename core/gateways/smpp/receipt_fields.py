"""
The text of a delivery receipt, and the time in it.

SMPP 3.4 gives an example of it (appendix B) and leaves the form to the vendor. So what is read is `key:value` in any
order, with keys in any case; a value goes on to the next key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from core.domain.messages.receipts import is_known_state
from core.gateways.smpp.settings import MAX_OFFSET_MIN

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

# The first SMS was sent on that day.
_EARLIEST = datetime(1992, 12, 3, tzinfo=UTC)
_MOST_AHEAD = timedelta(days=1)
_PARTED = re.compile(
    r"(?<![0-9])([0-9]{4}|[0-9]{2})[-/.]([0-9]{2})[-/.]([0-9]{2})[T ]+([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
    r"(?:[.,][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_SOLID = re.compile(r"(?<![0-9])(?:([0-9]{6}(?:[0-9]{2})?)[T ]([0-9]{6}|[0-9]{4})|([0-9]{10,17}))(?![0-9])([+-]?)")
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


def read_done_at(done_date: str, offset_min: int, arrived_at: datetime) -> datetime:
    """
    Return the time that *done_date* names, in UTC; *arrived_at* where it names none that can be true.

    Args:
        done_date: YYMMDDhhmm, with seconds or not, with two or four digits of the year; parted, as in 2026-11-28
            16:31:01; seconds or milliseconds since 1970; or SMPP's own form (7.1.1), which says its zone itself.
        offset_min: How far the clock it was read from is ahead of UTC, in minutes.
        arrived_at: When the receipt came.

    A time more than a day after *arrived_at* or before there were SMS cannot be true. Where digits can be read in two
    ways, the time nearer to *arrived_at* is meant.
    """
    zone = timezone(timedelta(minutes=offset_min))
    times = [
        moment for moment in _iterate_times(done_date[:64], zone) if _EARLIEST <= moment <= arrived_at + _MOST_AHEAD
    ]
    return min(times, key=lambda moment: abs(moment - arrived_at), default=arrived_at).astimezone(UTC)


def _iterate_times(done_date: str, zone: timezone) -> Iterator[datetime]:
    if parted := _PARTED.search(done_date):
        year, *others, own_zone = parted.groups("")
        minutes = 0 if own_zone in ("", "Z") else int(own_zone[1:3]) * 60 + int(own_zone[-2:])
        yield from _make_time(year, "".join(others), _make_zone(own_zone[0], minutes) if own_zone else zone)
    elif solid := _SOLID.search(done_date):
        day, time, digits, sign = solid.groups("")
        yield from _read_solid(digits or day + time, sign, zone)


def _make_zone(sign: str, minutes: int) -> timezone | None:
    if minutes > MAX_OFFSET_MIN:
        return None
    return timezone(timedelta(minutes=-minutes if sign == "-" else minutes))


def _read_solid(digits: str, sign: str, zone: timezone | None) -> Iterator[datetime]:
    count = len(digits)
    if count == 15 and sign:
        # SMPP 3.4, 7.1.1: behind the seconds a tenth of one, and quarters of an hour ahead of UTC or behind.
        zone = _make_zone(sign, 15 * int(digits[13:]))
    if count in (10, 13):
        # A reading as seconds is far in the future for whatever else the digits mean, and the other way round.
        yield datetime.fromtimestamp(int(digits[:10]), UTC)
    if count in (10, 12, 13, 15):
        yield from _make_time(digits[:2], digits[2:12], zone)
    if count in (12, 14, 17):
        yield from _make_time(digits[:4], digits[4:14], zone)


def _make_time(year: str, others: str, zone: timezone | None) -> Iterator[datetime]:
    if zone is None:
        return
    month, day, hour, minute, *second = (int(others[at : at + 2]) for at in range(0, len(others), 2))
    try:
        yield datetime(int(year) + (2000 if len(year) == 2 else 0), month, day, hour, minute, sum(second), tzinfo=zone)
    except ValueError:
        # There is no such day or hour: a field of zeros, or another order.
        return
