import csv
import io
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.bootstrap import App, build_app
from core.config import Settings
from core.demo import replies as demo_replies
from core.demo import seeding
from core.demo.company import CAMPAIGNS
from core.demo.receipts import receipt_table
from core.demo.seeding import DemoSummary
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.gateways.sights import Standing
from core.domain.imports.lists import DistributionList
from core.domain.messages.receipts import Effect
from core.domain.numbering import get_destination
from core.domain.numbering.msisdn import parse_msisdn
from core.domain.people.people import UserStatus
from core.domain.people.permissions import PRESETS, Viewer, preset_of
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.paging import PageRequest
from core.domain.reports.replies import ReplyFilter, ShownReply
from core.domain.reports.statistics import GroupBy
from core.domain.texts.placeholders import parse_template, render
from core.domain.texts.segments import measure
from core.domain.times.periods import Period
from core.errors import Forbidden, StorageError, WrongCredentials
from core.services.people.adding_people import NewPerson
from core.services.reports.reporting import StatisticsRequest
from core.state.people.sessions import Browser
from core.state.upkeep import installation
from tests.support.fakes.clock import NOW, StoppedClock
from tests.support.processes.live_server import REPOSITORY
from tests.support.stores.messages import make_message, message_table

COUNT = 3_000
EVERYTHING = Period(NOW - timedelta(days=200), NOW + timedelta(days=200))
ALL = PageRequest(size=100)
Builder = Callable[[str], App]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Builder]:
    built: list[App] = []

    def build(name: str) -> App:
        # Receipts of what is sent here come at once.
        settings = Settings(data_dir=tmp_path / name, duckdb_memory_mib=512, simulator_speed=1e9)
        app = build_app(settings)
        app.state.migrate()
        built.append(app)
        return app

    yield build
    for app in built:
        app.close()


@pytest.fixture
def app(build: Builder) -> App:
    return build("data")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Viewer, DemoSummary]]:
    """A company for those who only look at it, who may see it, and what its seeding said."""
    app = build_app(Settings(data_dir=tmp_path_factory.mktemp("company"), duckdb_memory_mib=512))
    app.state.migrate()
    person = add_person(app)
    summary = app.demo.seed(person.user_id, NOW, message_count=COUNT)
    yield app, app.people.adding.get_viewer(person.email), summary
    app.close()


def add_person(app: App, email: str = "demo@example.com") -> Viewer:
    return app.people.adding.add(NewPerson("Demo Person", email, "Mirror-on-the-hill-1"), NOW)


def seeded(app: App, now: datetime = NOW) -> Viewer:
    person = add_person(app)
    app.demo.seed(person.user_id, now, message_count=COUNT)
    return app.people.adding.get_viewer(person.email)


def campaigns_of(app: App, viewer: Viewer) -> list[Campaign]:
    return list(app.campaigns.composing.page(viewer, ALL).items)


def lists_of(app: App, viewer: Viewer) -> dict[str, DistributionList]:
    return {item.list_id: item for item in app.lists.page(viewer, ALL).items}


def query(app: App, sql: str, **values: object) -> pa.Table:
    with app.lake.read() as cursor:
        return cursor.execute(sql, values).to_arrow_table()


def everything(app: App) -> list[pa.Table]:
    tables = {
        "messages": "message_id",
        "receipts": "message_id, receipt_no",
        "contacts": "list_id, row_no",
        "unsent": "campaign_id, msisdn",
        "appended_batches": "batch_id",
    }
    return [query(app, f"SELECT * FROM lake.{name} ORDER BY {order}") for name, order in tables.items()]


def check_sums(app: App, viewer: Viewer) -> int:
    """Check that everything that counts messages agrees; return how many there are."""
    by_campaign: Counter[str] = Counter()
    for campaign_id, count in zip(
        *query(app, "SELECT campaign_id, count(*) FROM lake.messages GROUP BY ALL").to_pydict().values(), strict=True
    ):
        by_campaign[campaign_id] = count
    for campaign in campaigns_of(app, viewer):
        found = app.reports.reporting.reconciliation(viewer, campaign.campaign_id)
        unsent = query(app, "SELECT outcome, reason FROM lake.unsent WHERE campaign_id = $id", id=campaign.campaign_id)
        assert found.balances
        assert found.sent_count == by_campaign.pop(campaign.campaign_id, 0)
        assert Counter(unsent["reason"].to_pylist()) == found.failed
    outside_count = by_campaign.pop("", 0)
    assert not by_campaign, "messages of a campaign that nobody sees"
    total = app.reports.reporting.messages(viewer, MessageQuery(viewer.account_ids, EVERYTHING), 1, 10).total
    sent_count = sum(
        app.reports.reporting.reconciliation(viewer, c.campaign_id).sent_count for c in campaigns_of(app, viewer)
    )
    groups = (GroupBy.ACCOUNT, GroupBy.COUNTRY, GroupBy.DAY)
    statistics = app.reports.reporting.statistics(viewer, StatisticsRequest(EVERYTHING, groups, size=1_000_000)).table
    traffic = app.reports.reporting.traffic(viewer, EVERYTHING)
    assert total == sent_count + outside_count == traffic.total == sum(statistics["sent"].to_pylist())
    assert traffic.cost_eur_cents == sum(statistics["cost_eur_cents"].to_pylist())
    return total


def test_all_that_counts_messages_agrees(company: tuple[App, Viewer, DemoSummary]) -> None:
    app, viewer, summary = company
    assert check_sums(app, viewer) == summary.message_count == pytest.approx(COUNT, rel=0.01)
    assert summary.campaign_count == len(campaigns_of(app, viewer)) == len(CAMPAIGNS) + 1
    assert summary.list_count == len(lists_of(app, viewer))


def test_the_history_reaches_back_ninety_days_and_never_past_now(company: tuple[App, Viewer, DemoSummary]) -> None:
    app, *_ = company
    first, last, last_receipt = (
        query(app, "SELECT min(sent_at), max(sent_at), max(delivered_at) FROM lake.messages").to_pylist()[0].values()
    )
    assert NOW - timedelta(days=90) <= first.replace(tzinfo=UTC) < NOW - timedelta(days=88)
    assert NOW - timedelta(hours=6) < last.replace(tzinfo=UTC) <= NOW
    assert last_receipt.replace(tzinfo=UTC) <= NOW


def test_receipts_say_how_every_message_ended(company: tuple[App, Viewer, DemoSummary]) -> None:
    app, viewer, _ = company
    rows = query(app, "SELECT message_id::VARCHAR AS message_id, delivery_status FROM lake.messages").to_pylist()
    receipts = query(app, "FROM lake.receipts")
    effects: set[Effect] = set()
    for row in rows[:: COUNT // 60]:
        trace = app.reports.tracing.get(viewer, row["message_id"])
        assert trace.is_explained
        assert all(came.receipt.done_at <= came.received_at <= NOW for came in trace.receipts)
        effects |= {came.effect for came in trace.receipts}
    assert effects >= {Effect.CHANGED, Effect.ON_THE_WAY}
    ended = [row for row in rows if row["delivery_status"] != "Submitted"]
    assert len(ended) < receipts.num_rows < len(ended) * 1.15


def test_messages_without_an_end_have_no_receipts() -> None:
    messages = message_table(make_message())
    assert receipt_table(np.random.default_rng(1), messages, NOW).num_rows == 0


def test_the_same_seed_and_moment_make_the_same_rows(build: Builder) -> None:
    one, other = build("one"), build("other")
    seeded(one)
    seeded(other)
    assert everything(one) == everything(other)


def test_messages_cost_and_measure_what_their_texts_do(company: tuple[App, Viewer, DemoSummary]) -> None:
    app, viewer, _ = company
    (campaign,) = [item for item in campaigns_of(app, viewer) if item.name == "Schedule change"]
    columns = lists_of(app, viewer)[campaign.list_ids[0]].columns
    rows = query(
        app,
        "SELECT m.*, c.fields FROM lake.messages m JOIN lake.contacts c ON c.msisdn = m.receiver"
        " WHERE m.campaign_id = $campaign_id AND c.list_id = $list_id",
        campaign_id=campaign.campaign_id,
        list_id=campaign.list_ids[0],
    ).to_pylist()
    with app.state.read() as session:
        prices = {
            (price.country, price.mccmnc): price.price_eur_cents
            for price in seeding.accounts.list_prices(session, campaign.account_id)
        }
    assert {row["unicode"] for row in rows} == {True, False}
    for row in rows:
        values = dict(zip(columns, row["fields"], strict=True))
        text = measure(render(parse_template(campaign.message, campaign.placeholders), values))
        assert (row["unicode"], row["segment_count"]) == (text.encoding == "ucs2", text.segment_count)
        assert row["price_eur_cents"] == prices[row["country"], row["mccmnc"]] * text.segment_count


def test_numbers_are_valid_and_lead_where_it_says(company: tuple[App, Viewer, DemoSummary]) -> None:
    app, *_ = company
    places = query(
        app,
        "SELECT DISTINCT msisdn, country, network, mccmnc FROM lake.contacts"
        " UNION SELECT receiver, country, network, mccmnc FROM lake.messages",
    ).to_pylist()
    for place in places:
        found = get_destination(parse_msisdn(place["msisdn"]))
        assert place == {
            "msisdn": found.msisdn,
            "country": found.country,
            "network": found.network,
            "mccmnc": found.mccmnc,
        }


def test_lists_hold_what_they_count_and_keep_what_they_left_out(company: tuple[App, Viewer, DemoSummary]) -> None:
    app, viewer, _ = company
    for item in lists_of(app, viewer).values():
        counted = query(
            app, "SELECT count(*), count(DISTINCT msisdn) FROM lake.contacts WHERE list_id = $id", id=item.list_id
        )
        assert set(counted.to_pylist()[0].values()) == {item.entry_count}
        left_out = app.lists.rejected_csv(viewer, item.list_id).decode("utf-8-sig")
        assert len(list(csv.DictReader(io.StringIO(left_out)))) == item.duplicate_count
        assert item.read_count == item.entry_count + item.duplicate_count


def test_the_draft_can_be_launched(app: App) -> None:
    viewer = seeded(app)
    (draft,) = [item for item in campaigns_of(app, viewer) if item.status is CampaignStatus.INACTIVE]
    clock = StoppedClock()
    app.campaigns.launching.launch(viewer, draft.campaign_id, clock())

    def ticking() -> datetime:
        """Let time go by with each look: nothing leaves at a moment that never comes."""
        clock.advance(milliseconds=20)
        return clock()

    app.work.run_until_idle(ticking)
    assert app.campaigns.composing.get(viewer, draft.campaign_id).status is CampaignStatus.COMPLETED
    check_sums(app, viewer)


def test_the_gateway_that_took_the_campaigns_is_known_to_work(app: App) -> None:
    assert app.accounts.watching.list_standings(seeded(app), NOW) == {"simulator": Standing.WORKING}


def test_the_company_has_people_and_none_of_them_can_come_in(app: App) -> None:
    viewer = seeded(app)
    found = {person.name: person for person in app.people.managing.page(viewer, ALL).items}
    assert {person.status for person in found.values()} == set(UserStatus)
    assert {preset_of(person.permissions) for person in found.values()} == PRESETS.keys()
    assert len(found["Tom Becker"].account_ids) == 1
    for password in ("", "Mirror-on-the-hill-1"):
        with pytest.raises(WrongCredentials):
            app.people.signing_in.sign_in(found["Mira Novak"].email, password, Browser("192.0.2.1"), NOW)


def test_only_who_manages_accounts_may_ask_for_the_company(app: App) -> None:
    campaign_manager = app.people.adding.add(
        NewPerson("Campaign Manager", "manager@example.com", "Mirror-on-the-hill-1", "Campaign manager"), NOW
    )
    with pytest.raises(Forbidden, match="TrafficAccounts"):
        app.demo.request(campaign_manager, NOW)
    assert app.demo.list_waiting(NOW) == []


def test_a_second_request_only_lets_another_person_in(app: App) -> None:
    viewer = seeded(app)
    before = everything(app)
    second = add_person(app, "second@example.com")
    app.demo.request(second, NOW)
    app.demo.request(second, NOW)
    clock = StoppedClock(NOW + timedelta(days=1))
    assert app.demo.list_waiting(clock()) == [second.user_id]
    app.demo.run(second.user_id, clock)
    app.demo.run(second.user_id, clock)
    assert app.demo.list_waiting(clock()) == []
    assert everything(app) == before
    assert app.people.adding.get_viewer("second@example.com").account_ids < viewer.account_ids


def test_a_request_under_way_is_left_to_whoever_has_it(app: App) -> None:
    person = add_person(app)
    app.demo.request(person, NOW)
    with app.state.write() as session:
        installation.lease_demo(session, person.user_id, "another", NOW, NOW + timedelta(seconds=15))
    app.demo.run(person.user_id, StoppedClock())
    assert query(app, "FROM lake.messages").num_rows == 0


KILLED = """
import os, signal, sys
from datetime import datetime
from core.cli import build_app
from core.config import Settings
from core.history.messages.message_store import MessageStore

append, left = MessageStore.append_batch, [4]

def append_or_die(*arguments, **named):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return append(*arguments, **named)

MessageStore.append_batch = append_or_die
app = build_app(Settings.from_environment())
app.demo.seed(sys.argv[1], datetime.fromisoformat(sys.argv[2]), message_count=int(sys.argv[3]))
"""


def test_a_killed_seeding_shows_nothing_and_is_finished_by_the_next(app: App, build: Builder) -> None:
    person = add_person(app)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, person.user_id, NOW.isoformat(), str(COUNT)],
        cwd=REPOSITORY,
        env={"HELIOGRAPH_DATA_DIR": str(app.settings.data_dir)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert query(app, "FROM lake.messages").num_rows > 0
    viewer = app.people.adding.get_viewer(person.email)
    assert campaigns_of(app, viewer) == []
    assert lists_of(app, viewer) == {}
    assert app.reports.reporting.traffic(viewer, EVERYTHING).total == 0
    # Whoever comes next may ask for something else: what was begun is what gets finished.
    app.demo.seed(person.user_id, NOW + timedelta(hours=5), message_count=2 * COUNT, days=30)
    check_sums(app, app.people.adding.get_viewer(person.email))
    undisturbed = build("undisturbed")
    seeded(undisturbed)
    assert everything(app) == everything(undisturbed)


def count_outside(app: App, start: datetime, end: datetime) -> int:
    sql = "SELECT count(*) AS sent FROM lake.messages WHERE campaign_id = '' AND sent_at > $start AND sent_at <= $end"
    return int(query(app, sql, start=start.replace(tzinfo=None), end=end.replace(tzinfo=None))["sent"][0].as_py())


def test_catching_up_goes_on_as_before(app: App) -> None:
    viewer = seeded(app)
    later = NOW + timedelta(weeks=4)
    assert count_outside(app, NOW, later) == 0
    app.demo.catch_up(later)
    summary = app.demo.catch_up(later)
    assert summary is not None
    assert check_sums(app, viewer) == summary.message_count
    before, after = count_outside(app, NOW - timedelta(weeks=4), NOW), count_outside(app, NOW, later)
    assert before / 2 < after < before * 2
    assert count_outside(app, later - timedelta(days=1), later) > 0
    assert count_outside(app, later, later + timedelta(days=1)) == 0


def test_catching_up_that_failed_is_finished_with_the_same_messages(
    app: App, build: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = seeded(app)
    later = NOW + timedelta(days=2)
    append = app.demo._append
    with monkeypatch.context() as patch:

        def append_and_fail(*arguments: object) -> None:
            append(*arguments)
            raise StorageError("The lake went away after the commit.")

        patch.setattr(app.demo, "_append", append_and_fail)
        with pytest.raises(StorageError):
            app.demo.catch_up(later)
    assert app.demo.catch_up(later + timedelta(hours=3)) is not None
    check_sums(app, viewer)
    undisturbed = build("undisturbed")
    seeded(undisturbed)
    undisturbed.demo.catch_up(later)
    undisturbed.demo.catch_up(later + timedelta(hours=3))
    assert everything(app) == everything(undisturbed)


def test_there_is_nothing_to_catch_up_without_a_demo_company(app: App) -> None:
    assert app.demo.catch_up(NOW) is None


def answers_of(app: App, viewer: Viewer) -> tuple[ShownReply, ...]:
    found = app.reports.replies.page(viewer, ReplyFilter(EVERYTHING), 1, 1_000)
    assert found.total == len(found.items) > 40
    return found.items


def test_people_answer_the_same_in_every_installation(build: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_replies, "REPLY_RATE", 0.06)
    first, second = (
        [(each.sender, each.text, each.received_at) for each in answers_of(app, seeded(app))]
        for app in (build("first"), build("second"))
    )
    assert first == second
    assert {"STOP", "Thank you!"} <= {text for _, text, _ in first}


def test_answers_lead_to_messages_and_whoever_said_stop_is_left_alone(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_replies, "REPLY_RATE", 0.06)
    viewer = seeded(app)
    assert app.sending.linking.link(lambda: NOW).linked_count > 40
    found = answers_of(app, viewer)
    assert all(each.campaign and each.message_id for each in found)
    stops = [each for each in found if each.asks_for == "STOP"]
    assert stops
    for stop in stops:
        later = MessageQuery(frozenset(), Period(stop.received_at, EVERYTHING.end), receiver=stop.sender)
        assert not app.reports.reporting.messages(viewer, later, 1, 10).table.num_rows
