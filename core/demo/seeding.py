"""
Seeding: the demo company with its accounts, lists, campaigns and 90 days of messages.

Everything follows from one plan, which is remembered. The lake is written first, each batch tagged,
the state store last and in one transaction: a worker killed in between leaves nothing that anybody
sees, and the next one finishes the same plan.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import pyarrow as pa
from sqlalchemy.orm import Session

from core.config import Settings
from core.demo.company import (
    ACCOUNTS,
    CAMPAIGNS,
    COLLEAGUES,
    DRAFT,
    LISTS,
    Colleague,
    DemoAccount,
    DemoCampaign,
    DemoList,
)
from core.demo.people import People, contact_table, draw_people, place_columns, prices, write_duplicates
from core.demo.plan import RATE_TPS, Plan, SentCampaign, make_account, make_campaign, make_list
from core.demo.receipts import receipt_table
from core.demo.replies import draw_replies
from core.demo.traffic import (
    GROWTH,
    Sender,
    Traffic,
    burst,
    draw_lengths,
    measure_texts,
    message_table,
    rhythm,
    weigh,
)
from core.domain.accounts.accounts import AccountType
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.gateways.gateways import SIMULATOR
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.domain.words.counting import count_of
from core.history.audience.contacts import ContactStore
from core.history.lake.connection import Lake
from core.history.lake.schema import UNSENT_SCHEMA
from core.history.messages.message_store import MessageStore
from core.services.leases import Leases
from core.services.sending.replying import keep_replies
from core.state.accounts import accounts, gateways
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.imports.lists import ImportCounts
from core.state.people import users
from core.state.upkeep import installation

log = logging.getLogger(__name__)

# Names of settings: what is to be made, and what is there.
PLAN, DONE = "demo_plan", "demo_done"
REFUSED_RATE = 0.0012
REFUSAL = "0x0000000B"


@dataclass(frozen=True)
class DemoSummary:
    """
    What is there; *outside_count* of the messages belong to no campaign.

    The history reaches *until*, and is on its way to *target* when that is later.
    """

    message_count: int
    outside_count: int
    campaign_count: int
    list_count: int
    until: datetime
    target: datetime

    def __str__(self) -> str:
        """Return one sentence."""
        return (
            f"Demo company: {count_of(self.message_count, 'message', 'messages')}, "
            f"{count_of(self.campaign_count, 'campaign', 'campaigns')}, {count_of(self.list_count, 'list', 'lists')}."
        )

    def as_text(self) -> str:
        """Return the summary as `parse` reads it."""
        return json.dumps({**vars(self), "until": self.until.isoformat(), "target": self.target.isoformat()})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the summary that `as_text` wrote."""
        facts = json.loads(text)
        return cls(**{**facts, **{name: datetime.fromisoformat(facts[name]) for name in ("until", "target")}})


class DemoSeeding:
    """Creates the demo company, once, and lets people see it."""

    def __init__(self, settings: Settings, state: State, lake: Lake, leases: Leases) -> None:
        self._settings = settings
        self._leases = leases
        self._state = state
        self._contacts = ContactStore(lake)
        self._messages = MessageStore(lake)

    def request(self, viewer: Viewer, now: datetime) -> None:
        """
        Ask the worker for the demo company; asking again does no harm.

        Raises: Forbidden: the viewer may not manage traffic accounts, and the company brings four.
        """
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        with self._state.write() as session:
            installation.request_demo(session, viewer.user_id, now)

    def list_waiting(self, now: datetime) -> list[str]:
        """Return the people who asked for the demo company and wait for `run`."""
        with self._state.read() as session:
            return installation.list_demo_requests(session, now)

    def run(self, user_id: str, clock: Callable[[], datetime]) -> None:
        """Seed for this person, unless another worker does."""
        with self._leases.hold(user_id, clock, installation.lease_demo) as lease:
            if lease is None:
                return
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
            message_count: About how many messages, unless it was begun before.
            days: How far its history goes back, likewise.

        Raises: StorageError: a store did not answer; calling it again finishes the work.
        """
        plan = self._begin(Plan(self._settings.seed, now, message_count, days))
        done = self._find_done() or self._create(plan)
        with self._state.write() as session:
            if users.find_viewer(session, user_id) is not None:
                for account in ACCOUNTS:
                    users.add_membership(session, user_id, plan.identify("account", account.key))
        return done

    def catch_up(self, now: datetime) -> DemoSummary | None:
        """
        Carry the history on to *now*, in its own rhythm, so that a demo of last week has a today.

        Returns: What is there now; None when there is no demo company.
        Raises: StorageError: a store did not answer; calling it again does the rest.
        """
        done = self._find_done()
        while done is not None and done.until < now:
            if done.target == done.until:
                # Remembered first: killed halfway, the next call makes the same messages, not others beside them.
                done = self._keep(replace(done, target=now))
            added = self._continue(done)
            done = self._keep(
                replace(
                    done,
                    message_count=done.message_count + added,
                    outside_count=done.outside_count + added,
                    until=done.target,
                )
            )
        return done

    def _continue(self, done: DemoSummary) -> int:
        """Append what belongs between the summary's *until* and *target*; return how many messages."""
        with self._state.read() as session:
            plan = Plan.parse(installation.find_setting(session, PLAN) or "")
        per_weight = done.outside_count / weigh(plan.start, done.until)
        count = round(per_weight * weigh(done.until, done.target))
        return self._outside(replace(plan, now=done.target), count, done.until)

    def _keep(self, summary: DemoSummary) -> DemoSummary:
        with self._state.write() as session:
            installation.set_setting(session, DONE, summary.as_text())
        return summary

    def _begin(self, plan: Plan) -> Plan:
        """Return the plan of the first call ever."""
        with self._state.write() as session:
            begun = installation.find_setting(session, PLAN)
            if begun is None:
                installation.set_setting(session, PLAN, plan.as_text())
        return Plan.parse(begun) if begun else plan

    def _find_done(self) -> DemoSummary | None:
        with self._state.read() as session:
            done = installation.find_setting(session, DONE)
        return DemoSummary.parse(done) if done else None

    def _create(self, plan: Plan) -> DemoSummary:
        people = {item.key: self._list(plan, item) for item in LISTS}
        sent = [self._campaign(plan, item, people[item.list_key]) for item in CAMPAIGNS if item.days_ago < plan.days]
        campaign_messages = sum(item.sent_count for item in sent)
        outside_count = self._outside(plan, max(0, plan.message_count - campaign_messages), plan.start)
        summary = DemoSummary(
            campaign_messages + outside_count, outside_count, len(sent) + 1, len(LISTS), until=plan.now, target=plan.now
        )
        with self._state.write() as session:
            # Of two workers that get here, one finds that the other was faster.
            if installation.find_setting(session, DONE) is None:
                installation.set_setting(session, DONE, summary.as_text())
                _record(session, plan, {key: len(drawn.msisdns) for key, drawn in people.items()}, sent)
        return summary

    def _list(self, plan: Plan, item: DemoList) -> People:
        count = max(20, round(plan.message_count * item.share))
        people = draw_people(plan.generator(f"list/{item.key}"), count, unique=True)
        list_id = plan.identify("list", item.key)
        self._contacts.replace(list_id, [contact_table(people)])
        left_out = self._settings.uploads_dir / f"{list_id}.rejected.csv"
        write_duplicates(left_out, people, _count_duplicates(item, count))
        return people

    def _campaign(self, plan: Plan, item: DemoCampaign, people: People) -> SentCampaign:
        generator = plan.generator(f"campaign/{item.key}")
        campaign = make_campaign(plan, item, CampaignStatus.COMPLETED, len(people.msisdns))
        assert campaign.launched_at is not None
        # A few refused by the gateway, as on any day.
        refused = generator.random(len(people.msisdns)) < REFUSED_RATE
        kept, failed = people.where(~refused), people.where(refused)
        sender = Sender(campaign.account_id, campaign.campaign_id, "campaign", (item.sender_id,), "simulator")
        moments = burst(generator, len(kept.msisdns), campaign.launched_at, RATE_TPS)
        traffic = Traffic(moments, kept, measure_texts(item, kept))
        messages = message_table(generator, sender, traffic, seed=plan.seed, now=plan.now)
        self._append(f"demo-{campaign.campaign_id}", campaign.campaign_id, messages, _unsent(failed, plan.now), plan)
        outcomes = {("sent", ""): len(kept.msisdns), ("failed", REFUSAL): len(failed.msisdns)}
        counts = {key: count for key, count in outcomes.items() if count or key[0] == "sent"}
        return SentCampaign(campaign, counts, draw_replies(plan, item, messages))

    def _outside(self, plan: Plan, count: int, start: datetime) -> int:
        """Append about *count* messages that no campaign made, from *start* to the plan's now."""
        return sum(self._outside_of(plan, item, round(count * item.share), start) for item in ACCOUNTS if item.share)

    def _outside_of(self, plan: Plan, item: DemoAccount, count: int, start: datetime) -> int:
        generator = plan.generator(f"outside/{item.key}/{start.isoformat()}")
        growth = GROWTH if start == plan.start else 0.0
        moments = rhythm(generator, count, start, plan.now, growth=growth)
        sender = Sender(plan.identify("account", item.key), "", item.source, item.senders, item.key)
        people = draw_people(generator, count, unique=False)
        traffic = Traffic(moments, people, draw_lengths(generator, count))
        messages = message_table(generator, sender, traffic, seed=plan.seed, now=plan.now)
        batch_id = f"demo-{sender.account_id}-{start.isoformat()}"
        self._append(batch_id, "", messages, UNSENT_SCHEMA.empty_table(), plan)
        return count

    def _append(self, batch_id: str, campaign_id: str, messages: pa.Table, unsent: pa.Table, plan: Plan) -> None:
        receipts = receipt_table(plan.generator(f"receipts/{batch_id}"), messages, plan.now)
        self._messages.append_batch(batch_id, campaign_id, messages, unsent, plan.now, receipts=receipts)


def _record(session: Session, plan: Plan, entry_counts: Mapping[str, int], sent: list[SentCampaign]) -> None:
    for account in ACCOUNTS:
        accounts.add_account(session, make_account(plan, account), plan.now)
        if account.account_type is AccountType.CAMPAIGN:
            accounts.set_prices(session, plan.identify("account", account.key), prices())
    for colleague in COLLEAGUES:
        _add_colleague(session, plan, colleague)
    for item in LISTS:
        new, entry_count = make_list(plan, item), entry_counts[item.key]
        duplicate_count = _count_duplicates(item, entry_count)
        lists.add_list(session, new)
        counts = ImportCounts(entry_count + duplicate_count, entry_count, duplicate_count, 0, 1.0)
        lists.record_progress(session, new.list_id, counts)
    for done in sent:
        campaigns.add_campaign(session, done.campaign)
        campaigns.add_outcomes(session, done.campaign.campaign_id, done.outcomes)
    # It has taken the campaigns.
    gateways.set_proven(session, SIMULATOR, gateways.get_gateway(session, SIMULATOR).setup.version, plan.now)
    # As they come in life: whose each one is, and what it answers, is found out from what is there.
    keep_replies(session, [reply for done in sent for reply in done.replies], plan.now)
    campaigns.add_campaign(session, make_campaign(plan, DRAFT, CampaignStatus.INACTIVE, 0))


def _add_colleague(session: Session, plan: Plan, colleague: Colleague) -> None:
    user_id, permissions = plan.identify("person", colleague.key), PRESETS[colleague.preset]
    # Without a password nobody comes in.
    new = users.NewUser(user_id, colleague.email, colleague.name, "", permissions, status=colleague.status)
    users.add_user(session, new, plan.now)
    for key in colleague.accounts:
        users.add_membership(session, user_id, plan.identify("account", key))


def _count_duplicates(item: DemoList, entry_count: int) -> int:
    return round(entry_count * item.duplicate_pct / 100)


def _unsent(failed: People, now: datetime) -> pa.Table:
    count = len(failed.msisdns)
    columns = {
        "message_id": [None] * count,
        "msisdn": failed.msisdns,
        "outcome": ["failed"] * count,
        "reason": [REFUSAL] * count,
        **place_columns(failed.ranges),
        "recorded_at": [now] * count,
    }
    return pa.table(columns, schema=UNSENT_SCHEMA)
