"""Settings: read from the environment once, frozen, every field with its unit and default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError

PREFIX = "HELIOGRAPH_"


@dataclass(frozen=True)
class Settings:
    """How this installation is set up. Nothing connects when it is built."""

    # Folder for everything Heliograph keeps by default (state, queue, history, uploads).
    data_dir: Path = Path("data")
    # SQLAlchemy URL of the state store; empty: SQLite in `data_dir`.
    database_url: str = ""
    # DuckLake catalog: empty for SQLite in `data_dir`, or a libpq string ("dbname=… host=…").
    lake_catalog: str = ""
    # Folder or s3:// prefix for the Parquet files; empty: `data_dir`/history/files.
    lake_files: str = ""
    # Huey queue: empty for SQLite in `data_dir`, redis://… or postgresql://….
    queue_url: str = ""
    # Address and port the web process listens on.
    host: str = "127.0.0.1"
    port: int = 8501
    # Web processes behind that address; a browser stays with one of them. More than one pays where there are cores.
    web_processes: int = 1
    # Cookies over TLS only, and nothing but TLS for a year (HSTS); needs no setting where `public_url` is https://….
    secure_cookie: bool = False
    # Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses and networks (CIDR), separated by
    # commas; empty: nobody's.
    trusted_proxies: str = "127.0.0.1,::1"
    # Seconds without activity after which a session ends.
    session_idle_s: int = 1800
    # Seconds after which a session ends however active it is.
    session_lifetime_s: int = 43_200
    # Mail server: smtp://user:password@host:587 or smtps://…:465; empty: mails become files in `data_dir`/outbox.
    smtp_url: str = field(default="", repr=False)
    # Sender of the mails.
    mail_from: str = "Heliograph <heliograph@localhost>"
    # Where people and providers reach Heliograph, for the links in mails and the callbacks of gateways; empty:
    # http://`host`:`port`.
    public_url: str = ""
    # Encrypts the gateways' secrets: 32 random bytes in URL-safe base64, several separated by commas (the first
    # encrypts, all decrypt). Without one no secrets can be kept.
    secret_key: str = field(default="", repr=False)
    # Hours an invitation may be accepted.
    invitation_h: int = 168
    # Minutes a link to reset a password, or to confirm an email, works.
    link_min: int = 60
    # Largest upload, MiB.
    upload_max_mib: int = 50
    # Largest number of contact rows in one list.
    list_max_rows: int = 1_000_000
    # Largest number of rows in one file of numbers to be suppressed.
    suppression_max_rows: int = 10_000_000
    # Largest file of outside traffic, MiB; the page takes no more than `upload_max_mib` of it.
    traffic_max_mib: int = 2_048
    # Largest number of rows in one file of outside traffic.
    traffic_max_rows: int = 20_000_000
    # Days the recipients of a campaign are kept one by one, with their texts, once it is over; its counts, and what was
    # sent, stay. An hour at least.
    audience_keep_days: int = 90
    # Days replies are kept; what a STOP among them has set stays. At least as long as it is looked up what one answers.
    reply_keep_days: int = 365
    # Days the rows that an import rejected are kept for download.
    rejected_keep_days: int = 30
    # Hours an exported file is kept.
    export_keep_h: int = 24
    # Largest number of rows in one exported file.
    export_max_rows: int = 5_000_000
    # Threads of the worker process.
    worker_threads: int = 4
    # Messages claimed, submitted and recorded together.
    sub_window: int = 500
    # Most messages per batch: leased by one worker, appended to history in one commit. A slower account's batch is a
    # second's worth of its rate.
    batch_size: int = 10_000
    # Seconds a worker holds a batch without a sign of life before another may take over.
    lease_s: int = 15
    # Placeholders in one message.
    placeholders_max: int = 2
    # Who was texted more often than `frequent_most` times within `frequent_days` days is pointed out before a launch.
    frequent_most: int = 3
    # Days of `frequent_most`.
    frequent_days: int = 7
    # Numbers in one Quick Send.
    quick_send_max: int = 1_000
    # Submit rate of a new account, segments per second.
    default_rate_tps: int = 1_000
    # Seed of the simulator gateway and of the demo data.
    seed: int = 20_260_101
    # How many times faster than life the simulator reports receipts; 1 is lifelike.
    simulator_speed: float = 1.0
    # Milliseconds the simulator takes to answer a submit; 0: as fast as it can.
    simulator_answer_ms: int = 0
    # DuckDB's memory limit per process, MiB.
    duckdb_memory_mib: int = 2_048
    # Memory in which a process keeps rollups, MiB; a year of 100 million messages takes about 170.
    rollup_memory_mib: int = 512
    # Memory in which a process keeps answers of the history as long as nothing changes there, MiB; 0 keeps none.
    answer_memory_mib: int = 32
    # Hours of the day for the history's maintenance, as "1-5" or "22-5"; empty: any time.
    maintenance_hours: str = "1-5"
    # Time zone of `maintenance_hours`.
    maintenance_zone: str = "UTC"
    # Small files of one table from which on they are merged at any hour.
    maintenance_files: int = 250
    # Hours that older states of the history, and the files only they need, are kept; 1 at least.
    history_keep_h: int = 24
    # For `python -m core prove` and tests only: file with the seconds by which the clock is off, read all the time.
    clock_file: str = ""
    # Log level of the standard logging module.
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """
        Read `HELIOGRAPH_<FIELD>` variables.

        Raises: ConfigurationError: a value has the wrong form, or a variable is not a setting.
        """
        environment = os.environ if environment is None else environment
        given = {name[len(PREFIX) :].lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
        known = {field.name: field for field in fields(cls)}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise ConfigurationError(
                f"{PREFIX}{unknown[0].upper()} is not a setting.",
                hint="docs/operations.md lists the settings.",
            )
        return cls(**{name: _convert(name, type(known[name].default), value) for name, value in given.items()})

    @property
    def state_url(self) -> str:
        """SQLAlchemy URL of the state store."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'state.sqlite'}"

    @property
    def address(self) -> str:
        """Where people reach Heliograph, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Whether people reach Heliograph over TLS."""
        return self.secure_cookie or self.public_url.lower().startswith("https://")

    @property
    def outbox_dir(self) -> Path:
        """Folder of mails that no mail server takes."""
        return self.data_dir / "outbox"

    @property
    def uploads_dir(self) -> Path:
        """Folder of uploaded files waiting for import and of rejected rows kept for download."""
        return self.data_dir / "uploads"

    @property
    def suppressions_dir(self) -> Path:
        """Folder of sorted copies of the suppressed numbers, which are made again when they are lost."""
        return self.cache_dir / "suppressions"

    @property
    def exports_dir(self) -> Path:
        """Folder of exported files."""
        return self.data_dir / "exports"

    @property
    def cache_dir(self) -> Path:
        """Folder of what can be made anew at any time."""
        return self.data_dir / "cache"

    @property
    def simulator_path(self) -> Path:
        """The simulator gateway's own durable log."""
        return self.data_dir / "simulator.sqlite"


def _convert(name: str, kind: type[Any], value: str) -> Any:
    try:
        if kind is bool:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[value.lower()]
        return Path(value) if issubclass(kind, Path) else kind(value)
    except (KeyError, ValueError):
        raise ConfigurationError(
            f"{PREFIX}{name.upper()} is {value!r}, which is not a valid {kind.__name__}.",
            hint="docs/operations.md lists the settings.",
        ) from None
