"""Callbacks a second that a web process hears, checks, stores and answers, from providers that ask all at once."""

import argparse
import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import func, select

from benchmarks.report import Case, PeakWatch
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.messages.messages import Receipt
from core.domain.people.permissions import Viewer
from core.gateways.twilio.callbacks import sign
from core.services.accounts.encryption import make_key
from core.services.accounts.setting_up_gateways import GatewayForm
from core.services.people.adding_people import NewPerson
from core.state.tables.models import ReceiptRow

NAME = "callbacks"
TOKEN = "benchmark-token"  # noqa: S105 - of a provider that does not exist
START_S = 60.0
PAUSE_S = 0.1
# One transaction each: so many tell how long that takes.
ALONE = 300
HOME = Path(__file__).parents[1] / "Home.py"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--callbacks", type=int, default=40_000)
    parser.add_argument("--connections", type=int, default=200)


def run(options: argparse.Namespace) -> int:
    """Post signed receipts over many connections; 1 if one is not answered with 200, or not in the inbox after that."""
    with tempfile.TemporaryDirectory(prefix="heliograph-callbacks-") as folder:
        port = _free_port()
        environment = {
            "HELIOGRAPH_DATA_DIR": folder,
            "HELIOGRAPH_SECRET_KEY": make_key(),
            "HELIOGRAPH_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        app = build_app(Settings.from_environment(environment))
        try:
            app.state.migrate()
            viewer = app.people.adding.add(NewPerson("Bench", "bench@example.com", "Copper-kettle-19"), app.clock())
            requests = _write_requests(_set_up(app, viewer), options.callbacks)
            with _web_process(environment, port), PeakWatch() as watch:
                begun = time.perf_counter()
                statuses = asyncio.run(_post(port, requests, options.connections))
                seconds = time.perf_counter() - begun
            stored = _count_receipts(app)
            baseline = _store_alone(app) * len(requests) / ALONE
        finally:
            app.close()
    words = f"{options.connections} connections, stored and answered"
    Case(NAME, words, len(requests), seconds, watch.peak_mib, baseline).emit()
    if statuses != len(requests) or stored != len(requests):
        print(f"{len(requests)} callbacks: {statuses} answered with 200, {stored} stored", file=sys.stderr)
        return 1
    return 0


def _set_up(app: App, viewer: Viewer) -> str:
    form = GatewayForm({"account_sid": "AC1", "auth_token": TOKEN})
    app.accounts.setting_up.create(viewer, "Twilio", "twilio", form, app.clock())
    return app.accounts.setting_up.get_callback_url(viewer, "Twilio")


def _write_requests(url: str, count: int) -> list[bytes]:
    """Return as many requests as a provider would make, each with a receipt of its own."""
    host, _, path = url.removeprefix("http://").partition("/")
    requests = []
    for number in range(count):
        fields = {"MessageSid": f"SM{number:032x}", "MessageStatus": "delivered", "To": "+491796548754", "From": "SHOP"}
        body = urlencode(fields).encode()
        head = (
            f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {sign(TOKEN.encode(), url, fields.items())}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append(head.encode() + body)
    return requests


async def _post(port: int, requests: Sequence[bytes], connections: int) -> int:
    """Ask on all connections at once, each the next one when it is answered; return how many answers were 200."""
    waiting = iter(requests)
    heard = 0

    async def ask() -> None:
        nonlocal heard
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            heard += head.startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(ask() for _ in range(connections)))
    return heard


def _count_receipts(app: App) -> int:
    with app.state.read() as session:
        return session.scalar(select(func.count()).select_from(ReceiptRow)) or 0


def _store_alone(app: App) -> float:
    """Return the seconds that `ALONE` receipts take, each in a transaction of its own."""
    begun = time.perf_counter()
    for number in range(ALONE):
        app.sending.callbacks.store([Receipt("Twilio", f"alone-{number}", "DELIVRD", "", app.clock())], [])
    return time.perf_counter() - begun


@contextmanager
def _web_process(environment: dict[str, str], port: int) -> Iterator[None]:
    """Run the web process until the block ends. Raises: SystemExit: it did not start."""
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(HOME),
        "--server.address=127.0.0.1",
        f"--server.port={port}",
    ]
    quiet = {"FORWARDED_ALLOW_IPS": "", "HELIOGRAPH_LOG_LEVEL": "WARNING"}
    process = subprocess.Popen(  # noqa: S603 - our own
        command,
        cwd=HOME.parent,
        env={**os.environ, **quiet, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(process, port)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), PAUSE_S).close()
        except OSError:
            time.sleep(PAUSE_S)
        else:
            return
    raise SystemExit("the web process did not start")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
