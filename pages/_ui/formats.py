"""How numbers, money, times and people's own words look on screen."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.domain.words.counting import FIXED, agree, grouped, in_euros

# What stands where there is nothing to show.
NOTHING = "–"
# Escaped or not, what looks like an address becomes a link, unless something stands in it: this shows as nothing.
_LINKS = re.compile(r"(?<=www)(?=\\\.)|(?<=:)(?=//)|(?<=[\w.+-]@)(?=\w)", re.IGNORECASE)
_NO_LINK = ":small[]"
# Embeddings, overrides and isolates (Unicode Standard Annex #9), and what ends them.
_TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\N{REPLACEMENT CHARACTER}")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$:&])")


def number(value: float | None) -> str:
    """12345 -> "12 345"."""
    return NOTHING if value is None else grouped(value)


def speed(per_s: float) -> str:
    """Return how many a second, with a decimal where few are: "40", "2.5"."""
    return number(per_s) if per_s >= 10 or per_s == 0 else f"{per_s:.1f}"


def count(value: int, singular: str, plural: str) -> str:
    """Return the number with its noun: "1 entry", "3 entries"."""
    return f"{number(value)}{FIXED}{agree(value, singular, plural)}"


def per_second(rate_tps: int) -> str:
    """Return a limit of segments per second, as it is called everywhere."""
    return f"{count(rate_tps, 'segment', 'segments')} per second"


def percent(rate: float | None) -> str:
    """0.987 -> "98.7 %"; no digits after the point at both ends."""
    if rate is None:
        return NOTHING
    digits = 0 if rate in (0, 1) else 1
    # Never round to a perfection that is not there.
    pct = min(max(rate * 100, 0.1), 99.9) if digits else rate * 100
    return f"{pct:.{digits}f}{FIXED}%"


def cents(value: Decimal | float | None) -> str:
    """Return a price in EUR cents with at least two decimals, and more only where they carry something."""
    if value is None:
        return NOTHING
    whole, _, fraction = grouped(Decimal(str(value)), 4).partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def euros(value: Decimal | float | None) -> str:
    """Return an amount of EUR cents in euros: 123456 -> "€ 1 234.56"."""
    return NOTHING if value is None else in_euros(Decimal(str(value)).quantize(Decimal(1)))


def eur_to_cents(eur: float | None) -> Decimal | None:
    """Return an amount of EUR, as a number field has it, in EUR cents."""
    return None if eur is None else Decimal(f"{eur:.2f}") * 100


def duration(seconds: float | None) -> str:
    """Return "4.2 s", "3 min", "2 h 5 min" or "3 d 4 h": two units at most."""
    if seconds is None:
        return NOTHING
    if seconds < 59.95:
        return f"{seconds:.1f}{FIXED}s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes}{FIXED}min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _two(hours, "h", minutes, "min")
    return _two(hours // 24, "d", hours % 24, "h")


def _two(major: int, unit: str, minor: int, minor_unit: str) -> str:
    return f"{major}{FIXED}{unit}" + (f" {minor}{FIXED}{minor_unit}" if minor else "")


def in_zone(value: datetime, time_zone: str) -> datetime:
    """Return a moment in the viewer's zone; one without a zone is UTC, as the stores keep it."""
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return aware.astimezone(ZoneInfo(time_zone))


def moment(value: datetime | None, time_zone: str) -> str:
    """Return DD/MM/YYYY HH:mm in the viewer's zone."""
    return NOTHING if value is None else f"{in_zone(value, time_zone):%d/%m/%Y %H:%M}"


def precise(value: datetime, time_zone: str, *, milliseconds: bool = False) -> str:
    """Return HH:mm:ss in the viewer's zone, and the milliseconds where they tell two moments apart."""
    return in_zone(value, time_zone).time().isoformat("milliseconds" if milliseconds else "seconds")


def recent(value: datetime, now: datetime, time_zone: str) -> str:
    """Return HH:mm:ss in the viewer's zone, and the day before it where that is another one than *now*."""
    local, today = in_zone(value, time_zone), in_zone(now, time_zone).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%d/%m/%Y %H:%M:%S}"


def upright(value: object) -> str:
    """
    Return what somebody wrote with a replacement character for each control that turns the direction of writing.

    With them a text shows in another order than it has, and what stands beside it too. Marks that belong to words of
    languages written from right to left stay.
    """
    text = str(value)
    return text if text.isascii() else text.translate(_TURNING)


def plain(text: str) -> str:
    """Return *text* so that Streamlit's Markdown shows it as it was typed: nothing a person wrote is markup."""
    return _LINKS.sub(_NO_LINK, _MARKDOWN.sub(r"\\\1", text))
