"""
Spending: what an account has spent in a month, and a campaign in all, as running counters.

A message counts with its price from its claim on, in the transaction of the claim. One that its gateway certainly did
not take, or refused, is given back in the transaction that says so. One without an answer counts: it may be sent. One
that was claimed in a month and taken in the next is of the month in which it was taken, as in the history.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, CursorResult, bindparam, case, delete, select, update
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import AccountStatus, AccountType
from core.domain.messages.messages import LedgerState
from core.state.engine.prepared import Prepared
from core.state.tables.base import count_changed, in_portions, insert_of
from core.state.tables.leases import is_free
from core.state.tables.models import AccountRow, BatchRow, CampaignRow, LedgerRow, OutcomeRow
from core.state.tables.spending_models import AccountSpendingRow, BudgetEventRow, CampaignSpendingRow

_SPENT = (LedgerState.CLAIMED, LedgerState.SENT, LedgerState.UNKNOWN)
# What has no answer may have been sent from its claim on.
_SPENT_AT = case((LedgerRow.state == LedgerState.SENT, LedgerRow.submitted_at), else_=LedgerRow.claimed_at)

_ADD_TO_ACCOUNT = Prepared(
    update(AccountSpendingRow)
    .where(AccountSpendingRow.account_id == bindparam("account"), AccountSpendingRow.month == bindparam("of_month"))
    .values(spent_eur_cents=AccountSpendingRow.spent_eur_cents + bindparam("more"))
    .returning(AccountSpendingRow.spent_eur_cents),
    ("more", "account", "of_month"),
)
_ADD_TO_CAMPAIGN = Prepared(
    update(CampaignSpendingRow)
    .where(CampaignSpendingRow.campaign_id == bindparam("campaign"))
    .values(spent_eur_cents=CampaignSpendingRow.spent_eur_cents + bindparam("more"))
    .returning(CampaignSpendingRow.spent_eur_cents),
    ("more", "campaign"),
)


@dataclass(frozen=True)
class Spent:
    """What an account has spent in the month, and the campaign in all, EUR cents."""

    of_account: Decimal
    of_campaign: Decimal


def charge(session: Session, account_id: str, month: date, campaign_id: str, eur_cents: Decimal) -> Spent | None:
    """
    Add to both counters, or give back what is below 0; return what they are then, None where one is not counted yet.

    The account's comes first, for everybody: two who took them in different orders would wait for each other.
    """
    of_account = _add_to_account(session, account_id, month, eur_cents)
    if of_account is None:
        return None
    of_campaign = _add_to_campaign(session, campaign_id, eur_cents)
    if of_campaign is None:
        _add_to_account(session, account_id, month, -eur_cents)
        return None
    return Spent(of_account, of_campaign)


def _add_to_account(session: Session, account_id: str, month: date, eur_cents: Decimal) -> Decimal | None:
    found = _ADD_TO_ACCOUNT.fetch(session, eur_cents, account_id, month)
    return found[0][0] if found else None


def _add_to_campaign(session: Session, campaign_id: str, eur_cents: Decimal) -> Decimal | None:
    found = _ADD_TO_CAMPAIGN.fetch(session, eur_cents, campaign_id)
    return found[0][0] if found else None


def move_to_month(session: Session, account_id: str, earlier: date, later: date, eur_cents: Decimal) -> None:
    """Let the account have spent this in a *later* month. If that is not counted yet, whoever does finds it there."""
    _add_to_account(session, account_id, earlier, -eur_cents)
    _add_to_account(session, account_id, later, eur_cents)


def find_account_spending(session: Session, account_ids: Collection[str], month: date) -> Mapping[str, Decimal]:
    """Return what each account has spent in the month; those that are not counted yet are absent."""
    rows = select(AccountSpendingRow.account_id, AccountSpendingRow.spent_eur_cents)
    mine = (AccountSpendingRow.account_id.in_(account_ids), AccountSpendingRow.month == month)
    return dict(session.execute(rows.where(*mine)).all())


def find_campaign_spending(session: Session, campaign_id: str) -> Decimal | None:
    """Return what the campaign has spent; None where that is not counted yet."""
    mine = CampaignSpendingRow.campaign_id == campaign_id
    return session.scalar(select(CampaignSpendingRow.spent_eur_cents).where(mine))


def open_account(session: Session, account_id: str, month: date, eur_cents: Decimal) -> None:
    """Begin to count the account's month with what was spent before; harmless when somebody else has."""
    adding = insert_of(session)(AccountSpendingRow).on_conflict_do_nothing()
    session.execute(adding.values(account_id=account_id, month=month, spent_eur_cents=eur_cents))


def open_campaign(session: Session, campaign_id: str, eur_cents: Decimal) -> None:
    """Begin to count the campaign with what was spent before; harmless when somebody else has."""
    adding = insert_of(session)(CampaignSpendingRow).on_conflict_do_nothing()
    session.execute(adding.values(campaign_id=campaign_id, spent_eur_cents=eur_cents))


def correct_account(session: Session, account_id: str, month: date, seen: Decimal, counted: Decimal) -> bool:
    """Replace what was *seen* by what was counted; False when the account has spent or got back something since."""
    row = AccountSpendingRow
    same = (row.account_id == account_id, row.month == month, row.spent_eur_cents == seen)
    result = session.execute(update(row).where(*same).values(spent_eur_cents=counted))
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def list_counted(session: Session, month: date) -> Mapping[str, Decimal]:
    """Return what every account that is counted has spent in the month."""
    rows = select(AccountSpendingRow.account_id, AccountSpendingRow.spent_eur_cents)
    return dict(session.execute(rows.where(AccountSpendingRow.month == month)).all())


def list_senders(session: Session) -> list[str]:
    """Return the accounts that may send from here."""
    sending = (AccountRow.account_type == AccountType.CAMPAIGN, AccountRow.status == AccountStatus.ACTIVE)
    return list(session.scalars(select(AccountRow.account_id).where(*sending).order_by(AccountRow.account_id)))


def list_spent_in_ledger(
    session: Session, account_id: str, since: datetime, campaign_id: str = ""
) -> Mapping[str, list[str]]:
    """Return by campaign the messages of the account, or of one campaign, that count as spent since then."""
    mine = CampaignRow.campaign_id == campaign_id if campaign_id else CampaignRow.account_id == account_id
    return _list_spent(session, mine & (since <= _SPENT_AT))


def list_spent_before(session: Session, account_id: str, until: datetime) -> Mapping[str, list[str]]:
    """Return by campaign the account's messages in batches that are not settled, that were spent before then."""
    return _list_spent(session, (CampaignRow.account_id == account_id) & (until > _SPENT_AT))


def _list_spent(session: Session, which: ColumnElement[bool]) -> Mapping[str, list[str]]:
    rows = (
        select(LedgerRow.campaign_id, LedgerRow.message_id)
        .join(CampaignRow, CampaignRow.campaign_id == LedgerRow.campaign_id)
        .where(which, LedgerRow.state.in_(_SPENT))
    )
    found: dict[str, list[str]] = {}
    for owner, message_id in session.execute(rows):
        found.setdefault(owner, []).append(message_id)
    return found


def list_with_unknown(session: Session, account_id: str, since: datetime) -> list[str]:
    """Return the account's campaigns, under way since then, that have settled messages of which nobody heard."""
    unknown = (OutcomeRow.outcome == LedgerState.UNKNOWN, OutcomeRow.message_count > 0)
    lately = CampaignRow.completed_at.is_(None) | (CampaignRow.completed_at >= since)
    rows = select(CampaignRow.campaign_id).join(OutcomeRow, OutcomeRow.campaign_id == CampaignRow.campaign_id)
    return list(session.scalars(rows.where(CampaignRow.account_id == account_id, lately, *unknown)))


def list_still_claimed(session: Session, message_ids: Collection[str]) -> list[str]:
    """Return which of the messages are claimed and have no outcome yet."""
    found: list[str] = []
    for part in in_portions(set(message_ids)):
        mine = (LedgerRow.message_id.in_(part), LedgerRow.state == LedgerState.CLAIMED)
        found += session.scalars(select(LedgerRow.message_id).where(*mine))
    return found


def may_get_back(session: Session, account_id: str, now: datetime, campaign_id: str = "") -> bool:
    """
    Return whether anything of the account, or of one campaign, is with a gateway that has not answered yet.

    What a dead worker had claimed is not: it is never given back.
    """
    mine = CampaignRow.campaign_id == campaign_id if campaign_id else CampaignRow.account_id == account_id
    in_flight = (LedgerRow.state == LedgerState.CLAIMED, ~is_free(BatchRow, now))
    rows = (
        select(LedgerRow.message_id)
        .join(BatchRow, BatchRow.batch_id == LedgerRow.batch_id)
        .join(CampaignRow, CampaignRow.campaign_id == BatchRow.campaign_id)
    )
    return session.scalar(rows.where(mine, *in_flight).limit(1)) is not None


def note_event(
    session: Session, subject_id: str, month: date, threshold: str, budget_eur_cents: Decimal, now: datetime
) -> bool:
    """Remember that people are told; False when they were, by whomever."""
    adding = insert_of(session)(BudgetEventRow).on_conflict_do_nothing().returning(BudgetEventRow.subject_id)
    key = {"subject_id": subject_id, "month": month, "threshold": threshold, "budget_eur_cents": budget_eur_cents}
    return session.scalar(adding.values(**key, told_at=now)) is not None


def delete_old(session: Session, before: datetime) -> int:
    """Forget what was told, and the months of accounts that ended, before then; return how much that was."""
    gone = (
        delete(BudgetEventRow).where(BudgetEventRow.told_at < before),
        delete(AccountSpendingRow).where(AccountSpendingRow.month < before.date().replace(day=1)),
    )
    return sum(count_changed(session, statement) for statement in gone)
