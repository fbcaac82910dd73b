"""
Traffic accounts: which ones a person may see, which ones may send, and how administrators run them.

An administrator is who holds every permission there is (`Viewer.is_administrator`): he or she sees and runs all
accounts. Whoever else holds TrafficAccounts sees the accounts he or she belongs to, and names them.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import (
    INACTIVE_FAULT,
    Account,
    AccountStatus,
    AccountType,
    check_budget,
    check_rate,
    check_stop_confirmation,
)
from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.reports.paging import Page, PageRequest
from core.domain.words.counting import in_euros
from core.domain.words.names import check_name
from core.errors import Forbidden, InvalidInput, InvalidTransition, NotFound
from core.identifiers import new_id
from core.state.accounts import accounts, gateways
from core.state.campaigns import campaigns, holding
from core.state.engine.store import State
from core.state.people import users
from core.state.reports import audit

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AccountSettings:
    """
    How a Campaign account sends: *rate_tps* in segments per second, *budget_eur* a month, None for no end.

    *fallback_gateway* is used for messages that the first one certainly did not take, "" for none. *stop_confirmation*
    is what is sent, once, to whoever says STOP, "" for nothing.
    """

    gateway: str
    rate_tps: int
    budget_eur: Decimal | None = None
    fallback_gateway: str = ""
    stop_confirmation: str = ""


@dataclass(frozen=True)
class NewAccount:
    """An account to create; accounts that send outside the tool have no *settings*."""

    name: str
    display_name: str
    account_type: AccountType
    settings: AccountSettings | None = None


class ManagingAccounts:
    """The accounts behind every list, campaign and message."""

    def __init__(self, state: State) -> None:
        """Take the store."""
        self._state = state

    def list_accounts(self, viewer: Viewer) -> tuple[Account, ...]:
        """Return the accounts the viewer belongs to, by display name."""
        with self._state.read() as session:
            return accounts.list_accounts(session, viewer.account_ids)

    def list_sending(self, viewer: Viewer) -> tuple[Account, ...]:
        """Return those among them that may send."""
        return tuple(account for account in self.list_accounts(viewer) if account.can_send)

    def page(self, viewer: Viewer, request: PageRequest) -> Page[Account]:
        """Return a page of the viewer's accounts, an administrator's of all. Raises: Forbidden."""
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        with self._state.read() as session:
            return accounts.page_accounts(session, None if viewer.is_administrator else viewer.account_ids, request)

    def get(self, viewer: Viewer, account_id: str) -> Account:
        """Return the account. Raises: Forbidden. NotFound: not the viewer's, who is no administrator."""
        viewer.require(Permission.TRAFFIC_ACCOUNTS)
        if not viewer.is_administrator:
            viewer.require_account(account_id, "account")
        with self._state.read() as session:
            return accounts.get_account(session, account_id)

    def rename(self, viewer: Viewer, account_id: str, display_name: str, now: datetime) -> Account:
        """Change what people call the account. Raises: InvalidInput: not such a name. Forbidden, NotFound: as `get`."""
        before = self.get(viewer, account_id)
        new = _check_display_name(display_name)
        if new == before.display_name:
            return before
        with self._state.write() as session:
            accounts.set_display_name(session, account_id, new)
            details = {"display name": new, "before": before.display_name}
            _record(session, viewer, Action.ACCOUNT_CHANGED, before, now, details)
            return accounts.get_account(session, account_id)

    def create(self, viewer: Viewer, new: NewAccount, now: datetime) -> Account:
        """
        Create an active account and return it; the viewer belongs to it.

        Raises: Forbidden: not an administrator. InvalidInput: something cannot be used, or the name is taken; with the
            *field*.
        """
        require_administrator(viewer)
        account = _make(new)
        try:
            with self._state.write() as session:
                if accounts.is_name_taken(session, account.name):
                    raise _taken(account.name)
                _keep_gateways(session, account.gateway, account.fallback_gateway)
                accounts.add_account(session, account, now)
                users.add_membership(session, viewer.user_id, account.account_id)
                details = {"name": account.name, "type": account.account_type.value, **_in_words(account)}
                _record(session, viewer, Action.ACCOUNT_CREATED, account, now, details)
        except IntegrityError as error:
            # Somebody else was a moment faster.
            raise _taken(account.name) from error
        log.info("account_created", extra={"account_id": account.account_id, "user_id": viewer.user_id})
        return account

    def change(self, viewer: Viewer, account_id: str, settings: AccountSettings, now: datetime) -> Account:
        """
        Change by which gateway, how fast and for how much a month a Campaign account sends; return the account.

        Raises: Forbidden: not an administrator. NotFound. InvalidInput: something cannot be used; with the *field*.
        """
        require_administrator(viewer)
        checked = _check(settings)
        budget = check_budget(checked.budget_eur)
        with self._state.write() as session:
            before = accounts.lock_account(session, account_id)
            if before.account_type is not AccountType.CAMPAIGN:
                raise InvalidInput(
                    f"{before.display_name} sends outside the tool.", hint="Only Campaign accounts have a gateway."
                )
            _keep_gateways(session, checked.gateway, checked.fallback_gateway)
            accounts.set_gateways(session, account_id, checked.gateway, checked.fallback_gateway)
            accounts.set_rate(session, account_id, checked.rate_tps)
            accounts.set_budget(session, account_id, budget)
            accounts.set_stop_confirmation(session, account_id, checked.stop_confirmation)
            after = accounts.get_account(session, account_id)
            words, old = _in_words(after), _in_words(before)
            changed = {what: f"{old[what]} → {word}" for what, word in words.items() if word != old[what]}
            if changed:
                _record(session, viewer, Action.ACCOUNT_CHANGED, before, now, changed)
            if (after.gateway, after.fallback_gateway) != (before.gateway, before.fallback_gateway):
                # What has waited for a gateway that fails need not wait for it any longer.
                holding.let_account_go(session, after, now)
        return after

    def activate(self, viewer: Viewer, account_id: str, now: datetime) -> Account:
        """
        Let the account be used again and return it; campaigns stay paused until somebody resumes them.

        Raises: Forbidden: not an administrator. NotFound. InvalidTransition: it is active.
        """
        require_administrator(viewer)
        with self._state.write() as session:
            return _move(session, viewer, account_id, AccountStatus.ACTIVE, now)

    def deactivate(self, viewer: Viewer, account_id: str, now: datetime) -> Account:
        """
        Close the account and return it: nobody sends with it, its campaigns are paused, its messages are not shown.

        Raises: Forbidden: not an administrator. NotFound. InvalidTransition: it is inactive.
        """
        require_administrator(viewer)
        with self._state.write() as session:
            account = _move(session, viewer, account_id, AccountStatus.INACTIVE, now)
            for campaign in campaigns.list_active(session, account_id):
                # A worker may be completing it: look again once it is ours.
                current = campaigns.lock_campaign(session, campaign.campaign_id)
                if current.status is CampaignStatus.ACTIVE:
                    campaigns.move_from(session, current, CampaignStatus.PAUSED, fault=INACTIVE_FAULT)
        log.info("account_deactivated", extra={"account_id": account_id, "user_id": viewer.user_id})
        return account

    def open_account(self, account: Account, prices: Iterable[Price], now: datetime) -> Account:
        """Create the account (its id is given here) with its price list, for the installation itself."""
        created = replace(account, account_id=new_id())
        with self._state.write() as session:
            accounts.add_account(session, created, now)
            accounts.set_prices(session, created.account_id, prices)
        return created

    def join(self, user_id: str, account_id: str) -> None:
        """Let the person work with the account, for the installation itself."""
        with self._state.write() as session:
            users.add_membership(session, user_id, account_id)


def _make(new: NewAccount) -> Account:
    name, display_name = check_name(new.name, "account"), _check_display_name(new.display_name)
    settings = AccountSettings("", 1)
    if new.account_type is AccountType.CAMPAIGN:
        settings = _check(new.settings or AccountSettings("", 0))
    return Account(
        account_id=new_id(),
        name=name,
        display_name=display_name,
        account_type=new.account_type,
        status=AccountStatus.ACTIVE,
        gateway=settings.gateway,
        rate_tps=settings.rate_tps,
        monthly_budget_eur_cents=check_budget(settings.budget_eur),
        fallback_gateway=settings.fallback_gateway,
        stop_confirmation=settings.stop_confirmation,
    )


def _check(settings: AccountSettings) -> AccountSettings:
    if not settings.gateway:
        raise InvalidInput("No gateway is chosen.", hint="Choose the gateway it sends by.", field="gateway")
    if settings.fallback_gateway == settings.gateway:
        raise InvalidInput(
            "The fallback gateway is the gateway itself.",
            hint="Choose another one, or none.",
            field="fallback_gateway",
        )
    check_rate(settings.rate_tps)
    return replace(settings, stop_confirmation=check_stop_confirmation(settings.stop_confirmation))


def _keep_gateways(session: Session, gateway: str, fallback_gateway: str) -> None:
    """Let nobody delete the gateways until the transaction ends. Raises: InvalidInput: there is no such gateway."""
    # Always in the same order, or two who choose the same two would wait for each other.
    for name, field in sorted({gateway: "gateway", fallback_gateway: "fallback_gateway"}.items()):
        try:
            if name:
                gateways.lock_gateway(session, name)
        except NotFound as error:
            raise InvalidInput(error.message, hint="Reload the page and choose another one.", field=field) from error


def require_administrator(viewer: Viewer) -> None:
    """Raise `Forbidden` unless the viewer may run accounts."""
    viewer.require(Permission.TRAFFIC_ACCOUNTS)
    if not viewer.is_administrator:
        raise Forbidden("Only an administrator may do this.", hint="Ask an administrator.")


def _check_display_name(display_name: str) -> str:
    try:
        return check_name(display_name, "display")
    except InvalidInput as error:
        error.field = "display_name"
        raise


def _taken(name: str) -> InvalidInput:
    return InvalidInput(f"There is already an account called {name}.", hint="Choose another name.", field="name")


def _move(session: Session, viewer: Viewer, account_id: str, to: AccountStatus, now: datetime) -> Account:
    account = accounts.lock_account(session, account_id)
    if account.status is to:
        raise InvalidTransition(
            f"The account {account.display_name} is already {to}.", hint="Reload the page to see it."
        )
    accounts.set_status(session, account_id, to)
    action = Action.ACCOUNT_ACTIVATED if to is AccountStatus.ACTIVE else Action.ACCOUNT_DEACTIVATED
    _record(session, viewer, action, account, now, {})
    return replace(account, status=to)


def _in_words(account: Account) -> dict[str, str]:
    """Return what the audit says of how the account sends."""
    budget = account.monthly_budget_eur_cents
    return {
        "gateway": account.gateway or "none",
        "fallback gateway": account.fallback_gateway or "none",
        "segments per second": str(account.rate_tps),
        "confirmation of STOP": account.stop_confirmation or "none",
        "budget": "none" if budget is None else in_euros(budget),
    }


def _record(
    session: Session, viewer: Viewer, action: Action, account: Account, now: datetime, details: Mapping[str, str]
) -> None:
    subject = Subject("account", account.account_id, account.display_name)
    audit.record(session, viewer, action, subject, now, details)
