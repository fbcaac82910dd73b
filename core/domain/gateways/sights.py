"""What a process sees of its gateways: connections, what is on its way, how much comes and goes, what went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.domain.gateways.gateways import GatewaySetup, GatewayStatus

# That a gateway took nothing is true for so long: whoever has something to send tries again more often.
NEWS = timedelta(seconds=10)


class LinkStatus(StrEnum):
    """How far a connection is."""

    CONNECTING = "connecting"
    BINDING = "binding"
    # Messages and receipts come and go.
    BOUND = "bound"
    # Nothing more is sent; answers are waited for.
    ENDING = "ending"
    # Until the next try.
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True)
class LinkState:
    """
    One connection of a gateway, as it is this moment.

    *since* is when it came to its *status*; *fault* the last error in words, "" for none. *in_flight* of at most
    *window* messages wait for an answer. The counts are since the process began.
    """

    number: int
    status: LinkStatus
    since: datetime
    fault: str = ""
    in_flight: int = 0
    window: int = 0
    submitted_count: int = 0
    receipt_count: int = 0

    @property
    def is_bound(self) -> bool:
        """Whether messages and receipts come and go."""
        return self.status is LinkStatus.BOUND


@dataclass(frozen=True)
class InUse:
    """How many of at most *most* wait for an answer: messages, over HTTP requests. Where it is 0 none ever does."""

    count: int = 0
    most: int = 0


@dataclass(frozen=True)
class SeenFault:
    """Why a gateway as a whole took nothing, in words, and when that was seen for the first and the last time."""

    text: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class GatewaySight:
    """
    What one process sees of one gateway; messages and receipts a second are over the last ten seconds.

    *worked_at* is when it last took a message, or was found to be back; *refused_at* when it last took nothing as a
    whole, None where it has worked since.
    """

    links: tuple[LinkState, ...] = ()
    in_use: InUse = InUse()
    submitted_per_s: float = 0.0
    receipts_per_s: float = 0.0
    faults: tuple[SeenFault, ...] = ()
    worked_at: datetime | None = None
    refused_at: datetime | None = None


@dataclass(frozen=True)
class ProcessSight:
    """What one process has told last, by the names of its gateways; only workers keep connections and send."""

    process: str
    is_worker: bool
    seen_at: datetime
    gateways: Mapping[str, GatewaySight] = field(default_factory=dict)


class Standing(StrEnum):
    """How a gateway stands, for people."""

    # Since it was set up like this, nothing has been sent by it and nothing has connected.
    NEW = "Not tried yet"
    # Nor has it worked when a person tried.
    TEST_FAILED = "Test failed"
    WORKING = "Working"
    # Campaigns do not wait for it yet, but nothing could be sent now.
    UNCONNECTED = "Not connected"
    # Nor do they yet, or they go by another gateway: what was tried last it did not take.
    REFUSING = "Takes nothing"
    FAILING = "Failing"


def judge(setup: GatewaySetup, sights: Sequence[GatewaySight]) -> Standing:
    """Return how the gateway stands, by what is known of it and what workers see of it just now."""
    if setup.status is GatewayStatus.FAILING:
        return Standing.FAILING
    links = [link for sight in sights for link in sight.links]
    if any(link.fault for link in links) and not any(link.is_bound for link in links):
        return Standing.UNCONNECTED
    if find_refused_at(setup, sights):
        return Standing.REFUSING
    if setup.proven_at:
        return Standing.WORKING
    return Standing.TEST_FAILED if setup.fault else Standing.NEW


def find_refused_at(setup: GatewaySetup, sights: Sequence[GatewaySight]) -> datetime | None:
    """Return when the gateway last took nothing, None where it has worked, or a test of it went well, since."""
    refused = [sight.refused_at for sight in sights if sight.refused_at]
    worked = [at for at in (setup.tested_at, *(sight.worked_at for sight in sights)) if at]
    if not refused or (worked and max(worked) >= max(refused)):
        return None
    return max(refused)


def find_fault(setup: GatewaySetup, sights: Sequence[GatewaySight], now: datetime) -> str:
    """
    Return in words why nothing can be sent by the gateway just now; "" where nothing is known to be in the way.

    It is told here before it counts as failing, which takes until an outage has lasted.
    """
    if setup.status is GatewayStatus.FAILING:
        return setup.fault
    recent = [fault for sight in sights for fault in sight.faults if abs(now - fault.last_at) <= NEWS]
    if recent:
        return max(recent, key=lambda fault: fault.last_at).text
    if judge(setup, sights) is Standing.UNCONNECTED:
        return next(link.fault for sight in sights for link in sight.links if link.fault)
    return ""
