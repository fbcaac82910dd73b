"""
Seeding: the demo company with its accounts, lists, campaigns and 90 days of messages.

Everything follows from one seed and the moment of the first seeding, which is remembered. The lake
is written first, each batch tagged, the state store last and in one transaction: a worker killed in
between leaves nothing that anybody sees, and the next one finishes.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from sqlalchemy.orm import Session

from core.config import Settings
from core.demo.company import ACCOUNTS, CAMPAIGNS, COLUMNS, DRAFT, LISTS, DemoCampaign, DemoList
from core.demo.people import Drawn, contact_table, draw_numbers, place_columns, prices
from core.demo.traffic import Sender, burst, message_table, rhythm
from core.domain.accounts import Account, AccountStatus, AccountType
from core.domain.campaigns import Campaign, CampaignStatus, Source
from core.domain.lists import DistributionList, ListStatus
from core.history.contacts import ContactStore
from core.history.lake import Lake
from core.history.messages import MessageStore
from core.history.schema import UNSENT_SCHEMA
from core.services.heartbeat import heartbeat, new_owner
from core.state import accounts, campaigns, installation, lists, users
from core.state.lists import ImportCounts
from core.state.store import State

log = logging.getLogger(__name__)

SEEDED_AT = "demo_seeded_at"
RATE_TPS = 200
CREATED_BY = "Demo"


@dataclass(frozen=True)
class DemoSummary:
    """What was created, or was there already."""

    message_count: int
    campaign_count: int
    list_count: int

    def __str__(self) -> str:
        """Return one sentence."""
        return (
            f"Demo company: {self.message_count:,} messages, {self.campaign_count} campaigns, {self.list_count} lists."
        )


@dataclass(frozen=True)
class _Plan:
    """The one seed and moment that everything follows from; *scale* is messages per planned message."""

    seed: int
    now: datetime
    message_count: int
    days: int

    def identify(self, kind: str, key: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"heliograph-demo/{self.seed}/{kind}/{key}"))

    def generator(self, what: str) -> np.random.Generator:
        # Its own stream for each thing, so that changing one leaves the others as they were.
        return np.random.default_rng([self.seed, *what.encode()])


@dataclass(frozen=True)
class _SentCampaign:
    """A campaign's counts by (outcome, reason), as they stand in the lake."""

    campaign: Campaign
    outcomes: dict[tuple[str, str], int]


class DemoSeeding:
    """Creates the demo company, once, and lets people see it."""

    def __init__(self, settings: Settings, state: State, lake: Lake) -> None:
        """Take the stores and the seed."""
        self._settings = settings
        self._state = state
        self._contacts = ContactStore(lake)
        self._messages = MessageStore(lake)

    def list_waiting(self, now: datetime) -> list[str]:
        """Return the people who asked for the demo company and wait for `run`."""
        with self._state.read() as session:
            return installation.list_demo_requests(session, now)

    def run(self, user_id: str, clock: Callable[[], datetime]) -> None:
        """Seed for this person, unless another worker does."""
        owner = new_owner()
        if not self._lease(user_id, owner, clock()):
            return
        with heartbeat(lambda: self._lease(user_id, owner, clock()), self._settings.lease_s / 3):
            summary = self.seed(user_id, clock())
        with self._state.write() as session:
            installation.delete_demo_request(session, user_id)
        log.info("demo_seeded", extra={"messages": summary.message_count})

    def seed(self, user_id: str, now: datetime, message_count: int = 300_000, days: int = 90) -> DemoSummary:
        """
        Create the company and make the person a member of its accounts; what is there already stays.

        Args:
            user_id: Who gets to see it.
            now: The end of its history, unless it was begun before.
            message_count: About how many messages.
            days: How far its history goes back.

        Raises: StorageError: a store did not answer; calling it again finishes the work.
        """
        plan = _Plan(self._settings.seed, self._begin(now), message_count, days)
        drawn = {item.key: self._list(plan, item) for item in LISTS}
        sent = [self._campaign(plan, item, drawn[item.list_key]) for item in CAMPAIGNS if item.days_ago < days]
        outside_count = self._outside(plan, sent)
        with self._state.write() as session:
            if users.find_viewer(session, user_id) is not None:
                self._record(session, plan, drawn, sent)
                for account in ACCOUNTS:
                    users.add_membership(session, user_id, plan.identify("account", account.key))
        campaign_messages = sum(item.outcomes[("sent", "")] for item in sent)
        return DemoSummary(outside_count + campaign_messages, len(sent) + 1, len(LISTS))

    def _begin(self, now: datetime) -> datetime:
        """Return the moment the company's history ends at: that of the first call ever."""
        with self._state.write() as session:
            begun = installation.find_setting(session, SEEDED_AT)
            if begun is None:
                installation.set_setting(session, SEEDED_AT, now.isoformat())
        return datetime.fromisoformat(begun) if begun else now

    def _list(self, plan: _Plan, item: DemoList) -> Drawn:
        generator = plan.generator(f"list/{item.key}")
        drawn = draw_numbers(generator, max(20, round(plan.message_count * item.share)), unique=True)
        self._contacts.replace(plan.identify("list", item.key), [contact_table(generator, drawn)])
        return drawn

    def _campaign(self, plan: _Plan, item: DemoCampaign, drawn: Drawn) -> _SentCampaign:
        generator = plan.generator(f"campaign/{item.key}")
        campaign = _campaign(plan, item, CampaignStatus.COMPLETED, len(drawn.msisdns))
        assert campaign.launched_at is not None
        # A few refused by the gateway, as on any day.
        refused = generator.random(len(drawn.msisdns)) < 0.0012
        kept, failed = _split(drawn, ~refused), _split(drawn, refused)
        sender = Sender(campaign.account_id, campaign.campaign_id, "campaign", (item.sender_id,), "simulator")
        moments = burst(generator, len(kept.msisdns), campaign.launched_at, RATE_TPS)
        messages = message_table(generator, sender, moments, kept, seed=plan.seed, now=plan.now)
        self._append(f"demo-{campaign.campaign_id}", campaign.campaign_id, messages, _unsent(failed), plan.now)
        outcomes = {("sent", ""): len(kept.msisdns), ("failed", "0x0000000B"): len(failed.msisdns)}
        return _SentCampaign(campaign, {key: count for key, count in outcomes.items() if count or key[0] == "sent"})

    def _outside(self, plan: _Plan, sent: list[_SentCampaign]) -> int:
        left = max(0, plan.message_count - sum(item.outcomes[("sent", "")] for item in sent))
        total = 0
        for account in ACCOUNTS:
            count = round(left * account.share)
            if not count:
                continue
            generator = plan.generator(f"outside/{account.key}")
            moments = rhythm(generator, count, plan.now, plan.days)
            sender = Sender(plan.identify("account", account.key), "", account.source, account.senders, account.key)
            drawn = draw_numbers(generator, count, unique=False)
            messages = message_table(generator, sender, moments, drawn, seed=plan.seed, now=plan.now)
            self._append(f"demo-{sender.account_id}", "", messages, UNSENT_SCHEMA.empty_table(), plan.now)
            total += count
        return total

    def _append(self, batch_id: str, campaign_id: str, messages: pa.Table, unsent: pa.Table, now: datetime) -> None:
        self._messages.append_batch(batch_id, campaign_id, messages, unsent, now)

    def _record(self, session: Session, plan: _Plan, drawn: dict[str, Drawn], sent: list[_SentCampaign]) -> None:
        if accounts.list_accounts(session, [plan.identify("account", ACCOUNTS[0].key)]):
            return
        for account in ACCOUNTS:
            account_id = plan.identify("account", account.key)
            facts = (account.name, account.display_name, account.account_type, AccountStatus.ACTIVE, account.gateway)
            accounts.add_account(session, Account(account_id, *facts, rate_tps=RATE_TPS), plan.now)
            if account.account_type is AccountType.CAMPAIGN:
                accounts.set_prices(session, account_id, prices())
        for item in LISTS:
            _add_list(session, plan, item, len(drawn[item.key].msisdns))
        for done in sent:
            campaigns.add_campaign(session, done.campaign)
            campaigns.add_outcomes(session, done.campaign.campaign_id, done.outcomes)
        campaigns.add_campaign(session, _campaign(plan, DRAFT, CampaignStatus.INACTIVE, 0))

    def _lease(self, user_id: str, owner: str, now: datetime) -> bool:
        until = now + timedelta(seconds=self._settings.lease_s)
        with self._state.write() as session:
            return installation.lease_demo(session, user_id, owner, now, until)


def _split(drawn: Drawn, chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Drawn:
    return Drawn([drawn.msisdns[index] for index in np.flatnonzero(chosen)], drawn.ranges[chosen])


def _unsent(failed: Drawn) -> pa.Table:
    count = len(failed.msisdns)
    columns = {
        "message_id": [None] * count,
        "msisdn": failed.msisdns,
        "outcome": ["failed"] * count,
        "reason": ["0x0000000B"] * count,
        **place_columns(failed.ranges),
    }
    return pa.table(columns, schema=UNSENT_SCHEMA)


def _campaign(plan: _Plan, item: DemoCampaign, status: CampaignStatus, audience_count: int) -> Campaign:
    home = next(candidate for candidate in LISTS if candidate.key == item.list_key)
    sent = status is CampaignStatus.COMPLETED
    launched_at = (plan.now - timedelta(days=item.days_ago)).replace(hour=item.hour, minute=30, second=0, microsecond=0)
    took = timedelta(seconds=audience_count / RATE_TPS)
    return Campaign(
        campaign_id=plan.identify("campaign", item.key),
        account_id=plan.identify("account", home.account),
        source=Source.CAMPAIGN,
        name=item.name,
        sender_id=item.sender_id,
        list_id=plan.identify("list", item.list_key),
        list_name=home.name,
        message=item.message,
        placeholders={name: name for name in ("FirstName", "City") if f"{{{name}}}" in item.message},
        status=status,
        fault="",
        audience_count=audience_count,
        created_at=launched_at - timedelta(hours=3) if sent else plan.now,
        created_by=CREATED_BY,
        launched_at=launched_at if sent else None,
        completed_at=launched_at + took if sent else None,
    )


def _add_list(session: Session, plan: _Plan, item: DemoList, entry_count: int) -> None:
    list_id = plan.identify("list", item.key)
    duplicate_count = round(entry_count * item.duplicate_pct / 100)
    new = DistributionList(
        list_id=list_id,
        account_id=plan.identify("account", item.account),
        name=item.name,
        status=ListStatus.READY,
        file_name=f"{item.key}.csv",
        columns=COLUMNS,
        read_count=0,
        entry_count=0,
        duplicate_count=0,
        rejected_count=0,
        progress=1.0,
        fault="",
        hint="",
        created_at=plan.now - timedelta(days=plan.days, hours=len(item.key)),
        created_by=CREATED_BY,
    )
    lists.add_list(session, new)
    counts = ImportCounts(entry_count + duplicate_count, entry_count, duplicate_count, 0, 1.0)
    lists.record_progress(session, list_id, counts)
