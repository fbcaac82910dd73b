"""The SMSC: a listener, the binds it allows, and who looks after them."""

import asyncio
import os
import re
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from math import inf
from pathlib import Path

from core.errors import ConfigurationError, InvalidInput
from core.gateways.simulator.accepted import to_microseconds
from core.gateways.smpp.pdu import Bind, Command, Pdu, Status
from core.gateways.smsc.behavior import Faults, SmscBehavior
from core.gateways.smsc.desk import Desk
from core.gateways.smsc.journal import Delivery, SmscJournal
from core.gateways.smsc.replies import split_reply
from core.gateways.smsc.session import Session, is_password

# Between two looks at what is due, and at who has been silent for too long.
POLL_S = 0.02
# How long the other side may take to let go when the SMSC ends.
UNBIND_S = 1.0


def say_why(error: OSError) -> str:
    """Return the system's own words; asyncio has more of them."""
    # What is not the system's, such as a name that nobody knows, has a number below 0.
    return os.strerror(error.errno) if error.errno is not None and error.errno > 0 else str(error.strerror)


@dataclass(frozen=True)
class Address:
    """Where the SMSC listens; *port* 0 takes a free one. With *tls* it speaks nothing else."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None


class Smsc:
    """
    An SMSC in the running event loop.

    Everything but `start` and `stop` returns at once; from another thread it is driven by `running.SmscThread`.
    """

    def __init__(self, path: Path, behavior: SmscBehavior, clock: Callable[[], datetime]) -> None:
        """Open the log at *path*. Raises: Unavailable: it cannot be used."""
        self.path = path
        self.journal = SmscJournal(path)
        self.behavior = behavior
        self._clock = clock
        self._desk = Desk(self.journal, behavior, clock)
        self._sessions: set[Session] = set()
        self._address = Address()
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._all_gone = asyncio.Event()

    @property
    def port(self) -> int:
        """The port it listens on, or did before the listener was closed."""
        return self._address.port

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self._desk.faults

    async def start(self, address: Address) -> None:
        """Listen. Raises: ConfigurationError: nobody can, there."""
        self._address = address
        await self.open()
        self._look_after_all()

    async def open(self) -> None:
        """Listen, again. Raises: ConfigurationError: nobody can, there."""
        if self._server is not None:
            return
        loop, where = asyncio.get_running_loop(), self._address
        try:
            server = await loop.create_server(
                lambda: Session(self, loop.time), where.host, where.port, ssl=where.tls, backlog=1_000
            )
        except OSError as error:
            raise ConfigurationError(
                f"The SMSC cannot listen on {where.host}:{where.port}: {say_why(error)}.", hint="Choose another port."
            ) from error
        self._server = server
        self._all_gone.clear()
        self._address = Address(where.host, server.sockets[0].getsockname()[1], where.tls)

    def close(self) -> None:
        """Refuse new connections; those that are there stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def stop(self) -> None:
        """End: let go of all binds, and close the log."""
        self.close()
        self.unbind()
        self._note_all_gone()
        try:
            await asyncio.wait_for(self._all_gone.wait(), UNBIND_S)
        except TimeoutError:
            self.disconnect()
            # A dropped connection ends with the next turn of the loop.
            await self._all_gone.wait()
        if self._timer is not None:
            self._timer.cancel()
        self._desk.finish()
        self.journal.close()

    def set_faults(self, faults: Faults) -> None:
        """Do wrong what they say from now on, and nothing else."""
        self._desk.faults = faults
        for session in self._sessions:
            session.be_deaf(is_deaf=faults.deaf)

    def set_rate(self, rate_tps: float) -> None:
        """Throttle above so many segments per second and system id."""
        if not 0 < rate_tps < inf:
            raise InvalidInput(f"The rate cannot be {rate_tps}.", hint="Set a rate above 0.")
        self._desk.intake.rate_tps = rate_tps

    def drop_next(self, count: int = 1) -> None:
        """Drop the connections of the next *count* submits that are taken, in place of responses."""
        if count < 0:
            raise InvalidInput(f"The count cannot be {count}.", hint="It is a whole number from 0 on.")
        self._desk.drop_next = count

    def disconnect(self) -> None:
        """Drop all connections, as a cut cable does."""
        for session in list(self._sessions):
            session.drop()

    def unbind(self) -> None:
        """Ask everybody to let go."""
        for session in list(self._sessions):
            session.unbind()

    def reply(self, system_id: str, msisdn: str, sender_id: str, text: str) -> None:
        """
        Let *msisdn* answer to *sender_id*; it comes to the binds of *system_id*.

        Raises: InvalidInput: there is no such account, or nobody with that number. Unavailable.
        """
        if system_id not in self.behavior.accounts:
            raise InvalidInput(f"There is no account {system_id!r}.", hint="Name one that may bind.")
        if not re.fullmatch(r"\+\d{3,15}", msisdn):
            raise InvalidInput(f"{msisdn!r} is not a phone number.", hint="Write it with + and country code.")
        now_us = to_microseconds(self._clock())
        whole = Delivery(system_id, "", msisdn, sender_id, now_us, now_us)
        parts = split_reply(text, f"{msisdn} {now_us}")
        self._desk.owe([whole._replace(header=header, text=part) for header, part in parts])

    def state(self) -> dict[str, object]:
        """Return what there is to see: binds, what happened since the start, and what the log has."""
        binds = [
            {
                "system_id": session.system_id,
                "mode": session.mode.name.lower(),
                "unanswered_most": session.unanswered_most,
                "unacknowledged": len(session.sent),
            }
            for session in self._sessions
            if session.mode is not None
        ]
        return {
            "port": self.port,
            "listens": self._server is not None,
            "connections": len(self._sessions),
            "binds": binds,
            "faults": asdict(self.faults),
            "since_start": dict(self._desk.counts),
            "accepted": self.journal.count_accepted(),
            "unfinished": self.journal.count_unfinished(),
            "owed": self.journal.count_owed(),
        }

    def judge_bind(self, session: Session, bind: Bind) -> int:
        """Let a client in or not; see `session.Host`."""
        password = self.behavior.accounts.get(bind.system_id)
        bound = Counter(each.system_id for each in self._sessions)
        if self.faults.bind_status:
            return self.faults.bind_status
        if password is None:
            return Status.INVALID_SYSTEM_ID
        if not is_password(bind.password, password):
            return Status.INVALID_PASSWORD
        if bound[bind.system_id] >= self.behavior.binds_max:
            return Status.BIND_FAILED
        if bind.mode != Command.BIND_TRANSMITTER:
            self._desk.courier(bind.system_id).join(session)
        return Status.OK

    def submitted(self, session: Session, submits: list[Pdu]) -> None:
        """Pass on; see `session.Host`."""
        self._desk.submitted(session, submits)

    def delivered(self, session: Session, token: int, status: int) -> None:
        """Pass on; see `session.Host`."""
        self._desk.delivered(session, token, status)

    def began(self, session: Session) -> None:
        """Keep a connection; see `session.Host`."""
        self._sessions.add(session)
        session.be_deaf(is_deaf=self.faults.deaf)

    def ended(self, session: Session) -> None:
        """Forget a connection; see `session.Host`."""
        self._sessions.discard(session)
        if session.system_id:
            self._desk.courier(session.system_id).leave(session)
        self._note_all_gone()

    def _note_all_gone(self) -> None:
        if self._server is None and not self._sessions:
            self._all_gone.set()

    def _look_after_all(self) -> None:
        loop = asyncio.get_running_loop()
        self._desk.look()
        for session in list(self._sessions):
            self._look_after(session, loop.time())
        self._timer = loop.call_later(POLL_S, self._look_after_all)

    def _look_after(self, session: Session, now_s: float) -> None:
        patience_s = self.behavior.response_s
        if session.mode is None:
            if now_s - session.began_s > self.behavior.bind_s:
                session.close()
            return
        if session.asked_s:
            if now_s - session.asked_s > patience_s:
                session.drop()
            return
        if now_s - session.heard_s > self.behavior.enquire_s:
            session.enquire()
        overdue = session.take_overdue(now_s - patience_s)
        if overdue:
            self._desk.courier(session.system_id).take_back(overdue)
