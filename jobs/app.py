"""The Huey object: where tasks wait between the pulse that finds work and the threads that do it."""

from pathlib import Path
from urllib.parse import urlsplit

from huey import Huey, PostgresHuey, RedisHuey
from huey.storage import BaseSqlStorage

from core.config import Settings
from core.errors import ConfigurationError
from jobs.waking import WakingHuey, WakingStorage

NAME, FILE = "heliograph", "queue.sqlite"


def make_huey(settings: Settings) -> Huey:
    """
    Return a queue on SQLite, Redis or PostgreSQL; nothing connects before `prepare`.

    Results are not kept: what a task did is in the state store.
    Raises: ConfigurationError: the queue's address is of no known kind.
    """
    kind = urlsplit(settings.queue_url).scheme
    if not kind:
        return WakingHuey(NAME, filename=str(settings.data_dir / FILE), results=False, create_tables=False)
    if kind in {"redis", "rediss"}:
        return RedisHuey(NAME, url=settings.queue_url, results=False)
    if kind == "postgresql":
        return PostgresHuey(NAME, dsn=settings.queue_url, results=False, create_tables=False)
    raise ConfigurationError(
        f"HELIOGRAPH_QUEUE_URL begins with {kind}://.", hint="Use redis:// or postgresql://, or leave it empty."
    )


def prepare(queue: Huey, data_dir: Path) -> None:
    """Create the folder and the tables of a queue that needs them; harmless when they are there."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if isinstance(queue.storage, BaseSqlStorage):
        queue.storage.initialize_schema()


def wake(queue: Huey) -> None:
    """Let the threads that wait for a task look for one; those on Redis and PostgreSQL are told by the server."""
    if isinstance(queue.storage, WakingStorage):
        queue.storage.wake()


def end_waiting(queue: Huey) -> None:
    """Let no thread wait for a task any more; on Redis and PostgreSQL none does for longer than a second."""
    if isinstance(queue.storage, WakingStorage):
        queue.storage.end_waiting()


settings = Settings.from_environment()
huey = make_huey(settings)
