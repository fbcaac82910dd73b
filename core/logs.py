"""Logs: an event, then its fields. Subscriber numbers are masked before they get here; texts never do."""

import logging
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FieldFormatter(logging.Formatter):
    """One line a record: time, level, logger, event, then `field=value` for everything in `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception follows below it."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        shown = "".join(f" {name}={_quoted(value)}" for name, value in fields.items())
        line = f"{moment}Z {record.levelname:<7} {record.name} {record.getMessage()}{shown}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def configure(level: str) -> None:
    """Send every log of this process to its standard error, from *level* on."""
    handler = logging.StreamHandler()
    handler.setFormatter(FieldFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _quoted(value: object) -> str:
    text = str(value).replace("\n", "\\n").replace("\r", "\\r")
    return f'"{text}"' if " " in text else text
