"""Statistics of somebody who belongs to some accounts: his or hers, whatever else is in the rollups."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from core.domain.accounts.accounts import AccountType
from core.domain.numbering import country_name
from core.domain.people.permissions import PRESETS, Viewer
from core.domain.reports.exports import ExportFormat
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import NAMED, TIMES, GroupBy, Measure, NameFilter, Operator, Sorting
from core.domain.times.periods import Period
from core.history.messages.message_store import MessageStore
from core.services.accounts.managing_accounts import NewAccount
from core.services.people.adding_people import NewPerson
from core.services.reports.reporting import StatisticsRequest
from tests.support.application.house import PASSWORD, House, make_house
from tests.support.stores.messages import make_random_message, message_table, unsent_table

START, SPAN = datetime(2026, 2, 20, tzinfo=UTC), timedelta(days=10)
PERIOD = Period(START - timedelta(days=40), START + timedelta(days=40))
# An account's name and its display name; two display names are the same.
CALLED = {"shop-de": "The Shop", "shop-fr": "The Shop", "alerts": "Alerts", "old": "Old Ones", "others": "Others"}
MINE = ("shop-de", "shop-fr", "alerts")
# What is called otherwise, or is not in scope, fulfils none of them by chance.
FILTERS = [
    NameFilter(GroupBy.ACCOUNT, Operator.CONTAINS, "shop"),
    NameFilter(GroupBy.ACCOUNT, Operator.NOT_EQUAL, "alerts"),
    NameFilter(GroupBy.COUNTRY, Operator.STARTS_WITH, "ger"),
    NameFilter(GroupBy.NETWORK, Operator.ENDS_WITH, "fone"),
    NameFilter(GroupBy.NETWORK_CODE, Operator.DOES_NOT_CONTAIN, "262"),
]


@dataclass
class Scoped:
    """A house with accounts by name, what they sent, and somebody who belongs to some of them."""

    house: House
    accounts: dict[str, str]
    sent: list[dict[str, Any]]
    viewer: Viewer

    def fulfilling(self, wanted: NameFilter) -> list[dict[str, Any]]:
        """Count one by one, by each name of an account."""
        return [row for row in self.sent if row["account"] in self.viewer.account_ids and self._fits(wanted, row)]

    def _fits(self, wanted: NameFilter, row: dict[str, Any]) -> bool:
        if wanted.field is GroupBy.ACCOUNT:
            name = next(name for name, account_id in self.accounts.items() if account_id == row["account"])
            label = f"The Shop ({name})" if CALLED[name] == "The Shop" else CALLED[name]
            return wanted.matches(label, CALLED[name], name)
        country, network, mccmnc = country_name(row["country"]), row["network"], row["mccmnc"]
        return wanted.matches(dict(zip(NAMED[1:], (country, network, mccmnc), strict=True))[wanted.field])


def asked(*groups: GroupBy, filters: tuple[NameFilter, ...] = (), **others: Any) -> StatisticsRequest:
    return StatisticsRequest(PERIOD, groups, filters, **others)


@pytest.fixture(scope="module", params=["counted", "rolled up", "rolled up, with a log"])
def scoped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoped]:
    house = make_house(tmp_path_factory.mktemp("scoped"))
    ids = {
        name: house.app.accounts.managing.create(
            house.viewer, NewAccount(name, display_name, AccountType.HTTP), house.now
        ).account_id
        for name, display_name in CALLED.items()
    }
    source, store = random.Random(3), MessageStore(house.app.lake)
    sent = [
        make_random_message(source, START, SPAN) | {"account": ids[source.choice(list(CALLED))]} for _ in range(120)
    ]
    store.append_batch("batch-1", "campaign-1", message_table(*sent[:80]), unsent_table(), house.now)
    if "rolled up" in request.param:
        house.app.upkeep.rolling_up.refresh()
    store.append_batch("batch-2", "campaign-1", message_table(*sent[80:]), unsent_table(), house.now)
    if request.param == "rolled up":
        house.app.upkeep.rolling_up.refresh()
    new = NewPerson("Rita", "rita@example.com", PASSWORD, "Reporting manager", MINE)
    yield Scoped(house, ids, sent, house.app.people.adding.add(new, house.now))
    house.app.close()


@pytest.mark.parametrize("group", list(GroupBy))
def test_every_group_by_with_every_filter_counts_what_is_ones_own(scoped: Scoped, group: GroupBy) -> None:
    reporting = scoped.house.app.reports.reporting
    for wanted in FILTERS:
        expected = len(scoped.fulfilling(wanted))
        found = reporting.statistics(scoped.viewer, asked(group, filters=(wanted,)))
        assert found.totals["sent"].to_pylist() == [expected]
        assert sum(found.table["sent"].to_pylist()) == sum(found.chart["sent"].to_pylist()) == expected


@pytest.mark.parametrize("group", list(GroupBy))
def test_sorted_by_whatever_there_is(scoped: Scoped, group: GroupBy) -> None:
    mine = sum(row["account"] in scoped.viewer.account_ids for row in scoped.sent)
    for by in (Measure.COST, group):
        wanted = asked(group, sorting=Sorting(by, descending=True))
        found = scoped.house.app.reports.reporting.statistics(scoped.viewer, wanted)
        assert sum(found.table["sent"].to_pylist()) == mine


def test_all_groups_at_once_and_a_file_of_them(scoped: Scoped) -> None:
    request = asked(*GroupBy)
    found, _ = scoped.house.app.reports.reporting.all_statistics(scoped.viewer, request)
    assert found.column_names[: len(GroupBy)] == list(GroupBy)
    ordered = scoped.house.app.reports.exporting.start(scoped.viewer, request, ExportFormat.XLSX, scoped.house.now)
    scoped.house.app.reports.exporting.run(ordered.export_id, scoped.house.clock)
    file = scoped.house.app.reports.exporting.fetch(scoped.viewer, ordered.export_id, scoped.house.now)
    sheet = load_workbook(io.BytesIO(file.path.read_bytes()))["Statistics"]
    rows = list(sheet.values)
    place = {name: number for number, name in enumerate(rows[0])}
    assert sum(row[place["Sent"]] for row in rows[1:]) == sum(found["sent"].to_pylist())
    cost = sum(row[place["Cost [EUR]"]] for row in rows[1:])
    assert cost == pytest.approx(float(sum(found["cost_eur_cents"].to_pylist())) / 100)
    first = sheet[2]
    assert (first[place["Year"]].value, first[place["Year"]].number_format) == (2026, "0")
    assert first[place["Cost [EUR]"]].number_format == '"€" #,##0.00'


def test_accounts_with_one_display_name_stay_apart_and_the_others_are_not_named(scoped: Scoped) -> None:
    found = scoped.house.app.reports.reporting.statistics(scoped.viewer, asked(GroupBy.ACCOUNT))
    assert found.table["Account"].to_pylist() == ["Alerts", "The Shop (shop-de)", "The Shop (shop-fr)"]


def test_an_account_is_found_by_its_name_and_by_its_display_name(scoped: Scoped) -> None:
    def found(operator: Operator, term: str) -> list[str]:
        wanted = asked(GroupBy.ACCOUNT, filters=(NameFilter(GroupBy.ACCOUNT, operator, term),))
        return scoped.house.app.reports.reporting.statistics(scoped.viewer, wanted).table["Account"].to_pylist()

    assert found(Operator.EQUAL, "SHOP-DE") == ["The Shop (shop-de)"]
    assert found(Operator.STARTS_WITH, "the") == ["The Shop (shop-de)", "The Shop (shop-fr)"]
    assert found(Operator.NOT_EQUAL, "shop-de") == ["Alerts", "The Shop (shop-fr)"]
    assert found(Operator.DOES_NOT_CONTAIN, "shop") == ["Alerts"]


def test_message_history_has_the_rows_that_statistics_count(scoped: Scoped) -> None:
    for wanted in FILTERS:
        query = MessageQuery(frozenset(), PERIOD, names=(wanted,))
        assert scoped.house.app.reports.reporting.count_messages(scoped.viewer, query) == len(scoped.fulfilling(wanted))


def test_the_dashboard_counts_the_same(scoped: Scoped) -> None:
    mine = sum(row["account"] in scoped.viewer.account_ids for row in scoped.sent)
    assert scoped.house.app.reports.reporting.traffic(scoped.viewer, PERIOD).total == mine


@pytest.mark.parametrize("group", list(GroupBy))
def test_somebody_without_accounts_has_an_empty_answer(scoped: Scoped, group: GroupBy) -> None:
    nobody = replace(scoped.viewer, permissions=PRESETS["Administrator"], account_ids=frozenset())
    found = scoped.house.app.reports.reporting.statistics(nobody, asked(group, filters=(FILTERS[0],)))
    assert (found.group_count, found.table.num_rows, found.totals["sent"].to_pylist()) == (0, 0, [0])
    assert scoped.house.app.reports.reporting.count_messages(nobody, MessageQuery(frozenset(), PERIOD)) == 0
    assert scoped.house.app.reports.reporting.traffic(nobody, PERIOD).total == 0


def test_the_times_of_ones_own_only(scoped: Scoped) -> None:
    one = replace(scoped.viewer, account_ids=frozenset({scoped.accounts["alerts"]}))
    days = {row["sent_at"].date() for row in scoped.sent if row["account"] in one.account_ids}
    found = scoped.house.app.reports.reporting.statistics(one, asked(*TIMES))
    assert found.table["Day"].to_pylist() == sorted(days)


def test_the_hours_of_a_day_add_up_to_what_its_groups_do(scoped: Scoped) -> None:
    day = Period(START + timedelta(days=2), START + timedelta(days=3))
    for filters in ((), (FILTERS[0],), (FILTERS[2],)):
        request = StatisticsRequest(day, (GroupBy.DAY,), filters)
        hours = scoped.house.app.reports.reporting.hours(scoped.viewer, request)
        counted = scoped.house.app.reports.reporting.statistics(scoped.viewer, request).totals["sent"].to_pylist()
        assert (hours.num_rows, sum(hours["sent"].to_pylist())) == (24, counted[0])


def test_a_message_is_found_by_what_its_provider_calls_it(scoped: Scoped) -> None:
    mine, other = (
        next(row for row in scoped.sent if (row["account"] in scoped.viewer.account_ids) is is_mine)
        for is_mine in (True, False)
    )
    for row, expected in ((mine, [mine["message_id"]]), (other, [])):
        query = MessageQuery(frozenset(), PERIOD, gateway_message_id=f" {row['gateway_message_id']} ")
        found = scoped.house.app.reports.reporting.messages(scoped.viewer, query, 1, 10)
        assert found.table["message_id"].to_pylist() == expected
        assert scoped.house.app.reports.reporting.count_messages(scoped.viewer, query) == len(expected)
