"""Schedules: a local time as a person types it, and the moment it means."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.errors import InvalidInput

FORMAT, FORMAT_IN_WORDS = "%d/%m/%Y %H:%M", "DD/MM/YYYY HH:mm"
# Later ones are slips of the keyboard.
FURTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Schedule:
    """The moment *at* (UTC), and a *note* when the clock shows that time twice that day."""

    at: datetime
    note: str = ""


def parse_schedule(text: str, time_zone: str, now: datetime) -> Schedule:
    """
    Return the moment that *text* (DD/MM/YYYY HH:mm) means in *time_zone*.

    A time that comes twice, when the clocks go back, means the first.

    Raises: InvalidInput: no such form, no such day, a time the clocks skip, the past, or more than a year away.
    """
    try:
        local = datetime.strptime(text.strip(), FORMAT).replace(tzinfo=ZoneInfo(time_zone))
    except ValueError:
        raise InvalidInput(
            f"{text.strip()[:40]!r} is not a date and time.",
            hint=f"Write it as {FORMAT_IN_WORDS}, such as {now.astimezone(ZoneInfo(time_zone)):{FORMAT}}.",
            field="schedule_at",
        ) from None
    _check_year(local, now)
    at = local.astimezone(UTC)
    if at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        after = at.astimezone(ZoneInfo(time_zone))
        raise InvalidInput(
            f"On {local:%d/%m/%Y} the clocks skip {local:%H:%M} in {time_zone}.",
            hint=f"They go forward then: use {after:%H:%M} instead.",
            field="schedule_at",
        )
    check_schedule(at, now)
    if local.replace(fold=1).astimezone(UTC) != at:
        first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
        assert first is not None
        assert second is not None
        return Schedule(
            at,
            f"On that day, {local:%H:%M} occurs twice in {time_zone}, because the clocks go back. "
            f"The first one is used, {at:%H:%M} UTC.",
        )
    return Schedule(at)


def check_schedule(at: datetime, now: datetime) -> None:
    """Raise InvalidInput unless the moment is yet to come, and within `FURTHEST`."""
    if at <= now:
        raise missed_schedule()
    if at - now > FURTHEST:
        raise _far_away()


def _check_year(local: datetime, now: datetime) -> None:
    # In words, before anything is counted: the first and the last hours of the calendar have no UTC in every zone.
    if local.year < now.year - 1:
        raise missed_schedule()
    if local.year > now.year + 2:
        raise _far_away()


def missed_schedule() -> InvalidInput:
    """Return the refusal of a time that has passed."""
    return InvalidInput(
        "The schedule time is in the past.",
        hint="Choose a later time, or remove the schedule to launch immediately.",
        field="schedule_at",
    )


def _far_away() -> InvalidInput:
    return InvalidInput("The schedule time is more than a year away.", hint="Check the year.", field="schedule_at")


def format_schedule(at: datetime, time_zone: str) -> str:
    """Return the moment as `parse_schedule` reads it."""
    return f"{at.astimezone(ZoneInfo(time_zone)):{FORMAT}}"
