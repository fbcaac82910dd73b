"""
Sending over several binds: what waits, what is in flight, and what an answer means.

It lives in the event loop. Threads hand over submissions and wait for them; the binds share what waits, each as much as
its window has room for.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from core.domain.gateways.sights import LinkStatus
from core.domain.messages.error_codes import Stage, classify, write_command_status
from core.errors import GatewayError, Unavailable
from core.gateways.smpp.pdu import Pdu, Status
from core.gateways.smpp.session.link import Link, Target, Ticket
from core.gateways.smpp.session.submission import Part, Submission, Travel

# How long a submission waits for a first bind before it is told that there is none.
BIND_WAIT_S = 3.0
# After the SMSC said that it is asked too fast: doubled while it says so, begun anew once it takes a message.
BACK_OFF_FIRST_S, BACK_OFF_MOST_S = 0.05, 1.0
TICK_S = 0.5
_TOO_FAST = frozenset({Status.THROTTLED, Status.QUEUE_FULL})


class Listener(Protocol):
    """Who hears what comes unasked."""

    def take(self, frame: Pdu, answer: Callable[[int], None]) -> None:
        """Keep it, then call *answer* with the status to say."""
        ...

    def look_after(self) -> None:
        """Do what has to be done after a while; called about twice a second."""
        ...

    def learn(self, message_id: str, ids: Sequence[str]) -> None:
        """
        Keep that the SMSC has a message of which nothing was known, and what it calls it, if it says so.

        The first of *ids* is the one that counts; then come its other parts'.
        """
        ...


class Sending:
    """The binds of one gateway, and what goes over them."""

    def __init__(
        self,
        targets: Sequence[Target],
        listener: Listener,
        unreachable: Callable[[str, int], GatewayError],
        store_id: Callable[[str], str],
    ) -> None:
        """
        Begin to bind.

        Args:
            targets: Where.
            listener: Who hears what comes unasked.
            unreachable: What to raise when there is no bind, by the fault in words and the status of a refused one.
            store_id: Brings the id of a response to the form in which receipts have it.
        """
        self._listener = listener
        self._unreachable = unreachable
        self._store_id = store_id
        self._loop = asyncio.get_running_loop()
        self._waiting = deque[Travel]()
        self._for_bind = list[tuple[Submission, float]]()
        self._back_off_s = 0.0
        self._not_before = 0.0
        self._is_closed = False
        self.links = [Link(target, self) for target in targets]
        self._tasks = [self._loop.create_task(link.run()) for link in self.links]
        self._tasks.append(self._loop.create_task(self._look_after()))

    def take(self, submission: Submission) -> None:
        """Send it, or let it wait for a bind that may come at any moment."""
        if self._is_closed:
            submission.fail(Unavailable("The gateway is being closed.", gateway=""))
        elif self._has_bind():
            self._start(submission)
        else:
            self._for_bind.append((submission, self._loop.time() + BIND_WAIT_S))

    def take_again(self, travel: Travel, leave_by_s: float | None) -> None:
        """Say again what is leaving of the message, until then; None for never."""
        if leave_by_s is None or self._is_closed:
            travel.give_back()
            return
        travel.go_again(leave_by_s)
        # Before all others: its moment has come, and theirs may be still to come.
        self._waiting.appendleft(travel)
        self._pump()

    def hurry(self) -> None:
        """Let every link that waits for its next try have it now."""
        for link in self.links:
            link.hurry()

    async def close(self, within_s: float) -> None:
        """Send nothing more, wait for the answers of what has left, unbind."""
        self._is_closed = True
        self._give_back_all()
        for link in self.links:
            link.close()
        await asyncio.wait(self._tasks[:-1], timeout=within_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def ready(self) -> None:
        """Send what there is room for; see `Owner`."""
        if self._has_bind():
            waited, self._for_bind = self._for_bind, []
            for submission, _ in waited:
                self._start(submission)
            self._pump()
        elif not any(link.in_flight for link in self.links):
            self._give_back_all()

    def answered(self, ticket: Ticket, status: int, message_id: bytes) -> None:
        """Read an answer; see `Owner`."""
        assert isinstance(ticket, Part)
        travel = ticket.travel
        if status == Status.OK:
            self._back_off_s = 0.0
            travel.accept(ticket, self._store_id(message_id.decode("latin-1")))
        elif status in _TOO_FAST:
            self._back_off()
            travel.put_off(ticket, write_command_status(status), self._not_before)
        else:
            code = write_command_status(status)
            travel.refuse(code, classify("smpp", code, Stage.SUBMIT))

    def lost(self, ticket: Ticket) -> None:
        """Take that nobody will ever know; see `Owner`."""
        assert isinstance(ticket, Part)
        ticket.travel.lose(ticket)

    def answered_late(self, ticket: Ticket, message_id: bytes) -> None:
        """Learn what became of it; see `Owner`."""
        assert isinstance(ticket, Part)
        ids = ticket.travel.learn(ticket, self._store_id(message_id.decode("latin-1")))
        if ids is not None:
            self._listener.learn(ticket.travel.message_id, ids)

    def heard(self, frame: Pdu, answer: Callable[[int], None]) -> None:
        """Pass on; see `Owner`."""
        self._listener.take(frame, answer)

    def _start(self, submission: Submission) -> None:
        self._waiting.extend(submission.waiting)
        self._pump()

    def _pump(self) -> None:
        if self._loop.time() < self._not_before:
            return
        for link in sorted(self.links, key=lambda each: -each.room):
            if not self._waiting:
                return
            if link.room > 0 and (leaving := self._next(link)):
                link.send(leaving)

    def _next(self, link: Link) -> list[Part]:
        """Return what leaves on *link* of those that wait; none does whose moment has passed."""
        found: list[Part] = []
        now = time.monotonic()
        while self._waiting and (room := link.room - len(found)) > 0:
            travel = self._waiting[0]
            if travel.is_over or travel.is_late(now):
                self._waiting.popleft().miss()
            elif len(travel.leaving) > room and room < link.target.window:
                # Parts that are booked for one second must not leave in another: there will be room for all of them.
                break
            else:
                found += travel.leave(room)
                if not travel.leaving:
                    self._waiting.popleft()
        return found

    def _back_off(self) -> None:
        if self._loop.time() < self._not_before:
            # The others of the same window.
            return
        self._back_off_s = min(BACK_OFF_MOST_S, self._back_off_s * 2 or BACK_OFF_FIRST_S)
        self._not_before = self._loop.time() + self._back_off_s
        self._loop.call_at(self._not_before + 0.001, self._pump)

    def _has_bind(self) -> bool:
        return any(link.status is LinkStatus.BOUND and link.target.sends for link in self.links)

    def _give_back_all(self) -> None:
        """Nothing can be sent now: what waits has not left, and whoever handed it over may try again later."""
        waiting, self._waiting = self._waiting, deque()
        for travel in waiting:
            travel.give_back()

    def _error(self) -> GatewayError:
        told = [link for link in self.links if link.fault and link.target.sends]
        last = max(told, key=lambda link: link.since, default=None)
        return self._unreachable(last.fault if last else "", last.refusal if last else 0)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for link in self.links:
                link.look_after()
            self._listener.look_after()
            self._refuse_who_waited()
            self.ready()

    def _refuse_who_waited(self) -> None:
        now = self._loop.time()
        # A refusal by the SMSC itself will not be another one in two seconds.
        refused = bool(self.links) and all(link.refusal for link in self.links if link.target.sends)
        for submission, until in [*self._for_bind]:
            if self._is_closed or refused or now >= until:
                self._for_bind.remove((submission, until))
                submission.fail(self._error())
