"""Reporting: what became of the messages, one by one and in sum."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from core.answers import StatisticsPage, TrafficSummary
from core.domain.accounts.accounts import Account, label_accounts
from core.domain.campaigns.campaigns import Arrivals, Campaign, Reconciliation
from core.domain.messages.messages import DeliveryStatus, LedgerState
from core.domain.numbering import country_name
from core.domain.numbering.msisdn import find_msisdn, mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.questions import refuse_odd_question
from core.domain.reports.statistics import GroupBy, NameFilter, Sorting
from core.domain.times.periods import Period
from core.errors import InvalidInput
from core.history.lake.changes import Extent
from core.history.messages.queries import MessageQueries
from core.history.rollups.adding_up import RollupReader, StatisticsQuery
from core.history.rollups.statistics import Names, Statistics
from core.history.rollups.traffic import TrafficReader
from core.services.reports.kept_answers import KeptAnswers
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger
from core.state.engine.store import State


@dataclass(frozen=True)
class MessagePage:
    """
    One page of messages of *total*, which is None while only a look at all of them could tell (`count_messages`).

    Columns as `MESSAGE_SCHEMA`, but with names instead of country codes and account ids, numbers masked
    for those who may not see them, `delivered_at` of delivered messages only, and dlr_s (double, seconds
    from sending to the final receipt, null before).
    """

    table: pa.Table
    total: int | None
    has_more: bool


@dataclass(frozen=True)
class StatisticsRequest:
    """What a person wants to see: messages of *period* in groups, page *page* (from 1) of *size* of them."""

    period: Period
    group_by: tuple[GroupBy, ...]
    filters: tuple[NameFilter, ...] = ()
    sorting: Sorting = field(default_factory=Sorting)
    page: int = 1
    size: int = 100


@dataclass(frozen=True)
class History:
    """What reporting reads of the lake."""

    messages: MessageQueries
    statistics: Statistics
    traffic: TrafficReader
    rollups: RollupReader
    answers: KeptAnswers


class Reporting:
    """Questions about what was sent. All of them see the viewer's accounts only."""

    def __init__(self, state: State, history: History) -> None:
        self._state = state
        self._history = history

    def warm_up(self) -> None:
        """Read what questions rest on into memory, so that the first ones are as fast as the others."""
        self._history.rollups.warm_up()

    def reconciliation(self, viewer: Viewer, campaign_id: str) -> Reconciliation:
        """Return what became of the campaign's audience. Raises: NotFound."""
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            viewer.require_account(campaign.account_id, "campaign")
            return _reconcile(
                campaign,
                campaigns.list_outcomes(session, [campaign_id])[campaign_id],
                ledger.count_in_flight(session, [campaign_id])[campaign_id],
            )

    def reconciliations(self, viewer: Viewer, found: Iterable[Campaign]) -> dict[str, Reconciliation]:
        """Return the same for several campaigns at once, by campaign id."""
        viewer.require(Permission.CAMPAIGN)
        visible = {item.campaign_id: item for item in found if item.account_id in viewer.account_ids}
        with self._state.read() as session:
            outcomes = campaigns.list_outcomes(session, list(visible))
            flying = ledger.count_in_flight(session, list(visible))
        return {key: _reconcile(item, outcomes[key], flying[key]) for key, item in visible.items()}

    def arrivals(self, viewer: Viewer, campaign: Campaign, now: datetime) -> Arrivals:
        """
        Return what the receipts say of the campaign's messages.

        Ask it before `reconciliation`: a message is in the history only after it was counted as sent, so the first
        answer is never ahead of the second. Raises: NotFound.
        """
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        viewer.require_account(campaign.account_id, "campaign")
        accounts, period = frozenset({campaign.account_id}), sending_time(campaign, now)
        query = MessageQuery(accounts, period, campaign_id=campaign.campaign_id)
        counts = self._history.messages.count_statuses(query)
        delivered_count, undelivered_count = (
            counts.get(status, 0) for status in (DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED)
        )
        return Arrivals(delivered_count, undelivered_count, sum(counts.values()))

    def messages(self, viewer: Viewer, query: MessageQuery, page: int, size: int) -> MessagePage:
        """
        Return page *page* (from 1) of the messages that *query* describes, newest first.

        Raises: InvalidInput: a part of a number, from a viewer who may not see numbers.
        """
        scoped, known = self._scope(viewer, query), self._known(viewer)

        def find() -> MessagePage:
            found = self._history.messages.page(scoped, size, (max(1, page) - 1) * size)
            return MessagePage(_readable(viewer, found.table, known), found.total, found.has_more)

        question = ("messages", scoped, page, size, viewer.sees_numbers, known)
        return self._history.answers.get(question, Extent(scoped.account_ids, scoped.period), find)

    def require_campaign(self, viewer: Viewer, campaign_id: str) -> None:
        """
        Let pass that messages are narrowed to the campaign, for viewers too who may see messages but no campaigns.

        Raises: NotFound: unknown, or another account's.
        """
        viewer.require(Permission.MESSAGE_HISTORY)
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
        viewer.require_account(campaign.account_id, "campaign")

    def count_messages(self, viewer: Viewer, query: MessageQuery) -> int:
        """Return how many messages match. Raises: as `messages`."""
        return self._history.messages.count(self._scope(viewer, query))

    def all_messages(self, viewer: Viewer, query: MessageQuery) -> tuple[int, Iterator[pa.Table]]:
        """Return how many messages match, and all of them in tables as `MessagePage` has. Raises: as `messages`."""
        scoped, known = self._scope(viewer, query), self._known(viewer)
        count, tables = self._history.messages.stream(scoped)
        return count, (_readable(viewer, table, known) for table in tables)

    def _scope(self, viewer: Viewer, query: MessageQuery) -> MessageQuery:
        """Return *query* as the viewer may ask it."""
        viewer.require(Permission.MESSAGE_HISTORY)
        refuse_odd_question(query)
        if query.receiver and not viewer.sees_numbers:
            query = replace(query, receiver=_whole_number(query.receiver))
        return replace(query, account_ids=self._asked_accounts(viewer, query.names), time_zone=viewer.time_zone)

    def _asked_accounts(self, viewer: Viewer, filters: Iterable[NameFilter]) -> frozenset[str]:
        """Return the viewer's active accounts whose names fulfil all conditions on them."""
        # Groups of messages are counted in any account, single ones are shown of active accounts only.
        return self._counted_accounts(viewer, filters) & viewer.open_ids

    def _counted_accounts(self, viewer: Viewer, filters: Iterable[NameFilter]) -> frozenset[str]:
        wanted = [condition for condition in filters if condition.field is GroupBy.ACCOUNT]
        if not wanted:
            return viewer.account_ids
        names = _names(self._known(viewer))
        return frozenset(key for key in viewer.account_ids if all(names.fits(each, key) for each in wanted))

    def statistics(self, viewer: Viewer, request: StatisticsRequest) -> StatisticsPage:
        """Return a page of the groups, the totals and the chart; days are the viewer's."""
        query, known = self._statistics_query(viewer, request)
        offset = (max(1, request.page) - 1) * request.size

        def find() -> StatisticsPage:
            return self._history.statistics.page(query, _names(known), request.sorting, request.size, offset)

        question = ("statistics", query, request.sorting, request.size, offset, known)
        return self._history.answers.get(question, Extent(query.account_ids, query.period), find)

    def hours(self, viewer: Viewer, request: StatisticsRequest) -> pa.Table:
        """Return what was sent in every hour of the period: bucket and sent, as `TrafficSummary.series`."""
        viewer.require(Permission.STATISTICS)
        refuse_odd_question(request)
        counted = self._counted_accounts(viewer, request.filters)
        query = MessageQuery(counted, request.period, names=request.filters, time_zone=viewer.time_zone)
        return self._history.traffic.by_hour(query)

    def all_statistics(self, viewer: Viewer, request: StatisticsRequest) -> tuple[pa.Table, pa.Table]:
        """Return all groups and their totals, as `StatisticsPage` has them."""
        query, known = self._statistics_query(viewer, request)
        return self._history.statistics.everything(query, _names(known), request.sorting)

    def _statistics_query(
        self, viewer: Viewer, request: StatisticsRequest
    ) -> tuple[StatisticsQuery, tuple[Account, ...]]:
        viewer.require(Permission.STATISTICS)
        refuse_odd_question(request)
        query = StatisticsQuery(viewer.account_ids, request.period, viewer.time_zone, request.group_by, request.filters)
        return query, self._known(viewer)

    def traffic(self, viewer: Viewer, period: Period) -> TrafficSummary:
        """Return the dashboard's figures: of the viewer's accounts, for anybody who is signed in."""

        def find() -> TrafficSummary:
            summary = self._history.traffic.sum_up(viewer.account_ids, period, viewer.time_zone)
            countries = _with(summary.countries, "country", _country_names(summary.countries))
            return replace(summary, countries=countries)

        question = ("traffic", viewer.account_ids, period, viewer.time_zone)
        return self._history.answers.get(question, Extent(viewer.account_ids, period), find)

    def _known(self, viewer: Viewer) -> tuple[Account, ...]:
        """Return the viewer's accounts: what they are called may change while the history does not."""
        with self._state.read() as session:
            return accounts.list_accounts(session, viewer.account_ids)


def _readable(viewer: Viewer, table: pa.Table, known: Iterable[Account]) -> pa.Table:
    """Put names for country codes and account ids, and masks for numbers that the viewer may not see."""
    names = _names(known)
    table = _with(table, "country", _country_names(table))
    table = _with(table, "account", [names.account(key) for key in table["account"].to_pylist()])
    if not viewer.sees_numbers:
        table = _with(table, "receiver", [mask_msisdn(number) for number in table["receiver"].to_pylist()])
    return _with_delivery(table)


def _names(known: Iterable[Account]) -> Names:
    """Return what accounts are called; one that nobody knows any more is unknown, like a network."""
    also = {account.account_id: (account.display_name, account.name) for account in known}
    labels = label_accounts(known)
    return Names(
        account=lambda account_id: labels.get(account_id, ""),
        country=country_name,
        also=lambda account_id: also.get(account_id, ()),
    )


def sending_time(campaign: Campaign, now: datetime) -> Period:
    """Return the time that holds all of the campaign's messages so far."""
    return Period(campaign.launched_at or campaign.created_at, now)


def _country_names(table: pa.Table) -> list[str]:
    return [country_name(code) for code in table["country"].to_pylist()]


def _whole_number(text: str) -> str:
    """Return the number a masked viewer looks for: part by part, searching would spell out what is masked."""
    number = find_msisdn(text)
    if number is None:
        raise InvalidInput(
            "Receivers are masked for you, so you can only search for a whole number.",
            hint="Type the number with its country code, or leave Receiver empty.",
            field="receiver",
        )
    return number


def _with(table: pa.Table, column: str, values: list[str]) -> pa.Table:
    index = table.column_names.index(column)
    return table.set_column(index, column, pa.array(values, pa.string()))


def _with_delivery(table: pa.Table) -> pa.Table:
    took_us = pc.cast(pc.subtract(table["delivered_at"], table["sent_at"]), pa.int64())
    table = table.append_column("dlr_s", pc.divide(pc.cast(took_us, pa.float64()), 1_000_000))
    is_delivered = pc.equal(table["delivery_status"], DeliveryStatus.DELIVERED.value)
    delivered_at = pc.if_else(is_delivered, table["delivered_at"], pa.scalar(None, table["delivered_at"].type))
    return table.set_column(table.column_names.index("delivered_at"), "delivered_at", delivered_at)


def _reconcile(campaign: Campaign, outcomes: Mapping[tuple[str, str], int], flying: ledger.InFlight) -> Reconciliation:
    settled: dict[str, dict[str, int]] = {}
    for (outcome, reason), count in outcomes.items():
        settled.setdefault(outcome, {})[reason] = count
    failed = Counter(settled.get(LedgerState.FAILED, {})) + Counter(flying.failed)
    excluded = Counter(settled.get(LedgerState.EXCLUDED, {})) + Counter(flying.excluded)
    return Reconciliation(
        audience_count=campaign.audience_count,
        sent_count=sum(settled.get(LedgerState.SENT, {}).values()) + flying.sent,
        excluded=dict(excluded),
        failed=dict(failed),
        unknown_count=sum(settled.get(LedgerState.UNKNOWN, {}).values()) + flying.unknown,
        pending_count=flying.pending,
    )
