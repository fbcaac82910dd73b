"""What is done to an installation to make it lose a message, or send one twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SIMULATOR, SMPP = "simulator", "smpp"


class Fault(StrEnum):
    """Everything that is tried, by the names that `--faults` takes."""

    KILL_WORKER = "kill-worker"
    KILL_WEB = "kill-web"
    KILL_SMSC = "kill-smsc"
    STOP_WORKER = "stop-worker"
    CLOCK = "clock"
    FULL_DISK = "full-disk"
    LOCK = "lock"
    RESTART_POSTGRESQL = "restart-postgresql"
    RESTART_REDIS = "restart-redis"
    DROP = "drop"
    SLOW = "slow"
    THROTTLE = "throttle"
    REFUSE_BINDS = "refuse-binds"
    RECEIPTS_TWICE = "receipts-twice"
    RECEIPTS_LATE = "receipts-late"
    RECEIPTS_EARLY = "receipts-early"
    RECEIPTS_GARBLED = "receipts-garbled"


KILLS = (Fault.KILL_WORKER, Fault.KILL_WEB, Fault.KILL_SMSC)
# These hold while a share of the messages is sent; the others happen at once, or take so many seconds.
LASTING = frozenset(
    {
        Fault.SLOW,
        Fault.THROTTLE,
        Fault.RECEIPTS_TWICE,
        Fault.RECEIPTS_LATE,
        Fault.RECEIPTS_EARLY,
        Fault.RECEIPTS_GARBLED,
    }
)
# Beyond the end of a stopped worker's lease.
_PAST_LEASE_S = 2.0
_OF_SMSC = LASTING | {Fault.KILL_SMSC, Fault.DROP, Fault.REFUSE_BINDS}


@dataclass(frozen=True)
class Words:
    """What a fault is called, and what it is meant to break."""

    title: str
    aim: str


WORDS: Mapping[Fault, Words] = {
    Fault.KILL_WORKER: Words("SIGKILL of a worker that sends", "claims whose outcome nobody wrote down"),
    Fault.KILL_WEB: Words("SIGKILL of the web process", "locks that die with their holder"),
    Fault.KILL_SMSC: Words("SIGKILL of the SMSC", "submits that were taken and not answered"),
    Fault.STOP_WORKER: Words("SIGSTOP of a worker past its lease", "one batch in the hands of two workers"),
    Fault.CLOCK: Words("clock set by an hour, and back", "leases that end too soon, or never"),
    Fault.FULL_DISK: Words("disk full", "outcomes that cannot be written down"),
    Fault.LOCK: Words("SQLite locked by another process", "writes that give up"),
    Fault.RESTART_POSTGRESQL: Words("PostgreSQL restarted", "commits that nobody hears of"),
    Fault.RESTART_REDIS: Words("Redis restarted", "tasks that vanish from the queue"),
    Fault.DROP: Words("SMSC drops the connection, no response", "submits that were taken and not answered"),
    Fault.SLOW: Words("SMSC four times as slow", "windows that stay full"),
    Fault.THROTTLE: Words("SMSC throttles", "messages that are given back"),
    Fault.REFUSE_BINDS: Words("SMSC hangs up and refuses binds", "campaigns that wait for a person"),
    Fault.RECEIPTS_TWICE: Words("receipts twice", "receipts that count twice"),
    Fault.RECEIPTS_LATE: Words("receipts late", "messages that are settled long before"),
    Fault.RECEIPTS_EARLY: Words("receipts before the response", "receipts of messages nobody knows yet"),
    Fault.RECEIPTS_GARBLED: Words("receipts garbled, then readable", "receipts that nobody can read"),
}


@dataclass(frozen=True)
class Trial:
    """
    What is proved, and how.

    Args:
        recipient_count: Recipients of the campaign.
        kill_count: SIGKILLs, shared by worker, web and SMSC.
        gateway: `SIMULATOR` or `SMPP`.
        seed: Decides the faults and their moments.
        worker_count: Worker processes.
        faults: What is tried, of what can be tried here.
        database_url: State store, "" for SQLite; and *queue_url*, "" for SQLite as well.
        restart_postgresql: Command that restarts the server, "" if there is none; so *restart_redis*.
        lease_s: Seconds of a lease.
        lock_s: Seconds for which SQLite is locked.
        full_s: Seconds for which the disk is full; so *refuse_s* of binds, and *away_s* of the clock.
    """

    recipient_count: int
    kill_count: int
    gateway: str
    seed: int
    worker_count: int = 2
    faults: frozenset[Fault] = frozenset(Fault)
    database_url: str = ""
    queue_url: str = ""
    restart_postgresql: str = ""
    restart_redis: str = ""
    lease_s: int = 8
    lock_s: float = 20.0
    full_s: float = 10.0
    refuse_s: float = 25.0
    away_s: float = 8.0

    @property
    def is_smpp(self) -> bool:
        """Whether there is an SMSC in a process of its own."""
        return self.gateway == SMPP

    @property
    def stop_s(self) -> float:
        """Seconds for which a worker is stopped: past its lease."""
        return self.lease_s + _PAST_LEASE_S


def why_not(fault: Fault, trial: Trial) -> str:
    """Return why the fault is not tried, "" if it is."""
    if fault not in trial.faults:
        return "left out by --faults"
    if fault in _OF_SMSC and not trial.is_smpp:
        return "needs --gateway smpp"
    if fault is Fault.LOCK and trial.database_url:
        return "the state store is PostgreSQL"
    if fault is Fault.RESTART_POSTGRESQL and not trial.restart_postgresql:
        return "needs --restart-postgresql"
    if fault is Fault.RESTART_REDIS and not trial.restart_redis:
        return "needs --restart-redis"
    return ""
