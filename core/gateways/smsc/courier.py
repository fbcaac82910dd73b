"""Bringing what is owed to the binds of a system id, again and again until each is acknowledged."""

from collections import deque
from collections.abc import Collection, Iterator
from datetime import datetime

from core.gateways.smsc.behavior import Faults, SmscBehavior, is_chosen
from core.gateways.smsc.deliveries import write_delivery, write_garbled
from core.gateways.smsc.journal import Delivery, SmscJournal
from core.gateways.smsc.session import Session

# Deliveries read from the log together.
_READ = 500


class Courier:
    """Sends what is due to whichever receiving bind has room; several take turns."""

    def __init__(self, system_id: str, journal: SmscJournal, behavior: SmscBehavior) -> None:
        """Take whose deliveries, and where they are."""
        self._system_id = system_id
        self._journal = journal
        self._behavior = behavior
        self._sessions: deque[Session] = deque()
        self._ready: deque[Delivery] = deque()
        # Read from the log and not yet heard of again.
        self._out: set[int] = set()
        self._has_more = True

    def join(self, session: Session) -> None:
        """Send to this bind, too."""
        self._sessions.append(session)
        self._has_more = True

    def leave(self, session: Session) -> None:
        """Send no more to this bind; what it has not acknowledged goes to another one, or to the next."""
        if session in self._sessions:
            self._sessions.remove(session)
        self.take_back([sent.token for sent in session.sent.values()])
        session.sent.clear()

    def look_again(self) -> None:
        """Read the log anew: more may be due by now."""
        self._has_more = True

    def take_back(self, tokens: Collection[int]) -> None:
        """Hear that these were not delivered: they are sent again."""
        self.settle(tokens)
        self._has_more = True

    def settle(self, tokens: Collection[int]) -> None:
        """Hear that the log says what became of these."""
        self._out.difference_update(tokens)

    def pump(self, now: datetime, faults: Faults) -> None:
        """
        Send as much as is due and fits the windows.

        Raises: Unavailable: the log cannot be read.
        """
        # One write for each session: a system call costs as much as the rest of a delivery.
        written = dict[Session, list[bytes]]()
        while (session := self._next_session()) and (self._ready or self._read(now)):
            written.setdefault(session, []).extend(self._write(session, self._ready.popleft(), faults))
            self._sessions.rotate(-1)
        for session, pdus in written.items():
            session.write(b"".join(pdus))

    def _next_session(self) -> Session | None:
        """Return the first with room, which is the first of all then."""
        for _ in range(len(self._sessions)):
            session = self._sessions[0]
            if session.receives and session.is_writable and len(session.sent) < self._behavior.deliver_window:
                return session
            self._sessions.rotate(-1)
        return None

    def _read(self, now: datetime) -> bool:
        """Read what is due and not out; return whether there is any."""
        if not self._has_more:
            return False
        found = self._journal.list_due(self._system_id, len(self._out) + _READ, now)
        fresh = [each for each in found if each.token not in self._out]
        # The next look is worth it when there was more than was read, or somebody says so.
        self._has_more = len(fresh) >= _READ
        self._ready.extend(fresh)
        self._out.update(each.token for each in fresh)
        return bool(fresh)

    def _write(self, session: Session, delivery: Delivery, faults: Faults) -> Iterator[bytes]:
        share = faults.receipts_garbled
        if share and delivery.state and is_chosen(share, f"garbled {delivery.gateway_message_id}"):
            yield write_garbled(delivery, session.number())
        yield write_delivery(delivery, self._behavior.forms, session.number(delivery.token))
