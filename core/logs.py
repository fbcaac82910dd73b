"""Logs: an event, then its fields. Subscriber numbers are masked before they get here; texts never do."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.domain.words.control_characters import replace_controls
from core.driver_errors import forget_values
from core.errors import AppError, GatewayError, StorageError

# How a store or the queue says that it is away. Drivers are known by name: not each of them need be installed.
_AWAY = frozenset(
    {
        "sqlite3.OperationalError",
        "psycopg.OperationalError",
        "psycopg2.OperationalError",
        "psycopg2.InterfaceError",
        "redis.exceptions.ConnectionError",
        "redis.exceptions.TimeoutError",
    }
)
# An error that goes on is told again after so long, with how often it came meanwhile.
REPEATS_S = 60.0
# One that did not come for so long is over, or for so many times the longest while it has stayed away.
OVER_S = 5.0
PATIENCE = 2
# One that comes again within so long was not over, and has shown how long it may stay away.
RETURNS_S = 600.0

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """One line a record: time, level, logger, event, then `field=value` for everything in `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception follows below it."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        shown = "".join(f" {name}={_quoted(value)}" for name, value in fields.items())
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            forget_values(error)
        if error is not None and _is_elsewhere(error):
            # Where in the program it was noticed says nothing about why the store or the provider is away.
            shown += f" reason={_quoted(_reason(error))}"
        line = f"{moment}Z {record.levelname:<7} {record.name} {_on_one_line(record.getMessage())}{shown}"
        if error is None or _is_elsewhere(error) or record.exc_info is None:
            return line
        return f"{line}\n{replace_controls(self.formatException(record.exc_info), is_prose=True)}"


@dataclass
class _Repeated:
    """
    An error that comes again: when it was told, when it came last, how often since it was told.

    What comes once a minute is not over after five seconds: *gap_s* is the longest it has stayed away and come again.
    """

    record: logging.LogRecord
    told_s: float
    last_s: float
    count: int = 0
    gap_s: float = 0.0
    was_told_over: bool = False

    def comes(self, now_s: float) -> None:
        """Take notice that it is there again."""
        if now_s - self.last_s < RETURNS_S:
            self.gap_s = max(self.gap_s, now_s - self.last_s)
        self.last_s = now_s

    def is_over(self, now_s: float) -> bool:
        """Return whether it has stayed away for longer than what was seen of it makes likely."""
        return now_s - self.last_s >= max(OVER_S, PATIENCE * self.gap_s)


class Repeats(logging.Filter):
    """
    Lets an error through once and counts it while it comes again and again.

    A store that is away for half a minute is met by every thread, several times a second, and so is a provider.
    """

    def __init__(self, steady_s: Callable[[], float] = time.monotonic) -> None:
        """Take a clock in seconds that only goes forward."""
        super().__init__()
        self._steady_s = steady_s
        self._lock = threading.Lock()
        self._errors: dict[tuple[str, ...], _Repeated] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written."""
        if not record.exc_info or record.exc_info[1] is None:
            return True
        key, now_s = _key(record, record.exc_info[1]), self._steady_s()
        with self._lock:
            known = self._errors.get(key)
            if known is None:
                self._errors[key] = _Repeated(record, now_s, now_s)
                return True
            known.comes(now_s)
            if known.was_told_over or now_s - known.told_s >= REPEATS_S:
                if known.count:
                    record.repeated = known.count
                self._errors[key] = _Repeated(record, now_s, now_s, gap_s=known.gap_s)
                return True
            known.count += 1
            return False

    def over(self) -> list[tuple[logging.LogRecord, int]]:
        """Return the errors that came again and have stopped, each with how often it did: once for each that stops."""
        now_s = self._steady_s()
        with self._lock:
            over = [known for known in self._errors.values() if not known.was_told_over and known.is_over(now_s)]
            told = [(known.record, known.count) for known in over if known.count]
            for known in over:
                known.was_told_over, known.count = True, 0
            # They are kept for a while: only so is it noticed that one comes again.
            self._errors = {
                key: known
                for key, known in self._errors.items()
                if not known.was_told_over or now_s - known.last_s < RETURNS_S
            }
        return told


_repeats = Repeats()


def tell_repeats() -> None:
    """Write how often each error came again that does so no more; for whoever finds that all is well."""
    for record, times in _repeats.over():
        logging.getLogger(record.name).warning("error_over", extra={"event": record.getMessage(), "repeated": times})


def is_outage(error: BaseException) -> bool:
    """Return whether *error* says that a store or the queue does not answer, which is no defect of the program."""
    if isinstance(error, StorageError | ConnectionError):
        return True
    return any(f"{kind.__module__}.{kind.__qualname__}" in _AWAY for kind in type(error).__mro__)


def configure(level: str) -> None:
    """Send every log of this process to its standard error, from *level* on."""
    handler = logging.StreamHandler()
    handler.setFormatter(FieldFormatter())
    handler.addFilter(_repeats)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _quoted(value: object) -> str:
    text = _on_one_line(str(value))
    return f'"{text}"' if " " in text else text


def _on_one_line(text: str) -> str:
    # What somebody typed must neither begin a line of its own nor tell a terminal what to do.
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, AppError) else f"{type(error).__name__}: {error}".split("\n", 1)[0]


def _is_elsewhere(error: BaseException) -> bool:
    return isinstance(error, GatewayError) or is_outage(error)


def _key(record: logging.LogRecord, error: BaseException) -> tuple[str, ...]:
    # The arguments of a message, such as the id of a task, differ from one time to the next. Two defects differ by
    # where they were raised.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
    kind = type(error).__qualname__
    if isinstance(error, GatewayError):
        # Each provider has faults of its own.
        return record.name, str(record.msg), kind, error.gateway, error.message
    return (record.name, str(record.msg), kind) if is_outage(error) else (record.name, str(record.msg), kind, where)
