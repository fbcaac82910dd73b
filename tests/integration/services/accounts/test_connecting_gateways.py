"""Secrets of gateways: only gateways read them, and nothing of them is where it should not be."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core import cli
from core.bootstrap import build_app
from core.config import Settings
from core.domain.reports.audit import Action, AuditFilter
from core.errors import ConfigurationError, InvalidInput, NotFound
from core.services.accounts.encryption import make_key
from core.services.accounts.setting_up_gateways import GatewayForm
from tests.support.application.house import House, make_house
from tests.support.fakes.fake_gateway import KIND, VALUES, FakeKind

KEY = make_key()
SECRET = VALUES["password"]


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> FakeKind:
    made = FakeKind()
    made.register(monkeypatch)
    return made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path, secret_key=KEY)
    yield made
    made.app.close()


def set_up(house: House, name: str = "Berlin", **values: object) -> None:
    form = GatewayForm(VALUES | values)
    house.app.accounts.setting_up.create(house.viewer, name, KIND, form, house.now)


def secret(house: House, name: str = "Berlin") -> str:
    return house.app.accounts.connecting.open_connection(name).secrets["password"]


def with_keys(house: House, keys: str) -> House:
    """Start the application again with other keys."""
    house.app.close()
    return make_again(house.app.settings.data_dir, keys)


def make_again(data_dir: Path, keys: str) -> House:
    app = build_app(Settings(data_dir=data_dir, secret_key=keys, duckdb_memory_mib=512))
    return House(app, app.people.adding.get_viewer())


def test_a_gateway_gets_what_was_set_up_when_it_is_built(house: House, kind: FakeKind) -> None:
    set_up(house, port=2776)
    assert kind.built == []
    connection = house.app.accounts.gateways.get("Berlin").gateway.connection
    assert (connection.name, connection.kind, connection.version) == ("Berlin", KIND, 1)
    assert connection.settings["port"] == 2776
    assert connection.secrets == {"password": SECRET}
    assert connection.callback_url == house.app.accounts.setting_up.get_callback_url(house.viewer, "Berlin")
    with pytest.raises(NotFound):
        house.app.accounts.connecting.open_connection("Munich")


def test_a_provider_is_known_by_the_token_of_its_address(house: House) -> None:
    set_up(house)
    set_up(house, "Munich")
    setting_up, callbacks = house.app.accounts.setting_up, house.app.sending.callbacks
    urls = {name: setting_up.get_callback_url(house.viewer, name) for name in ("Berlin", "Munich")}
    callbacks.look()
    for name, url in urls.items():
        address, _, token = url.rpartition("/")
        assert address == f"{house.app.settings.address}/callbacks"
        # 32 bytes.
        assert len(token) == 43
        assert callbacks.find(token).gateway == name
    for nobody in ("", "x" * 43, "\ud800", urls["Berlin"].rpartition("/")[2][:-1]):
        assert callbacks.find(nobody) is None
    assert setting_up.get_callback_url(house.viewer, "simulator") == ""


def test_nothing_of_them_is_in_files_logs_audit_or_words(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    set_up(house)
    setting_up = house.app.accounts.setting_up
    token = setting_up.get_callback_url(house.viewer, "Berlin").rpartition("/")[2]
    connection = house.app.accounts.connecting.open_connection("Berlin")
    form = GatewayForm(VALUES | {"signing_key": "another-secret"})
    setting_up.change(house.viewer, "Berlin", form, house.now)
    setting_up.test_connection(house.viewer, "Berlin", house.now)
    entries = house.app.reports.auditing.page(house.viewer, AuditFilter(text="Berlin"), 1, 10).items
    assert [entry.action for entry in entries] == [Action.GATEWAY_CHANGED, Action.GATEWAY_CREATED]
    assert entries[0].details == {"Password": "replaced", "Signing key": "set"}
    listed = setting_up.list_gateways(house.viewer)
    shown = [repr(each) for each in (connection, form, listed, entries, house.app.settings)] + [caplog.text]
    house.app.close()
    files = [path for path in house.app.settings.data_dir.rglob("*") if path.is_file()]
    assert any(path.name == "state.sqlite" for path in files)
    for hidden in (SECRET, "another-secret", token, KEY):
        assert not [path for path in files if hidden.encode() in path.read_bytes()]
        assert not [words for words in shown if hidden in words]


def test_rotation_keeps_them_readable_all_the_way(house: House, capsys, monkeypatch, tmp_path: Path) -> None:
    set_up(house)
    new = make_key()
    house = with_keys(house, f"{new},{KEY}")
    assert secret(house) == SECRET
    house.app.close()
    monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", f"{new},{KEY}")
    handlers = logging.getLogger().handlers[:]
    try:
        assert cli.main(["rotate-key"]) == 0
    finally:
        logging.getLogger().handlers = handlers
    assert "1 gateway with" in capsys.readouterr().out
    house = make_again(tmp_path, new)
    assert secret(house) == SECRET
    house = with_keys(house, KEY)
    with pytest.raises(ConfigurationError):
        secret(house)
    house.app.close()


def test_rotating_is_all_or_nothing(house: House) -> None:
    set_up(house)
    house = with_keys(house, make_key())
    set_up(house, "Munich")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        house.app.accounts.connecting.reseal()
    assert secret(house, "Munich") == SECRET
    house = with_keys(house, KEY)
    assert secret(house) == SECRET
    house.app.close()


def test_those_of_another_gateway_do_not_open(house: House) -> None:
    set_up(house)
    set_up(house, "Munich")
    with house.app.state.write() as session:
        sealed = session.execute(text("SELECT secrets FROM gateways WHERE name = 'Berlin'")).scalar_one()
        session.execute(text("UPDATE gateways SET secrets = :sealed"), {"sealed": sealed})
    assert secret(house) == SECRET
    with pytest.raises(ConfigurationError, match="another gateway"):
        secret(house, "Munich")


def test_tampered_ones_do_not_open(house: House) -> None:
    set_up(house)
    with house.app.state.write() as session:
        session.execute(text("UPDATE gateways SET secrets = replace(secrets, 'gAAAAA', 'gAAAAB')"))
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        secret(house)


def test_lost_ones_can_be_set_again(house: House) -> None:
    set_up(house)
    url = house.app.accounts.setting_up.get_callback_url(house.viewer, "Berlin")
    house = with_keys(house, make_key())
    setting_up = house.app.accounts.setting_up
    # Nobody knows what it was, so it has to be said.
    with pytest.raises(InvalidInput, match="Password is missing"):
        setting_up.change(house.viewer, "Berlin", GatewayForm({"host": "smpp.example.com"}), house.now)
    setting_up.change(house.viewer, "Berlin", GatewayForm(VALUES | {"password": "another"}), house.now)
    assert secret(house) == "another"
    assert setting_up.get_callback_url(house.viewer, "Berlin") not in {"", url}
    house.app.close()


def test_without_a_key_none_can_be_set(tmp_path: Path) -> None:
    house = make_house(tmp_path / "keyless")
    assert not house.app.accounts.setting_up.has_key
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_SECRET_KEY"):
        set_up(house)
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_SECRET_KEY"):
        house.app.accounts.setting_up.renew_callback(house.viewer, "simulator", house.now)
    house.app.close()


def test_without_the_key_nothing_can_be_changed_that_would_lose_them(house: House) -> None:
    set_up(house)
    house = with_keys(house, "")
    with pytest.raises(ConfigurationError, match="HELIOGRAPH_SECRET_KEY"):
        house.app.accounts.setting_up.change(house.viewer, "Berlin", GatewayForm({"host": "other"}), house.now)
    house = with_keys(house, KEY)
    assert secret(house) == SECRET
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
