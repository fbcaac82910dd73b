"""Traffic accounts: whose messages, through which gateway, how fast."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.domain.texts.segments import measure
from core.domain.words.characters import compose
from core.domain.words.control_characters import refuse_controls
from core.domain.words.counting import FIXED, count_of, grouped, in_euros
from core.errors import Forbidden, InvalidInput


class AccountType(StrEnum):
    """HTTP and SMPP accounts send outside the tool; Campaign accounts send from it."""

    HTTP = "HTTP"
    SMPP = "SMPP"
    CAMPAIGN = "Campaign"


class AccountStatus(StrEnum):
    """Whether the account may be used."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"


@dataclass(frozen=True)
class Account:
    """
    A traffic account. *rate_tps* is in segments per second; a *monthly_budget_eur_cents* of None has no end.

    *gateway* is "" where it sends outside the tool. *fallback_gateway* is used for messages that the first one
    certainly did not take, "" for none. *stop_confirmation* is what is sent to whoever says STOP, "" for nothing.
    """

    account_id: str
    name: str
    display_name: str
    account_type: AccountType
    status: AccountStatus
    gateway: str
    rate_tps: int
    monthly_budget_eur_cents: Decimal | None = None
    fallback_gateway: str = ""
    stop_confirmation: str = ""

    @property
    def can_send(self) -> bool:
        """Only an active account of type Campaign sends."""
        return can_send(self.account_type, self.status)

    @property
    def closed_because(self) -> str:
        """Why it does not send, to be read after "is"; "" when it does."""
        if self.account_type is not AccountType.CAMPAIGN:
            return f"of type {self.account_type}: its messages are sent outside Heliograph"
        return "" if self.can_send else "inactive: an administrator can activate it"


def can_send(account_type: AccountType, status: AccountStatus) -> bool:
    """Return whether an account of that type and status sends."""
    return account_type is AccountType.CAMPAIGN and status is AccountStatus.ACTIVE


def require_sending(account: Account) -> Account:
    """Return *account*. Raises: Forbidden: it may not send."""
    if not account.can_send:
        raise Forbidden(
            f"The account {account.display_name} may not send.",
            hint="Sending needs an active traffic account of type Campaign.",
        )
    return account


def label_accounts(accounts: Iterable[Account]) -> dict[str, str]:
    """
    Return what each account is called where it stands for itself, by its id: its display name.

    Display names need not differ: where another one of *accounts* is called the same, its own name is added, which no
    other has.
    """
    known = list(accounts)
    called = Counter(name for each in known for name in {each.name.lower(), each.display_name.lower()})
    return {
        each.account_id: each.display_name
        if called[each.display_name.lower()] == 1
        else f"{each.display_name} ({each.name})"
        for each in known
    }


# Why a campaign is paused whose account became inactive.
INACTIVE_FAULT = "The traffic account is inactive. Resume the campaign when the account is active again."

# Segments per second. Nothing sends faster: the upper end is a slip of the finger, not a limit of ours.
RATE_MIN, RATE_MAX = 1, 1_000_000
# EUR a month; beyond it, somebody typed cents.
BUDGET_MAX_EUR = Decimal(100_000_000)
# Of the text that confirms a STOP: nobody asked for more.
CONFIRMATION_MAX_SEGMENTS = 3


def check_rate(rate_tps: int) -> int:
    """Return *rate_tps*. Raises: InvalidInput: out of bounds."""
    if not RATE_MIN <= rate_tps <= RATE_MAX:
        raise InvalidInput(
            f"{count_of(rate_tps, 'segment', 'segments')} per second cannot be a rate.",
            hint=f"Choose {RATE_MIN} to {grouped(RATE_MAX)}.",
            field="rate",
        )
    return rate_tps


def check_stop_confirmation(text: str) -> str:
    """Return the text that confirms a STOP, "" for none. Raises: InvalidInput: too long, or a control character."""
    text = compose(text.strip())
    refuse_controls(text, "The confirmation", is_prose=True, field="stop_confirmation")
    if measure(text).segment_count > CONFIRMATION_MAX_SEGMENTS:
        raise InvalidInput(
            f"The confirmation needs more than {CONFIRMATION_MAX_SEGMENTS} segments.",
            hint="Shorten it.",
            field="stop_confirmation",
        )
    return text


def check_budget(eur: Decimal | None) -> Decimal | None:
    """Return a budget in EUR cents, None for none. Raises: InvalidInput: out of bounds, or parts of a cent."""
    if eur is None:
        return None
    if not eur.is_finite() or not 0 <= eur <= BUDGET_MAX_EUR or eur * 100 != int(eur * 100):
        raise InvalidInput(
            f"€{FIXED}{eur} cannot be a budget.",
            hint=f"Choose {in_euros(Decimal(0))} to {in_euros(BUDGET_MAX_EUR * 100)}, with at most two decimals.",
            field="budget",
        )
    return eur * 100
