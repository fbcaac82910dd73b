"""Things to test with, valid by default; every fact can be overridden."""

from datetime import UTC, datetime
from typing import Any

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.accounts.suppressions import Origin, SuppressionSource
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, ChosenList, Source
from core.domain.imports.lists import DistributionList, ListStatus
from core.domain.messages.messages import Receipt, Reply
from core.domain.people.permissions import PRESETS, Permission, Viewer
from core.state.people.users import NewUser

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_user(**overrides: Any) -> NewUser:
    facts = {
        "user_id": "user-1",
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "password_hash": "hash",
        "permissions": PRESETS["Administrator"],
    }
    return NewUser(**(facts | overrides))


def make_viewer(**overrides: Any) -> Viewer:
    facts: dict[str, Any] = {
        "user_id": "user-1",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "permissions": frozenset(Permission),
        "account_ids": frozenset({"account-1"}),
    }
    return Viewer(**(facts | overrides))


def make_origin(**overrides: Any) -> Origin:
    facts: dict[str, Any] = {
        "source": SuppressionSource.PERSON,
        "reason": "opt-out",
        "created_by": "Ada",
        "created_at": NOW,
    }
    return Origin(**(facts | overrides))


def make_account(**overrides: Any) -> Account:
    facts: dict[str, Any] = {
        "account_id": "account-1",
        "name": "marketing",
        "display_name": "Marketing",
        "account_type": AccountType.CAMPAIGN,
        "status": AccountStatus.ACTIVE,
        "gateway": "simulator",
        "rate_tps": 100,
    }
    return Account(**(facts | overrides))


def make_list(**overrides: Any) -> DistributionList:
    facts: dict[str, Any] = {
        "list_id": "list-1",
        "account_id": "account-1",
        "name": "Spring guests",
        "status": ListStatus.IN_PROGRESS,
        "file_name": "guests.csv",
        "columns": ("PhoneNumber", "FirstName"),
        "read_count": 0,
        "entry_count": 0,
        "duplicate_count": 0,
        "rejected_count": 0,
        "progress": 0.0,
        "fault": "",
        "hint": "",
        "created_at": NOW,
        "created_by": "Ada Lovelace",
    }
    return DistributionList(**(facts | overrides))


def make_campaign(**overrides: Any) -> Campaign:
    facts: dict[str, Any] = {
        "campaign_id": "campaign-1",
        "account_id": "account-1",
        "source": Source.CAMPAIGN,
        "name": "Spring greeting",
        "sender_id": "HELIOGRAPH",
        "lists": (ChosenList("list-1", "Spring guests"),),
        "message": "Hello {FirstName}",
        "placeholders": {"FirstName": "FirstName"},
        "status": CampaignStatus.INACTIVE,
        "fault": "",
        "audience_count": 0,
        "created_at": NOW,
        "created_by": "Ada Lovelace",
    }
    return Campaign(**(facts | overrides))


def make_receipt(**overrides: Any) -> Receipt:
    facts: dict[str, Any] = {
        "gateway": "simulator",
        "gateway_message_id": "theirs-1",
        "receipt_state": "DELIVRD",
        "error_code": "",
        "done_at": NOW,
    }
    return Receipt(**(facts | overrides))


def make_reply(**overrides: Any) -> Reply:
    facts: dict[str, Any] = {
        "gateway": "simulator",
        "sender": "491796000001",
        "receiver": "HELIOGRAPH",
        "text": "STOP",
        "received_at": NOW,
        "reference": "",
    }
    return Reply(**(facts | overrides))
