"""The logs of limits: what has been booked to leave by each account, gateway and campaign that has one."""

import json
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from core.domain.accounts.departures import Log
from core.state.engine.prepared import Prepared
from core.state.tables.base import count_changed, insert_of
from core.state.tables.gateway_models import DepartureRow

_OF_SUBJECT = select(DepartureRow.log).where(DepartureRow.subject == bindparam("key"))
_LOG = Prepared(_OF_SUBJECT, ("key",))
_LOCKED_LOG = Prepared(_OF_SUBJECT.with_for_update(), ("key",))
_STORE = Prepared(
    update(DepartureRow)
    .where(DepartureRow.subject == bindparam("key"))
    .values(log=bindparam("new_log"), booked_at=bindparam("at")),
    ("new_log", "at", "key"),
)


def of_account(account_id: str) -> str:
    """Return what the account's log is kept by."""
    return f"account {account_id}"


def of_gateway(name: str) -> str:
    """Return what the gateway's log is kept by."""
    return f"gateway {name}"


def of_campaign(campaign_id: str) -> str:
    """Return what the campaign's log is kept by."""
    return f"campaign {campaign_id}"


def look_at_log(session: Session, subject: str) -> Log:
    """Return the log as it is this moment, to weigh something up and not to book in."""
    found = _LOG.fetch(session, subject)
    return _read(found[0][0]) if found else Log()


def lock_log(session: Session, subject: str, now: datetime) -> Log:
    """
    Return the log; until the transaction ends nobody else books in it (SQLite's write lock does the same).

    Whoever books in several takes the account's first, then the gateway's, then the campaign's: two who took them in
    different orders would wait for each other.
    """
    found = _LOCKED_LOG.fetch(session, subject)
    if not found:
        adding = insert_of(session)(DepartureRow).on_conflict_do_nothing()
        session.execute(adding.values(subject=subject, log=_write(Log()), booked_at=now))
        found = _LOCKED_LOG.fetch(session, subject)
    return _read(found[0][0])


def store_log(session: Session, subject: str, log: Log, now: datetime) -> None:
    """Store what was booked in a log that is locked."""
    _STORE.run(session, _write(log), now, subject)


def delete_old(session: Session, before: datetime) -> int:
    """Delete the logs in which nothing was booked since then; return how many there were."""
    return count_changed(session, delete(DepartureRow).where(DepartureRow.booked_at < before))


def _read(text: str) -> Log:
    last, even, began, booked = json.loads(text)
    return Log(tuple((until, count) for until, count in booked), last, even, began)


def _write(log: Log) -> str:
    return json.dumps([log.last, log.even, log.began, log.booked], separators=(",", ":"))
