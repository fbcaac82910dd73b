"""The one plan everything of the demo company follows from, and the records of the state store it leads to."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from core.demo.company import COLUMNS, LISTS, DemoAccount, DemoCampaign, DemoList
from core.domain.accounts.accounts import Account, AccountStatus
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, ChosenList, Source
from core.domain.imports.lists import DistributionList, ListStatus
from core.domain.messages.messages import Reply

# Segments per second of the demo company's accounts.
RATE_TPS = 200
CREATED_BY = "Demo"


@dataclass(frozen=True)
class Plan:
    """
    What was asked for first: *message_count* messages, about, over *days* days until *now*.

    It is remembered, so that whoever finishes or repeats the work makes the very same company.
    """

    seed: int
    now: datetime
    message_count: int
    days: int

    def as_text(self) -> str:
        """Return the plan as `parse` reads it."""
        return json.dumps({**vars(self), "now": self.now.isoformat()})

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Return the plan that `as_text` wrote."""
        facts = json.loads(text)
        return cls(**{**facts, "now": datetime.fromisoformat(facts["now"])})

    @property
    def start(self) -> datetime:
        """Where the history begins."""
        return self.now - timedelta(days=self.days)

    def identify(self, kind: str, key: str) -> str:
        """Return the id of the thing called *key*, always the same."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"heliograph-demo/{self.seed}/{kind}/{key}"))

    def generator(self, what: str) -> np.random.Generator:
        """Return a stream of its own for each thing, so that changing one leaves the others as they were."""
        return np.random.default_rng([self.seed, *what.encode()])


@dataclass(frozen=True)
class SentCampaign:
    """A campaign, its counts by (outcome, reason), as they stand in the lake, and what people sent back."""

    campaign: Campaign
    outcomes: Mapping[tuple[str, str], int]
    replies: Sequence[Reply]

    @property
    def sent_count(self) -> int:
        """Return how many of its messages a gateway took."""
        return self.outcomes["sent", ""]


def make_account(plan: Plan, item: DemoAccount) -> Account:
    """Return the account, active."""
    account_id = plan.identify("account", item.key)
    facts = (item.name, item.display_name, item.account_type, AccountStatus.ACTIVE, item.gateway)
    return Account(account_id, *facts, rate_tps=RATE_TPS)


def make_campaign(plan: Plan, item: DemoCampaign, status: CampaignStatus, audience_count: int) -> Campaign:
    """Return the campaign: Completed, sent when it says; or Inactive, a draft of this moment."""
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
        lists=(ChosenList(plan.identify("list", item.list_key), home.name),),
        message=item.message,
        placeholders={name: name for name in item.placeholders},
        status=status,
        fault="",
        audience_count=audience_count,
        created_at=launched_at - timedelta(hours=3) if sent else plan.now,
        created_by=CREATED_BY,
        launched_at=launched_at if sent else None,
        completed_at=launched_at + took if sent else None,
    )


def make_list(plan: Plan, item: DemoList) -> DistributionList:
    """Return the list, Ready; its counts are recorded apart."""
    return DistributionList(
        list_id=plan.identify("list", item.key),
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
        created_at=plan.start - timedelta(hours=len(item.key)),
        created_by=CREATED_BY,
    )
