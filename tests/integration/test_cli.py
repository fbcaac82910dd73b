"""The command line: a whole campaign without a browser, and clear words for whatever goes wrong."""

import io
import json
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import cli
from core.bootstrap import build_app
from core.config import Settings
from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.gateways.simulator.journal import Journal
from tests.support.application import cdr
from tests.support.application.house import PASSWORD, contacts
from tests.support.processes.live_server import REPOSITORY


@dataclass(frozen=True)
class Answer:
    """What a command printed and returned."""

    code: int
    said: str
    complained: str


Run = Callable[..., Answer]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], own_logging: None
) -> Iterator[Run]:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HELIOGRAPH_DUCKDB_MEMORY_MIB", "512")

    def command(*arguments: str, stdin: str = "") -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = cli.main(arguments)
        printed = capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    return command


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Give the root logger back as it was: the command line sets it up for its own process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers, root.level = handlers, level


def create_user(run: Run, *options: str, email: str = "ada@example.com") -> Answer:
    person = ("create-user", "--name", "Ada Lovelace", "--email", email, "--password-stdin")
    return run(*person, *options, stdin=f"{PASSWORD}\n")


def import_list(run: Run, folder: Path, content: str, *options: str) -> Answer:
    file = folder / "guests.csv"
    file.write_text(content)
    return run("import-list", str(file), "--name", "Guests", "--work", *options)


def launch(run: Run, *options: str) -> Answer:
    what = ("--name", "Greeting", "--list", "guests", "--sender", "HELIOGRAPH", "--message", "Hello {Who}")
    return run("launch", *what, "--placeholder", "Who=FirstName", "--work", *options)


def test_a_campaign_without_a_browser(run: Run, tmp_path: Path):
    assert create_user(run).said == "Created ada@example.com (Administrator).\n"
    imported = import_list(run, tmp_path, contacts(200) + "12345,Nobody,\n")
    assert (imported.code, imported.complained) == (0, "")
    assert "Guests: Ready, 201 rows read, 200 entries, 0 duplicates, 1 rejected." in imported.said
    launched = launch(run)
    facts = json.loads(launched.said)
    assert launched.code == 0
    assert (facts["status"], facts["audience_count"], facts["pending_count"]) == ("Completed", 200, 0)
    assert facts["balances"] is True
    shown = run("show", facts["campaign_id"])
    assert json.loads(shown.said) == facts
    journal = Journal(tmp_path / "data" / "simulator.sqlite")
    assert journal.list_repeated() == []
    assert facts["sent_count"] <= journal.count_accepted() <= facts["sent_count"] + facts["unknown_count"]


def test_a_draft_is_launched_by_its_id_and_need_not_be_waited_for(run: Run, tmp_path: Path):
    create_user(run)
    import_list(run, tmp_path, contacts(5))
    first = json.loads(launch(run, "--no-wait").said)
    assert first["status"] == "Processing"
    again = run("launch", "--campaign", first["campaign_id"], "--work")
    assert again.code == 1
    assert "have just launched it" in again.complained


def test_a_list_of_which_nothing_can_be_used_says_why(run: Run, tmp_path: Path):
    create_user(run)
    answer = import_list(run, tmp_path, "PhoneNumber\n12345\n")
    assert answer.code == 1
    assert "Guests: Faulted" in answer.said
    assert "The only row has no usable number." in answer.said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import-list", "missing.csv", "--name", "Guests"), "missing.csv cannot be read"),
        (("launch", "--name", "Greeting", "--list", "Guests"), "no Ready list called 'Guests'"),
        (("launch", "--campaign", "nothing"), "There is no such campaign"),
        (("show", "nothing"), "There is no such campaign"),
        (("show", "nothing", "--as", "eve@example.com"), "no active user eve@example.com"),
        (("import-list", "missing.csv", "--name", "Guests", "--account", "other"), "may send from: simulator"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(run: Run, arguments: tuple[str, ...], words: str):
    create_user(run)
    answer = run(*arguments)
    assert (answer.code, answer.said) == (1, "")
    assert words in answer.complained
    assert answer.complained.count("\n") == 1


def test_the_rollups_of_the_demo_are_compared_with_its_messages(run: Run):
    create_user(run)
    run("seed-demo", "--messages", "2000")
    nothing = run("history", "verify")
    assert nothing.code == 0
    assert nothing.said.splitlines() == [
        "0 months compared with the messages, 0 differed.",
        "0 months of the index of numbers compared, 0 incomplete.",
    ]


def test_nobody_there_yet_is_said(run: Run):
    answer = run("show", "nothing")
    assert (answer.code, answer.complained) == (1, "There is no active user. Create the first one with create-user.\n")


def test_a_weak_password_or_a_taken_email_creates_nobody(run: Run):
    weak = run("create-user", "--name", "Ada", "--email", "ada@example.com", "--password-stdin", stdin="short\n")
    assert (weak.code, "too weak" in weak.complained) == (1, True)
    create_user(run)
    taken = create_user(run, email="ADA@example.com")
    assert (taken.code, "already" in taken.complained) == (1, True)


def test_a_person_without_the_permission_is_refused_here_too(run: Run, tmp_path: Path):
    create_user(run)
    create_user(run, "--preset", "Reporting manager", "--account", "simulator", email="rita@example.com")
    answer = import_list(run, tmp_path, contacts(1), "--as", "rita@example.com")
    assert (answer.code, "DistributionLists" in answer.complained) == (1, True)


def test_an_unknown_account_creates_nobody(run: Run):
    create_user(run)
    refused = create_user(run, "--account", "nowhere", email="rita@example.com")
    assert (refused.code, "no account called nowhere" in refused.complained) == (1, True)
    assert create_user(run, email="rita@example.com").code == 0


def test_preparing_prints_a_setup_token_until_there_is_somebody(run: Run, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HELIOGRAPH_PORT", str(probe.getsockname()[1]))
        busy = run("prepare")
    assert (busy.code, "cannot listen" in busy.complained) == (1, True)
    first, second = run("prepare"), run("prepare")
    # Only a digest is kept, so each start has another one.
    assert first.said != second.said
    assert "Setup token for the first visit: " in first.said
    create_user(run)
    assert "token" not in run("prepare").said


def test_a_setting_that_does_not_exist_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HELIOGRAPH_PROT", "8080")
    answer = run("show", "nothing")
    assert (answer.code, "HELIOGRAPH_PROT is not a setting" in answer.complained) == (1, True)


def test_help_lists_every_command():
    command = [sys.executable, "-m", "core", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in ("prepare", "create-user", "import-list", "launch", "show", "seed-demo", "smsc"):
        assert name in done.stdout


def test_the_history_is_maintained_and_what_was_done_is_printed(run: Run, tmp_path: Path):
    create_user(run)
    import_list(run, tmp_path, contacts(20))
    launch(run)
    done = run("history", "maintain", "--all")
    assert (done.code, done.complained) == (0, "")
    lines = done.said.splitlines()
    assert lines[0].split() == ["table", "files", "after", "MiB", "after"]
    assert {"messages", "contacts", "audience", "appended_batches"} <= {line.split()[0] for line in lines}
    assert "0 unneeded files deleted" in lines[-1]
    assert "0 steps" in run("history", "maintain").said


def test_only_who_may_see_the_audit_maintains_or_attaches(run: Run):
    create_user(run)
    create_user(run, "--preset", "Reporting manager", email="grace@example.com")
    for command in ("maintain", "attach"):
        refused = run("history", command, "--as", "grace@example.com")
        assert (refused.code, refused.said) == (1, "")


def test_the_attach_statements_are_those_of_this_installation(run: Run, tmp_path: Path):
    create_user(run)
    printed = run("history", "attach")
    assert (printed.code, printed.complained) == (0, "")
    assert str(tmp_path / "data" / "history" / "catalog.sqlite") in printed.said
    assert printed.said.count("READ_ONLY") == 1
    assert printed.said.endswith(";\n")


def open_booking(run: Run) -> None:
    """Add an HTTP account and let the first person work with it."""
    app = build_app(Settings.from_environment())
    now = datetime.now(UTC)
    account = Account("", "booking", "Booking", AccountType.HTTP, AccountStatus.ACTIVE, "", 100)
    opened = app.accounts.managing.open_account(account, [], now)
    app.accounts.managing.join(app.people.adding.get_viewer("").user_id, opened.account_id)
    app.close()


def import_traffic(run: Run, folder: Path, content: bytes, *options: str, account: str = "booking") -> Answer:
    file = folder / "cdr.csv"
    file.write_bytes(content)
    return run("history", "import", str(file), "--account", account, "--work", *options)


def test_outside_traffic_without_a_browser(run: Run, tmp_path: Path):
    create_user(run)
    open_booking(run)
    content = cdr.csv(cdr.line(0, "DELIVRD"), cdr.line(1), "x,y")
    first = import_traffic(run, tmp_path, content)
    assert (first.code, first.said) == (
        0,
        "cdr.csv: Completed, 3 rows read, 2 added, 0 updated, 0 unchanged, 0 repeated, 1 rejected.\n",
    )
    assert "Receiver = msisdn" in first.complained
    later = import_traffic(run, tmp_path, cdr.csv(cdr.line(0, "DELIVRD"), cdr.line(1, "UNDELIV")))
    assert "2 rows read, 0 added, 1 updated, 1 unchanged" in later.said
    assert run("history", "verify").code == 0


def test_what_a_file_does_not_tell_is_said_by_options_once(run: Run, tmp_path: Path):
    create_user(run)
    open_booking(run)
    content = b"when,who,what,price\n03/02/2025 09:15,491796000000,done,0.07\n"
    refused = import_traffic(run, tmp_path, content)
    assert (refused.code, refused.said) == (1, "")
    assert "No column is chosen for Sent Date, Receiver, Delivery Status" in refused.complained
    told = ("--column", "sent_date=when", "--column", "Receiver=who", "--column", "Delivery Status=what")
    assert "date format is not clear" in import_traffic(run, tmp_path, content, *told).complained
    told += ("--date-format", "DMY_SLASH", "--time-zone", "Europe/Berlin", "--status", "done=Delivered")
    assert "unit of the prices" in import_traffic(run, tmp_path, content, *told).complained
    assert "1 added" in import_traffic(run, tmp_path, content, *told, "--price-unit", "EUR").said
    assert "1 unchanged" in import_traffic(run, tmp_path, content).said


@pytest.mark.parametrize(
    ("options", "account", "words"),
    [
        ((), "nobody", "There is no account 'nobody'. ada@example.com may import for: booking."),
        ((), "simulator", "is of type Campaign"),
        (("--column", "Color=msisdn"), "booking", "There is no field 'Color'"),
        (("--column", "Receiver=nowhere"), "booking", "There is no column 'nowhere'"),
        (("--column", "Receiver"), "booking", "has no equals sign"),
        (("--status", "OK=Fine"), "booking", "There is no delivery status 'Fine'"),
        (("--time-zone", "Mars"), "booking", "There is no time zone 'Mars'"),
    ],
)
def test_wrong_options_of_an_import_are_explained(
    run: Run, tmp_path: Path, options: tuple[str, ...], account: str, words: str
):
    create_user(run)
    open_booking(run)
    answer = import_traffic(run, tmp_path, cdr.records(2), *options, account=account)
    assert (answer.code, answer.said) == (1, "")
    assert words in answer.complained
    assert list((tmp_path / "data" / "uploads").glob("*")) == []
