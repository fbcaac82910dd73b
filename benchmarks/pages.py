"""
How long a page takes with a hundred people on it, each with accounts and a period of his or her own.

The rate is of answers a second: all people's together.
"""

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks import beside, traffic
from benchmarks.processes import prepare_draft, worker
from benchmarks.report import Case, PeakWatch, percentile
from core.bootstrap import App
from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.gateways.gateways import SIMULATOR
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Preset
from core.services.people.adding_people import NewPerson
from core.services.people.managing_people import Change
from core.state.accounts import accounts
from core.state.people.sessions import Browser
from core.web.guard.cookies import SESSION_COOKIE

NAME = "pages"
ROOT = Path(__file__).parents[1]
PASSWORD = "Copper-kettle-19"  # noqa: S105 - of people of a benchmark
START_S, ANSWER_S = 60.0, 120.0
SENT_PER_S = 1_000
WORD = "import streamlit as st\nst.write('word')\n"
_LOOKING = PRESETS["Campaign manager"] | PRESETS["Reporting manager"]
PERIODS = ("Today", "Yesterday", "Last 7 Days", "Last 30 Days", "This Month", "Last Month")
GROUPS = (GroupBy.COUNTRY, GroupBy.NETWORK, GroupBy.ACCOUNT, GroupBy.DAY, GroupBy.MONTH)


@dataclass
class Visitor:
    """Somebody with a page open: by which session, which page, what its address says, and how long answers took."""

    token: str
    page: str
    query: str
    page_hash: str = ""
    taken: list[float] = field(default_factory=list)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rows", type=int, default=300_000, help="messages in the history")
    parser.add_argument("--sessions", type=int, default=100, help="people at once")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds on average between two reruns of a person")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each page is looked at")
    parser.add_argument("--processes", type=int, default=1, help="web processes behind one address")
    parser.add_argument("--pages", nargs="+", choices=_PAGES, default=list(_PAGES), help="which pages, all by default")
    parser.add_argument("--sending", action="store_true", help="while a campaign is being sent")
    parser.add_argument("--catalog", default="", help="libpq string of an empty PostgreSQL database; SQLite without")
    parser.add_argument("--folder", type=Path, default=Path("data/benchmarks"), help="where generated traffic is kept")


def run(options: argparse.Namespace) -> int:
    """Open each page by everybody at once, and see how long until a rerun is through."""
    # Until now: the Dashboard shows the last days, and today by the hour.
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    made = traffic.prepare(options.folder, options.rows, end_day=tomorrow, catalog=options.catalog)
    baseline = _measure_word(options)
    app, _ = made.open()
    environment = {
        "HELIOGRAPH_DATA_DIR": str(made.settings.data_dir),
        "HELIOGRAPH_LAKE_CATALOG": made.settings.lake_catalog,
    }
    try:
        if "replies" in options.pages:
            beside.add_replies(app, made)
        people = _invite(app, sorted(made.account_ids), options.sessions)
        administrators = people
        if _OF_ADMINISTRATORS.intersection(options.pages):
            administrators = _invite(app, sorted(made.account_ids), options.sessions, PRESETS["Administrator"])
        with ExitStack() as running:
            address = running.enter_context(_web(ROOT / "Home.py", environment, options.processes))
            if options.sending:
                running.enter_context(_campaign(app, people[0][0], environment, options))
            for page in options.pages:
                if page == "gateways":
                    beside.add_gateways(app)
                visitors = [
                    Visitor(token, page, _PAGES[page](random.Random(number), made))  # noqa: S311 - guards nothing
                    for number, (_, token) in enumerate(administrators if page in _OF_ADMINISTRATORS else people)
                ]
                _measure(address, visitors, options, page, baseline)
    finally:
        app.close()
    return 0


def _measure_word(options: argparse.Namespace) -> float:
    """Return the 95th percentile of a page that shows one word, without anything of ours around it."""
    with tempfile.TemporaryDirectory(prefix="heliograph-word-") as folder:
        script = Path(folder) / "word.py"
        script.write_text(WORD, "utf-8")
        with _web(script, {}) as address:
            visitors = [Visitor("", "", "") for _ in range(options.sessions)]
            return _measure(address, visitors, options, "one word", None)


def _measure(
    address: str, visitors: Sequence[Visitor], options: argparse.Namespace, words: str, baseline: float | None
) -> float:
    with PeakWatch() as watch:
        asyncio.run(_visit(address, visitors, options))
    taken = sorted(seconds for visitor in visitors for seconds in visitor.taken)
    for share in (50, 95):
        case = f"{words}, {options.sessions} people, {share} % within"
        rate = len(taken) / options.seconds
        Case(NAME, case, options.rows, percentile(taken, share), watch.peak_mib, baseline, rate).emit()
    return percentile(taken, 95)


async def _visit(address: str, visitors: Sequence[Visitor], options: argparse.Namespace) -> None:
    """Let everybody open the page, and then, when all have it, look again and again for a while."""
    ready = asyncio.Barrier(len(visitors))
    async with asyncio.TaskGroup() as group:
        for number, visitor in enumerate(visitors):
            group.create_task(_stay(address, visitor, ready, options, random.Random(number)))  # noqa: S311


async def _stay(
    address: str, visitor: Visitor, ready: asyncio.Barrier, options: argparse.Namespace, draw: random.Random
) -> None:
    headers = {"Cookie": f"{SESSION_COOKIE}={visitor.token}"} if visitor.token else {}
    url = f"ws://{address}/_stcore/stream"
    async with connect(
        url, additional_headers=headers, subprotocols=[Subprotocol("streamlit")], proxy=None, max_size=None
    ) as socket:
        await asyncio.sleep(draw.random() * options.pause)
        await _rerun(socket, visitor)
        await ready.wait()
        end = time.monotonic() + options.seconds
        await asyncio.sleep(draw.random() * options.pause)
        while time.monotonic() < end:
            began = time.perf_counter()
            await _rerun(socket, visitor)
            visitor.taken.append(time.perf_counter() - began)
            await asyncio.sleep(draw.uniform(0, 2 * options.pause))


async def _rerun(socket: ClientConnection, visitor: Visitor) -> None:
    """Have the page's script run as the browser does, and wait until it is through."""
    asked = BackMsg()
    asked.rerun_script.query_string = visitor.query
    if visitor.page_hash:
        asked.rerun_script.page_script_hash = visitor.page_hash
    else:
        asked.rerun_script.page_name = visitor.page
    await socket.send(asked.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(await asyncio.wait_for(socket.recv(decode=False), ANSWER_S))
        kind = answer.WhichOneof("type")
        if kind == "navigation":
            visitor.page_hash = answer.navigation.page_script_hash
            _require_page(answer, visitor)
        if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
            raise SystemExit(f"{visitor.page}: {answer.delta.new_element.exception.message}")
        if kind == "script_finished":
            return


def _require_page(answer: ForwardMsg, visitor: Visitor) -> None:
    """Raise SystemExit unless the page that is drawn is the one that was asked for."""
    drawn = [page for page in answer.navigation.app_pages if page.page_script_hash == visitor.page_hash]
    name = "dashboard" if drawn[0].is_default else drawn[0].url_pathname
    if name != visitor.page:
        raise SystemExit(f"{name} is drawn instead of {visitor.page}")


def _invite(
    app: App, account_ids: Sequence[str], count: int, permissions: frozenset[Permission] = _LOOKING
) -> list[tuple[Viewer, str]]:
    """Return so many people, each signed in, with accounts that no two have alike as far as there are enough."""
    now, people = datetime.now(UTC), []
    run_id = os.urandom(4).hex()
    admin = app.people.adding.add(NewPerson("Bench", f"{run_id}@example.com", PASSWORD), now)
    own = _open_account(app, run_id, now)
    for number in range(count):
        mine = [name for place, name in enumerate(account_ids) if (number + 1) >> place & 1] or list(account_ids)
        email = f"{run_id}-{number}@example.com"
        person = NewPerson(f"Person {number}", email, PASSWORD, "Campaign manager", (own, *mine))
        added = app.people.adding.add(person, now)
        # No administrator unless the page is for them: that one would see all accounts.
        change = Change(person.name, permissions, frozenset(added.account_ids))
        app.people.managing.change(admin, added.user_id, change, now)
        viewer = app.people.adding.get_viewer(email)
        people.append((viewer, app.people.signing_in.sign_in(email, PASSWORD, Browser("127.0.0.1"), now)))
    return people


def _open_account(app: App, name: str, now: datetime) -> str:
    """Return the id of a new account that sends: the messages are of accounts whose campaigns are sent elsewhere."""
    facts = (name, name, f"Sending {name}", AccountType.CAMPAIGN, AccountStatus.ACTIVE, SIMULATOR, SENT_PER_S)
    with app.state.write() as session:
        accounts.add_account(session, Account(*facts), now)
    return name


def _days(draw: random.Random, made: traffic.Traffic) -> dict[str, str]:
    """Return a period of the person's own, in the words of the page's address."""
    days = (made.end_day - made.first_day).days
    first = made.first_day + timedelta(days=draw.randrange(days - 40))
    last = first + timedelta(days=draw.randrange(1, 40))
    return {"period": Preset.CUSTOM_RANGE.value, "from": first.isoformat(), "to": last.isoformat()}


# By page, what its address says for somebody.
_PAGES: Mapping[str, Callable[[random.Random, traffic.Traffic], str]] = {
    "dashboard": lambda draw, _: urlencode({"dashboard_period": draw.choice(PERIODS)}),
    "statistics": lambda draw, made: urlencode(_days(draw, made) | {"group_by": draw.choice(GROUPS)}),
    "message_history": lambda draw, made: urlencode(_days(draw, made)),
    "campaigns": lambda _draw, _made: "",
    "distribution_lists": lambda _draw, _made: "",
    "create_campaign": lambda _draw, _made: "",
    "replies": lambda draw, _: urlencode({"period": draw.choice(PERIODS)}),
    "gateways": lambda _draw, _made: "",
}
_OF_ADMINISTRATORS = frozenset({"gateways"})


@contextmanager
def _campaign(app: App, viewer: Viewer, environment: dict[str, str], options: argparse.Namespace) -> Iterator[None]:
    """Send a campaign by a worker of its own while the block runs, for longer than all pages are looked at."""
    seconds = (options.seconds + 2 * options.pause) * (len(options.pages) + 1)
    draft = prepare_draft(app, viewer, app.settings.data_dir, round(seconds * SENT_PER_S))
    campaign_id = app.campaigns.composing.save(viewer, draft, app.clock()).campaign_id
    app.campaigns.launching.launch(viewer, campaign_id, app.clock())
    with worker(environment, 0):
        yield


@contextmanager
def _web(script: Path, environment: Mapping[str, str], count: int = 1) -> Iterator[str]:
    """Run Streamlit with our configuration until the block ends, ours by *count* processes; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    address = f"--server.address=127.0.0.1 --server.port={port}".split()
    command = [sys.executable, "-m", "streamlit", "run", str(script), *address]
    if count > 1:
        command = [sys.executable, "-m", "core.web.front"]
        environment = {**environment, "HELIOGRAPH_PORT": str(port), "HELIOGRAPH_WEB_PROCESSES": str(count)}
    process = subprocess.Popen(  # noqa: S603 - our own
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        # It is listened before anybody answers.
        with closing(HTTPConnection("127.0.0.1", port, timeout=START_S)) as probe, suppress(OSError, HTTPException):
            probe.request("GET", "/_stcore/health")
            probe.getresponse()
            return
        time.sleep(0.1)
    raise SystemExit("the web server did not start")
