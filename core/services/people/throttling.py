"""Failed attempts wait ever longer: by who is tried and by where the tries come from."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.errors import TooManyAttempts, until
from core.state.people import sessions

FREE_FAILURES = 5
LONGEST_WAIT_S = 900
# The longest any key is counted for: invitations are, by the hour.
LONGEST_WINDOW = timedelta(hours=1)
# Failures count together while less than this lies between them. People behind one address add up otherwise,
# until every mistake of one of them locks out all.
FORGET_AFTER = timedelta(hours=1)


def refuse_throttled(session: Session, keys: tuple[str, ...], now: datetime) -> None:
    """Raise TooManyAttempts while one of *keys* has to wait."""
    for key in keys:
        attempts = sessions.find_attempts(session, key)
        if attempts and attempts.blocked_until > now:
            raise TooManyAttempts(until(attempts.blocked_until, now))


def record_failures(session: Session, keys: tuple[str, ...], now: datetime) -> None:
    """
    Count a failure of every key; give *keys* always in the same order of kinds.

    Raises: TooManyAttempts: one of them has to wait since somebody else's failure a moment ago. Then nothing is
        counted: of a hundred tries sent at once, no more are answered than of a hundred sent one after the other.
    """
    sessions.forget_attempts(session, now - FORGET_AFTER)
    for key in keys:
        before = sessions.lock_attempts(session, key, now)
        if before.blocked_until > now:
            raise TooManyAttempts(until(before.blocked_until, now))
        failed_count = before.failed_count + 1
        over = min(failed_count - FREE_FAILURES, 16)
        wait_s = min(LONGEST_WAIT_S, 2**over) if over > 0 else 0
        sessions.record_failure(session, key, failed_count, now + timedelta(seconds=wait_s))
