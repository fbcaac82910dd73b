"""Putting the parts of long messages together, as a phone does: a message counts once it is whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.gateways.smsc.submits import Part, Submit, digest_of

# References are few and come again: what is not whole by then was given up, and its reference belongs to another text.
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LoggedPart:
    """
    A part as the log has it: never its text.

    *first_id* is the id of the first part of the message that came, and by which the message itself is logged.
    """

    gateway_message_id: str
    first_id: str
    system_id: str
    sender_id: str
    msisdn: str
    part: Part
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Whole:
    """A message of which every part is there. *message_id* is the digest by which the log counts it."""

    first_id: str
    message_id: str
    segment_count: int


@dataclass(slots=True)
class _Unfinished:
    first_id: str
    began_at: datetime
    # The octets by number; None of parts of which only the log is left.
    found: dict[int, bytes | None] = field(default_factory=dict)


class Assembly:
    """The messages of which parts are missing."""

    def __init__(self, logged: Iterable[LoggedPart] = ()) -> None:
        """Take the parts of unfinished messages from the log, by time."""
        self._unfinished: dict[tuple[object, ...], _Unfinished] = {}
        for each in logged:
            self._add(each, None)

    def add(self, system_id: str, submit: Submit, key: str, now: datetime) -> tuple[LoggedPart, Whole | None]:
        """
        Take a part with the id *key*; return it as it is to be logged, and the message if that made it whole.

        A part that comes again before the message is whole belongs to it as well, and the log shows it twice.
        """
        part = submit.part
        assert part is not None
        logged = LoggedPart(key, key, system_id, submit.sender_id, submit.msisdn, part, now)
        return self._add(logged, submit.octets)

    def _add(self, logged: LoggedPart, octets: bytes | None) -> tuple[LoggedPart, Whole | None]:
        part = logged.part
        told_by = (logged.system_id, logged.sender_id, logged.msisdn, part.reference, part.total)
        unfinished = self._unfinished.get(told_by)
        if unfinished is None or logged.accepted_at - unfinished.began_at > KEPT_FOR:
            unfinished = self._unfinished[told_by] = _Unfinished(logged.first_id, logged.accepted_at)
        unfinished.found[part.number] = octets
        if logged.first_id != unfinished.first_id:
            logged = LoggedPart(
                logged.gateway_message_id,
                unfinished.first_id,
                logged.system_id,
                logged.sender_id,
                logged.msisdn,
                part,
                logged.accepted_at,
            )
        if len(unfinished.found) < part.total:
            return logged, None
        del self._unfinished[told_by]
        return logged, Whole(unfinished.first_id, _told_by(logged.msisdn, unfinished), part.total)


def _told_by(msisdn: str, whole: _Unfinished) -> str:
    texts = [octets for _, octets in sorted(whole.found.items(), key=lambda item: item[0]) if octets is not None]
    if len(texts) < len(whole.found):
        # Some came before a restart, and no text is kept: nothing but the message itself tells it from others.
        return f"unread {whole.first_id}"
    return digest_of(msisdn, b"".join(texts))
