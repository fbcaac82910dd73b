"""Dispatch: how fast one worker process sends a frozen campaign, ledger, pacing and history on."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from benchmarks import processes
from benchmarks.processes import PAUSE_S, prepare_draft, worker
from benchmarks.report import Case, measured
from benchmarks.smsc import ACCOUNT, TEXT, BareLoop, answered_numbers, smsc_process
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.campaigns.campaigns import CampaignDraft, CampaignStatus
from core.domain.gateways.forms import Value
from core.domain.people.permissions import Viewer
from core.gateways.simulator.journal import Journal
from core.gateways.smsc.journal import SmscJournal
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.people.adding_people import NewPerson

NAME = "dispatch"
UNPACED = 1_000_000
# No receipts while it is sent: they are not what is measured here.
_SLOW = "0.001"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--recipients", type=int, default=200_000)
    parser.add_argument("--window", type=int, default=50, help="messages in flight over SMPP")


def run(options: argparse.Namespace) -> int:
    """
    Send a campaign by the simulator, and one over SMPP beside a bare loop; 1 when not everybody was sent to once.

    Over SMPP no more are claimed at a time than the window has. What that costs the ledger, whoever sends, is what the
    simulator takes longer when it is given so many at a time; what is beyond that is SMPP's.
    """
    recipients, window = options.recipients, options.window
    simulator = "the simulator in the worker's process"
    return max(
        _by_simulator(Case(NAME, simulator, recipients)),
        _by_simulator(Case(NAME, f"{simulator}, {window} at a time: the ledger alone", recipients), window),
        _over_smpp(recipients, window),
    )


def _by_simulator(case: Case, at_a_time: int | None = None) -> int:
    with tempfile.TemporaryDirectory(prefix="heliograph-dispatch-") as folder, company(Path(folder)) as (app, viewer):
        more = {} if at_a_time is None else {"HELIOGRAPH_SUB_WINDOW": str(at_a_time)}
        campaign_id = _send(app, viewer, Path(folder), case, **more)
        return _check(app, viewer, campaign_id, Journal(app.settings.simulator_path).count_accepted)


def _over_smpp(recipient_count: int, window: int) -> int:
    with tempfile.TemporaryDirectory(prefix="heliograph-dispatch-") as folder:
        bare_s = _bare_loop(Path(folder), recipient_count, window)
        log = Path(folder) / "smsc.sqlite"
        with smsc_process(log, "--speed", _SLOW) as port, company(Path(folder)) as (app, viewer):
            use_smpp(app, viewer, port, window)
            name = f"SMPP to another process, window of {window}, beside a bare loop"
            case = Case(NAME, name, recipient_count, baseline=bare_s)
            campaign_id = _send(app, viewer, Path(folder), case)
            return _check(app, viewer, campaign_id, SmscJournal(log).count_accepted)


def _bare_loop(folder: Path, recipient_count: int, window: int) -> float:
    """Return in how many seconds the least that can send does so, to an SMSC of its own."""

    async def submit_all(port: int) -> float:
        loop = asyncio.get_running_loop()
        numbers = list(islice(answered_numbers(TEXT), recipient_count))
        _, client = await loop.create_connection(
            lambda: BareLoop(numbers, window, registered_delivery=1), "127.0.0.1", port
        )
        start = time.perf_counter()
        await client.done
        client.close()
        return time.perf_counter() - start

    with smsc_process(folder / "bare.sqlite", "--speed", _SLOW) as port:
        return asyncio.run(submit_all(port))


@contextmanager
def company(folder: Path) -> Iterator[tuple[App, Viewer]]:
    """Open an installation whose account has no limit to speak of, with somebody who may do everything."""
    environment = {
        "HELIOGRAPH_DATA_DIR": str(folder),
        "HELIOGRAPH_DEFAULT_RATE_TPS": str(UNPACED),
        "HELIOGRAPH_SIMULATOR_SPEED": _SLOW,
        "HELIOGRAPH_SECRET_KEY": make_key(),
    }
    app = build_app(Settings.from_environment(environment))
    app.state.migrate()
    app.lake.ping()
    try:
        yield app, app.people.adding.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), app.clock())
    finally:
        app.close()


def use_smpp(app: App, viewer: Viewer, port: int, window: int) -> None:
    """Let the account send over SMPP to the SMSC at *port*, as the gateway "SMSC"."""
    system_id, password = ACCOUNT
    values: dict[str, Value] = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": system_id,
        "password": password,
        "window": window,
    }
    app.accounts.setting_up.create(viewer, "SMSC", "smpp", GatewayForm(values), app.clock())
    account = app.accounts.managing.list_sending(viewer)[0]
    app.accounts.managing.change(viewer, account.account_id, AccountSettings("SMSC", UNPACED), app.clock())


def _send(app: App, viewer: Viewer, folder: Path, case: Case, **settings_of_worker: str) -> str:
    """
    Freeze a campaign, then measure a worker from its start to the campaign's completion; return its id.

    *settings_of_worker* are environment variables that it is to have besides.
    """
    # Over SMPP, nobody whose message is answered by silence: that would measure a timer.
    numbers = answered_numbers(processes.TEXT.encode())
    draft: CampaignDraft = prepare_draft(app, viewer, folder, case.rows, numbers)
    campaign_id = app.campaigns.composing.save(viewer, draft, app.clock()).campaign_id
    app.campaigns.launching.launch(viewer, campaign_id, app.clock())
    app.campaigns.launching.freeze(campaign_id, app.clock)
    settings = app.settings
    environment = {
        "HELIOGRAPH_DATA_DIR": str(settings.data_dir),
        "HELIOGRAPH_SECRET_KEY": settings.secret_key,
        "HELIOGRAPH_SIMULATOR_SPEED": _SLOW,
        **settings_of_worker,
    }
    # What is measured is the worker, not this process, which has made the list and the audience.
    with worker(environment, 0) as pid, measured(case, pid):
        while app.campaigns.composing.get(viewer, campaign_id).status is not CampaignStatus.COMPLETED:
            time.sleep(PAUSE_S)
    return campaign_id


def _check(app: App, viewer: Viewer, campaign_id: str, count_accepted: Callable[[], int]) -> int:
    found = app.reports.reporting.reconciliation(viewer, campaign_id)
    taken = count_accepted()
    if not found.balances or not found.sent_count <= taken <= found.sent_count + found.unknown_count:
        print(f"not everybody was sent to once: {taken} taken, {found}", file=sys.stderr)
        return 1
    return 0
