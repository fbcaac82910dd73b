"""The Huey object: where tasks wait between the pulse that finds work and the threads that do it."""

from urllib.parse import urlsplit

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey

from core.config import Settings
from core.errors import ConfigurationError

NAME = "heliograph"


def make_huey(settings: Settings) -> Huey:
    """
    Return a queue on SQLite, Redis or PostgreSQL.

    Results are not kept: what a task did is in the state store.
    Raises: ConfigurationError: the queue's address is of no known kind.
    """
    kind = urlsplit(settings.queue_url).scheme
    if not kind:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return SqliteHuey(NAME, filename=str(settings.data_dir / "queue.sqlite"), results=False)
    if kind in {"redis", "rediss"}:
        return RedisHuey(NAME, url=settings.queue_url, results=False)
    if kind == "postgresql":
        return PostgresHuey(NAME, dsn=settings.queue_url, results=False)
    raise ConfigurationError(
        f"HELIOGRAPH_QUEUE_URL begins with {kind}://.", hint="Use redis:// or postgresql://, or leave it empty."
    )


settings = Settings.from_environment()
huey = make_huey(settings)
