"""Credentials: only gateways read them, and nothing of them is where it should not be."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core import cli
from core.bootstrap import build_app
from core.config import Settings
from core.domain.accounts.accounts import AccountType
from core.domain.reports.audit import Action, AuditFilter
from core.errors import ConfigurationError, InvalidInput
from core.gateways import registry
from core.services.accounts.encryption import make_key
from core.services.accounts.managing_accounts import AccountSettings, NewAccount
from tests.support.application.house import House, make_house

KEY = make_key()
USER, SECRET = "system-id-4711", "hunter2-Geheimnis"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, secret_key=KEY)
    yield made
    made.app.close()


def set_them(house: House, user: str = USER, secret: str = SECRET) -> None:
    house.app.accounts.credentials.set(house.viewer, house.account.account_id, user, secret, house.now)


def with_keys(house: House, keys: str) -> House:
    """Start the application again with other keys."""
    house.app.close()
    return make_again(house.app.settings.data_dir, keys)


def make_again(data_dir: Path, keys: str) -> House:
    app = build_app(Settings(data_dir=data_dir, secret_key=keys, duckdb_memory_mib=512))
    return House(app, app.people.adding.get_viewer())


def test_gateways_find_what_was_set(house: House) -> None:
    assert house.account.credentials_at is None
    assert house.app.accounts.credentials.find(house.account.account_id) is None
    set_them(house)
    assert house.account.credentials_at == house.now
    found = house.app.accounts.credentials.find(house.account.account_id)
    assert (found.user, found.secret) == (USER, SECRET)
    assert house.app.accounts.credentials.find("no-such-account") is None


def test_a_gateway_gets_them_when_it_asks_and_not_before(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, simulator = [], house.simulator

    def build(settings: object, find: object) -> object:
        asked.append(find)
        return simulator

    monkeypatch.setitem(registry.KINDS, "provider", registry.GatewayKind(build))
    set_them(house)
    assert house.app.accounts.gateways.needs_credentials("provider")
    assert not house.app.accounts.gateways.needs_credentials("simulator")
    house.app.accounts.gateways.get("provider")
    assert asked[0](house.account.account_id).secret == SECRET


def test_nothing_of_them_is_in_files_logs_audit_or_words(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    set_them(house)
    found = house.app.accounts.credentials.find(house.account.account_id)
    house.app.accounts.managing.rename(house.viewer, house.account.account_id, "Renamed", house.now)
    entries = house.app.reports.auditing.page(house.viewer, AuditFilter(action=Action.CREDENTIALS_CHANGED), 1, 10).items
    assert entries[0].details == {"credentials": "set"}
    shown = [repr(found), repr(house.account), repr(house.app.settings), repr(entries), caplog.text]
    house.app.close()
    files = [path for path in house.app.settings.data_dir.rglob("*") if path.is_file()]
    assert any(path.name == "state.sqlite" for path in files)
    for secret in (USER, SECRET, KEY):
        assert not [path for path in files if secret.encode() in path.read_bytes()]
        assert not [words for words in shown if secret in words]


def test_rotation_keeps_them_readable_all_the_way(house: House, capsys, monkeypatch, tmp_path: Path) -> None:
    set_them(house)
    new = make_key()
    house = with_keys(house, f"{new},{KEY}")
    assert house.app.accounts.credentials.find(house.account.account_id).secret == SECRET
    house.app.close()
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", f"{new},{KEY}")
    handlers = logging.getLogger().handlers[:]
    try:
        assert cli.main(["rotate-key"]) == 0
    finally:
        logging.getLogger().handlers = handlers
    assert "1 account with" in capsys.readouterr().out
    house = make_again(tmp_path, new)
    assert house.app.accounts.credentials.find(house.account.account_id).secret == SECRET
    house = with_keys(house, KEY)
    with pytest.raises(ConfigurationError):
        house.app.accounts.credentials.find(house.account.account_id)
    house.app.close()


def test_rotating_is_all_or_nothing(house: House) -> None:
    set_them(house)
    account_id = house.account.account_id
    house = with_keys(house, make_key())
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        house.app.accounts.credentials.reseal()
    house = with_keys(house, KEY)
    assert house.app.accounts.credentials.find(account_id).secret == SECRET
    house.app.close()


def test_those_of_another_account_do_not_open(house: House) -> None:
    set_them(house)
    settings = AccountSettings("simulator", 10)
    other = house.app.accounts.managing.create(
        house.viewer, NewAccount("other", "Other", AccountType.CAMPAIGN, settings), house.now
    )
    with house.app.state.write() as session:
        session.execute(text("UPDATE accounts SET credentials = (SELECT max(credentials) FROM accounts)"))
    with pytest.raises(ConfigurationError, match="another account"):
        house.app.accounts.credentials.find(other.account_id)


def test_tampered_ones_do_not_open(house: House) -> None:
    set_them(house)
    with house.app.state.write() as session:
        session.execute(text("UPDATE accounts SET credentials = replace(credentials, 'gAAAAA', 'gAAAAB')"))
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        house.app.accounts.credentials.find(house.account.account_id)


def test_they_can_be_deleted(house: House) -> None:
    set_them(house)
    house.app.accounts.credentials.forget(house.viewer, house.account.account_id, house.now)
    assert house.app.accounts.credentials.find(house.account.account_id) is None
    assert house.account.credentials_at is None


@pytest.mark.parametrize(
    ("user", "secret", "field"),
    [("", SECRET, "user"), (USER, " ", "secret"), (USER, "two\nlines", "secret"), ("x" * 501, SECRET, "user")],
)
def test_what_cannot_be_used_is_refused_without_being_repeated(
    house: House, user: str, secret: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        set_them(house, user, secret)
    assert caught.value.field == field
    assert "lines" not in caught.value.message
    assert house.account.credentials_at is None


def test_without_a_key_none_can_be_set(tmp_path: Path) -> None:
    house = make_house(tmp_path / "keyless")
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_SECRET_KEY"):
        house.app.accounts.credentials.check_key(house.viewer)
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_SECRET_KEY"):
        set_them(house)
    house.app.close()


def test_a_malformed_key_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a key"):
        make_house(tmp_path / "malformed", secret_key="hunter2")


def test_make_key_needs_nothing_and_makes_what_can_be_used(capsys, monkeypatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", "not a key yet")
    assert cli.main(["make-key"]) == 0
    key = capsys.readouterr().out.strip()
    assert len(key) == 44
    assert key != make_key()
