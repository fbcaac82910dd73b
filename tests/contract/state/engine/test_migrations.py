"""Migrations yet to come: they must not cost a single row."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import bindparam, text

from core.domain.accounts.suppressions import EVERYWHERE, SuppressionSource
from core.domain.campaigns.campaigns import Source
from core.domain.gateways.gateways import GatewaySetup
from core.domain.messages.messages import LedgerState
from core.domain.messages.replies import Keyword
from core.domain.reports.audit import Action, Subject
from core.domain.times.periods import Period
from core.errors import ConfigurationError
from core.services.upkeep.forgetting.contacts import UNKNOWN_BEFORE
from core.state.accounts import accounts, gateways
from core.state.accounts.gateways import Sealed
from core.state.campaigns import campaigns, ledger, replies
from core.state.campaigns.ledger import Batch, Claim, Outcome
from core.state.campaigns.replies import HeardReply
from core.state.engine.store import MIGRATIONS, State
from core.state.people import users
from core.state.reports import audit
from core.state.reports import replies as reading
from core.state.reports.replies import ReplyQuery
from core.state.suppressions import changes, listing
from core.state.suppressions.listing import SuppressionQuery
from core.state.suppressions.suppressions import add_suppressions
from core.state.tables.base import UtcDateTime
from core.state.upkeep import installation
from tests.support.application.factories import (
    NOW,
    make_account,
    make_campaign,
    make_origin,
    make_reply,
    make_user,
    make_viewer,
)

# SQLite cannot change a column: Alembic makes a new table, copies the rows and drops the old one.
REBUILD = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"
branch_labels = depends_on = None


def upgrade():
    for table in ("users", "accounts"):
        with op.batch_alter_table(table, recreate="auto") as batch:
            batch.alter_column("name", type_=sa.String(120), existing_type=sa.String(100), existing_nullable=False)
    {then}
"""


def add_migration(folder: Path, monkeypatch: pytest.MonkeyPatch, then: str = "pass") -> None:
    """Let the store find one migration more than there is, which changes tables that others refer to."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    head = max(path.name for path in (folder / "versions").glob("*.py"))[:4]
    (folder / "versions" / "9999_rebuild.py").write_text(REBUILD.format(head=head, then=then))
    monkeypatch.setattr("core.state.engine.store.MIGRATIONS", folder)


@pytest.fixture
def peopled(state: State) -> State:
    with state.write() as session:
        users.add_user(session, make_user(), NOW)
        accounts.add_account(session, make_account(), NOW)
        users.add_membership(session, "user-1", "account-1")
    return state


def account_ids(state: State) -> frozenset[str]:
    with state.read() as session:
        viewer = users.find_viewer(session, "user-1")
    assert viewer is not None
    return viewer.account_ids


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(
    peopled: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    add_migration(tmp_path / "migrations", monkeypatch)
    peopled.migrate()
    assert account_ids(peopled) == {"account-1"}


def test_a_migration_that_fails_has_changed_nothing(peopled: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        add_migration(tmp_path / "broken", patch, then="raise RuntimeError")
        with pytest.raises(RuntimeError):
            peopled.migrate()
    assert account_ids(peopled) == {"account-1"}
    add_migration(tmp_path / "mended", monkeypatch)
    peopled.migrate()
    assert account_ids(peopled) == {"account-1"}


@pytest.mark.parametrize("is_new", [False, True])
def test_an_earlier_version_s_tests_and_leftovers_are_found(peopled: State, *, is_new: bool):
    with peopled.write() as session:
        for number, name in enumerate(("Test of Spring", "Quick Send 1")):
            found = make_campaign(campaign_id=f"campaign-{number}", name=name, source=Source.QUICK_SEND)
            campaigns.add_campaign(session, found)
        if not is_new:
            audit.record(session, make_viewer(), Action.SIGNED_IN, Subject("user", "user-1", "Ada"), NOW)
    downgrade(peopled, "0009")
    peopled.migrate()
    with peopled.read() as session:
        found = [campaigns.get_campaign(session, f"campaign-{number}").is_test for number in range(2)]
        unknown = installation.find_setting(session, UNKNOWN_BEFORE)
    assert found == [True, False]
    assert unknown == (None if is_new else NOW.isoformat())


def downgrade(state: State, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = state._writing
    command.downgrade(config, to)


def test_credentials_of_an_account_are_not_lost_by_an_upgrade(peopled: State):
    downgrade(peopled, "0011")
    with peopled.write() as session:
        session.execute(text("UPDATE accounts SET credentials = 'gAAAAA'"))
    with pytest.raises(ConfigurationError, match="marketing") as caught:
        peopled.migrate()
    assert "earlier version" in caught.value.hint
    with peopled.write() as session:
        assert session.execute(text("SELECT credentials FROM accounts")).scalar_one() == "gAAAAA"
        session.execute(text("UPDATE accounts SET credentials = ''"))
    peopled.migrate()
    with peopled.read() as session:
        assert accounts.get_account(session, "account-1") == make_account()
        assert gateways.list_versions(session) == {"simulator": 1}


def test_gateways_of_the_generic_kind_stay_what_they_are(peopled: State):
    with peopled.write() as session:
        gateways.add_gateway(
            session, GatewaySetup("Oslo", "generic", {"url": "https://sms.example.com"}), Sealed(), NOW
        )
    downgrade(peopled, "0023")
    with peopled.read() as session:
        assert session.execute(text("SELECT kind FROM gateways WHERE name = 'Oslo'")).scalar_one() == "http"
    peopled.migrate()
    with peopled.read() as session:
        found = gateways.get_gateway(session, "Oslo").setup
    assert (found.kind, found.settings) == ("generic", {"url": "https://sms.example.com"})


def test_replies_of_an_earlier_version_are_counted_by_when_they_came(peopled: State):
    with peopled.write() as session:
        for number in range(3):
            said = make_reply(gateway="Berlin", received_at=NOW - timedelta(days=number), reference=str(number))
            replies.add_replies(session, [HeardReply(said, "+491796000001", Keyword.NONE, ("account-1",))], NOW)
    downgrade(peopled, "0024")
    peopled.migrate()
    mine = frozenset({"account-1"})
    with peopled.read() as session:
        found = [
            reading.count_replies(session, ReplyQuery(mine, Period(NOW - timedelta(days=days), NOW)))
            for days in (0, 1, 2, 3)
        ]
    assert found == [0, 1, 2, 2]


def test_messages_under_way_left_by_the_only_gateway_there_was(peopled: State):
    with peopled.write() as session:
        batch = Batch("campaign-1-1", "campaign-1", 1, 1)
        ledger.claim(session, batch, [Claim("message-1", "+491796000000", "Berlin")], NOW)
        ledger.record_outcomes(session, [Outcome("message-1", LedgerState.SENT, NOW)])
    downgrade(peopled, "0011")
    peopled.migrate()
    with peopled.read() as session:
        (found,) = ledger.list_recorded(session, "campaign-1-1")
    assert found.gateway == "simulator"


def test_suppressions_of_an_earlier_version_say_whose_wish_they_are(peopled: State):
    later = NOW + timedelta(hours=1)
    downgrade(peopled, "0027")
    before = [
        {"msisdn": "+491796000001", "reason": "STOP reply", "at": NOW, "by": "reply"},
        {"msisdn": "+491796000002", "reason": "fraud", "at": NOW, "by": "Ada"},
        {"msisdn": "+491796000003", "reason": "STOP reply", "at": later, "by": "reply"},
    ]
    adding = text(
        "INSERT INTO suppressions (account_id, msisdn, reason, created_at, created_by) "
        "VALUES ('account-1', :msisdn, :reason, :at, :by)"
    ).bindparams(bindparam("at", type_=UtcDateTime()))
    with peopled.write() as session:
        session.execute(adding, before)
    peopled.migrate()

    def seen() -> list[tuple[str, SuppressionSource, str, str, datetime]]:
        with peopled.read() as session:
            (scope,) = changes.find_scopes(session, ["account-1"])
            query = SuppressionQuery({scope.scope_no: scope.account_id})
            found = listing.page_suppressions(session, query, 9, 0)
            assert listing.count_suppressions(session, query) == len(found)
            # Whoever holds a copy learns that there are some.
            assert scope.change_no
            assert changes.find_token(session, scope.scope_no, scope.change_no)
        return [
            (each.key.msisdn, each.origin.source, each.origin.reason, each.origin.created_by, each.origin.created_at)
            for each in found
        ]

    expected = [
        ("+491796000003", SuppressionSource.STOP, "", "reply", later),
        ("+491796000002", SuppressionSource.PERSON, "fraud", "Ada", NOW),
        ("+491796000001", SuppressionSource.STOP, "", "reply", NOW),
    ]
    assert sorted(seen()) == sorted(expected)
    assert seen()[0] == expected[0]
    with peopled.write() as session:
        # Everybody's are there for the first one to add some.
        assert add_suppressions(session, EVERYWHERE, ["+491796000002"], make_origin()) == 1
    downgrade(peopled, "0027")
    peopled.migrate()
    assert sorted(seen()) == sorted(expected)
