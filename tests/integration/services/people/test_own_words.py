"""Wherever a password is set, the person's own name and email are none."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import cli
from core.bootstrap import App, build_app
from core.config import Settings
from core.errors import InvalidInput
from core.services.people.adding_people import NewPerson
from core.services.people.following_links import Acceptance
from core.services.people.inviting import Invitation
from core.services.people.own_account import NewPassword
from core.services.people.signing_in import SetUp
from core.state.people.sessions import Browser

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
NAME, EMAIL = "Ada Lovelace", "countess@engine.example"
OWN = ("AdaLovelace-1", "4d4_L0v3lac3!A", "Countess@engine.example1")
GOOD = "Copper-kettle-19"
HERE = Browser("192.0.2.1")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = build_app(Settings(data_dir=tmp_path))
    app.state.migrate()
    yield app
    app.close()


def token_of(app: App) -> str:
    mail = max(app.settings.outbox_dir.glob("*.eml")).read_text().replace("=\n", "").replace("=3D", "=")
    return mail.partition("token=")[2].split()[0]


def set_up(app: App) -> Callable[[str], object]:
    token = app.people.signing_in.new_setup_token()
    return lambda password: app.people.signing_in.set_up(SetUp(token, NAME, EMAIL, password), HERE, NOW)


def invited(app: App) -> Callable[[str], object]:
    admin = app.people.adding.add(NewPerson("Boss", "boss@example.org", GOOD), NOW)
    app.people.inviting.invite(admin, Invitation(NAME, EMAIL, admin.permissions), NOW)
    token = token_of(app)
    return lambda password: app.people.links.accept(Acceptance(token, NAME, password), HERE, NOW)


def reset(app: App) -> Callable[[str], object]:
    app.people.adding.add(NewPerson(NAME, EMAIL, GOOD), NOW)
    app.people.resetting.deliver(EMAIL, HERE.address, NOW)
    token = token_of(app)
    return lambda password: app.people.resetting.use(token, password, HERE.address, NOW)


def changed(app: App) -> Callable[[str], object]:
    ada = app.people.adding.add(NewPerson(NAME, EMAIL, "Silver-kettle-20"), NOW)
    change = app.people.own_account.change_password
    return lambda password: change(ada, NewPassword("Silver-kettle-20", password, password), "", NOW)


def added(app: App) -> Callable[[str], object]:
    return lambda password: app.people.adding.add(NewPerson(NAME, EMAIL, password), NOW)


@pytest.mark.parametrize("way", [set_up, invited, reset, changed, added])
def test_no_way_in_takes_them(app: App, way: Callable[[App], Callable[[str], object]]) -> None:
    choose = way(app)
    for password in OWN:
        with pytest.raises(InvalidInput) as caught:
            choose(password)
        assert caught.value.field == "password"
    choose(GOOD)
    assert app.people.signing_in.sign_in(EMAIL, GOOD, HERE, NOW)


def test_nor_does_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path))
    command = ["create-user", "--name", NAME, "--email", EMAIL, "--password-stdin"]
    for password, code in [(OWN[0], 1), (GOOD, 0)]:
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        assert cli.main(command) == code
    assert "first that an attacker would try" in capsys.readouterr().err


def test_a_longer_password_than_any_is_nobodys(app: App) -> None:
    longest = "Copper-kettle-19" * 12 + "Copper-k"
    app.people.adding.add(NewPerson(NAME, EMAIL, longest), NOW)
    assert len(longest) == 200
    assert app.people.signing_in.passwords.verify(app.people.signing_in.passwords.hash(longest), longest)
    assert not app.people.signing_in.passwords.verify(app.people.signing_in.passwords.hash(longest), longest + "x")
