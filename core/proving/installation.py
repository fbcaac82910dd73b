"""An installation of its own: a folder, stores that were empty, a campaign, and the processes that send it."""

import csv
import io
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.campaigns.campaigns import CampaignDraft
from core.domain.gateways.forms import Value
from core.domain.people.permissions import Viewer
from core.errors import ConfigurationError
from core.private_files import FOLDER, keep_private
from core.proving.disk import Disk
from core.proving.faults import Fault, Trial, why_not
from core.proving.plan import THREADS, Plan
from core.proving.processes import Processes
from core.proving.smsc_process import PASSWORD, SYSTEM_ID, SmscProcess
from core.proving.witness import Witness
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson

# What slows the sending is the gateway, as the plan has it.
_UNPACED_TPS = 1_000_000
_SPEED = 200
# Of the state, the history and the logs of everything.
_DISK_MIB, _DISK_KIB_EACH = 192, 8
# So that batches change hands often; and a small campaign has some of them, too.
_BATCHES, _BATCH_LEAST, _BATCH_MOST = 40, 20, 5_000
_GATEWAY = "Under proof"
_TEXT = "Hello, this is a proof."
# German mobile numbers, all of them possible.
_FIRST_NUMBER = 4_915_100_000_000
WORKER, WEB = "worker", "web"


@dataclass
class Installation:
    """What is under proof; *viewer* is the person who asks it, *clock_file* says by how much its clock is off."""

    trial: Trial
    plan: Plan
    folder: Path
    app: App
    viewer: Viewer
    disk: Disk
    processes: Processes
    smsc: SmscProcess | None
    clock_file: Path
    settings: Mapping[str, str]
    # Whether the folder is there afterwards.
    is_kept: bool = False

    @property
    def witness(self) -> Witness:
        """The log of who takes the messages."""
        path = self.smsc.log if self.smsc else self.app.settings.simulator_path
        return Witness(path, self.trial)

    def set_clock(self, seconds: float) -> None:
        """Let the clock of web and workers be off by so many seconds."""
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(str(seconds), "utf-8")
        fresh.replace(self.clock_file)

    def launch(self) -> str:
        """Import the recipients, launch a campaign to them, start all processes, and return the campaign's id."""
        app, viewer = self.app, self.viewer
        account = app.accounts.managing.list_sending(viewer)[0]
        upload = Upload(account.account_id, "Recipients", "recipients.csv")
        content = io.BytesIO(_recipients(self.trial.recipient_count).encode())
        found = app.lists.upload(viewer, upload, content, app.clock())
        app.lists.run(found.list_id, app.clock)
        draft = CampaignDraft(account.account_id, "Proof", "HELIOGRAPH", (found.list_id,), _TEXT)
        campaign_id = app.campaigns.composing.save(viewer, draft, app.clock()).campaign_id
        if self.smsc:
            self._send_by(self.smsc, account.account_id)
        app.campaigns.launching.launch(viewer, campaign_id, app.clock())
        self._start()
        return campaign_id

    def receivers(self) -> frozenset[str]:
        """Return whom the campaign is for."""
        return frozenset(f"+{_FIRST_NUMBER + number}" for number in range(self.trial.recipient_count))

    def _send_by(self, smsc: SmscProcess, account_id: str) -> None:
        smsc.start(self.trial)
        values: dict[str, Value] = {
            "host": "127.0.0.1",
            "port": smsc.port,
            "system_id": SYSTEM_ID,
            "password": PASSWORD,
            "window": self.plan.window,
        }
        now = self.app.clock()
        self.app.accounts.setting_up.create(self.viewer, _GATEWAY, "smpp", GatewayForm(values), now)
        self.app.accounts.managing.change(self.viewer, account_id, AccountSettings(_GATEWAY, _UNPACED_TPS), now)

    def _start(self) -> None:
        for number in range(1, self.trial.worker_count + 1):
            self.processes.start(f"{WORKER}-{number}", [sys.executable, "-m", "jobs.worker"], self.settings)
        port = self.settings["HELIOGRAPH_PORT"]
        address = ["--server.address=127.0.0.1", f"--server.port={port}"]
        self.processes.start(WEB, [sys.executable, "-m", "streamlit", "run", "Home.py", *address], self.settings)


@contextmanager
def installed(trial: Trial, plan: Plan, folder: Path | None) -> Iterator[Installation]:
    """
    Make an installation, in *folder* or in one of its own, and end all its processes with the block.

    The folder is kept unless its `is_kept` says otherwise.
    Raises: ConfigurationError: the folder, the database or the queue has something in it.
    """
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"There is something in {folder}.", hint="Name an empty folder, or a new one.")
    refuse_used_stores(trial)
    where = folder or Path(tempfile.mkdtemp(prefix="heliograph-prove-"))
    keep_private(where)
    data = where / "data"
    data.mkdir(mode=FOLDER)
    disk = Disk(data)
    if not why_not(Fault.FULL_DISK, trial):
        disk.mount(_DISK_MIB + trial.recipient_count * _DISK_KIB_EACH // 1024)
    is_to_be_kept = True
    try:
        with _opened(trial, plan, where, disk) as found:
            found.is_kept = folder is not None
            yield found
        is_to_be_kept = found.is_kept
    finally:
        _leave(where, disk, is_kept=is_to_be_kept)


def refuse_used_stores(trial: Trial) -> None:
    """Raise `ConfigurationError` unless the database and the queue are there and empty."""
    if trial.database_url:
        url = trial.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        try:
            engine = create_engine(url)
            tables = inspect(engine).get_table_names()
            engine.dispose()
        except SQLAlchemyError as error:
            raise ConfigurationError("The database does not answer.", hint="Check --database.") from error
        if tables:
            raise ConfigurationError("The database has tables in it.", hint="Name an empty database.")
    if urlsplit(trial.queue_url).scheme in {"redis", "rediss"}:
        # A tenth of a second, which no other command needs to wait for.
        import redis  # noqa: PLC0415

        try:
            with redis.Redis.from_url(trial.queue_url) as queue:
                count = queue.dbsize()
        except redis.RedisError as error:
            raise ConfigurationError("The queue does not answer.", hint="Check --queue.") from error
        if count:
            raise ConfigurationError("The queue's database has keys in it.", hint="Name an empty one: redis://…/1.")


@contextmanager
def _opened(trial: Trial, plan: Plan, where: Path, disk: Disk) -> Iterator[Installation]:
    clock_file = where / "clock"
    clock_file.write_text("0", "utf-8")
    settings = _settings(trial, plan, disk.folder, clock_file)
    # Who asks from outside goes by the machine's own clock.
    own = {name: value for name, value in settings.items() if name != "HELIOGRAPH_CLOCK_FILE"}
    app = build_app(Settings.from_environment(own))
    processes = Processes(where)
    with tempfile.TemporaryDirectory(prefix="heliograph-prove-") as control:
        try:
            app.state.migrate()
            app.lake.ping()
            viewer = app.people.adding.add(NewPerson("Prove", "prove@example.com", make_key()), app.clock())
            smsc = None
            if trial.is_smpp:
                log = where / "smsc" / "smsc.sqlite"
                log.parent.mkdir(mode=FOLDER)
                # The path of a socket is short, wherever the folder is.
                smsc = SmscProcess(processes, log, Path(control) / "control", _free_port())
            yield Installation(trial, plan, where, app, viewer, disk, processes, smsc, clock_file, settings)
        finally:
            processes.end()
            app.close()


def _settings(trial: Trial, plan: Plan, data: Path, clock_file: Path) -> dict[str, str]:
    batch = min(_BATCH_MOST, max(_BATCH_LEAST, trial.recipient_count // _BATCHES))
    values: dict[str, object] = {
        "data_dir": data,
        "database_url": trial.database_url,
        "queue_url": trial.queue_url,
        "secret_key": make_key(),
        "port": _free_port(),
        "default_rate_tps": _UNPACED_TPS,
        "batch_size": batch,
        "sub_window": plan.window,
        "lease_s": trial.lease_s,
        "worker_threads": THREADS,
        "seed": trial.seed,
        "simulator_speed": _SPEED,
        "simulator_answer_ms": plan.answer_ms,
        "list_max_rows": max(trial.recipient_count, 1_000_000),
        "upload_max_mib": 1_024,
        "clock_file": clock_file,
    }
    return {f"HELIOGRAPH_{name.upper()}": str(value) for name, value in values.items() if value != ""}


def _recipients(count: int) -> str:
    target = io.StringIO()
    csv.writer(target).writerows([["PhoneNumber"], *([_FIRST_NUMBER + number] for number in range(count))])
    return target.getvalue()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _leave(where: Path, disk: Disk, *, is_kept: bool) -> None:
    if is_kept and disk.is_small:
        # What lies in memory is to be there afterwards, too.
        saved = where / "data-saved"
        shutil.copytree(disk.folder, saved, ignore_dangling_symlinks=True)
        disk.unmount()
        disk.folder.rmdir()
        saved.rename(disk.folder)
    disk.unmount()
    if not is_kept:
        shutil.rmtree(where)
