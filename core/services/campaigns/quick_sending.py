"""Quick sending: a message to a few numbers typed in by hand, at once, as a campaign of source Quick Send."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import require_sending
from core.domain.accounts.pricing import find_price
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.campaigns.schedules import FORMAT
from core.domain.gateways.gateways import SIMULATOR
from core.domain.messages.messages import SUPPRESSIONS, Exclusion
from core.domain.numbering import get_destination
from core.domain.numbering.msisdn import parse_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, campaign_subject
from core.domain.texts.placeholders import is_blank
from core.domain.texts.segments import TextMeasure, measure
from core.domain.texts.sender_id import parse_sender_id
from core.domain.texts.simplifying import simplify
from core.domain.words.characters import compose
from core.domain.words.counting import count_of, grouped, in_euros
from core.domain.words.names import NAME_MAX
from core.errors import InvalidInput, InvalidMsisdn, NotFound
from core.identifiers import derive_id
from core.services.accounts.budgeting import Budgeting, Commitments, beyond_budget, is_enough, read_commitments
from core.services.accounts.managing_accounts import require_administrator
from core.services.campaigns.composing import Composing, check_message, draft_of
from core.services.campaigns.deciding import decide_sender
from core.services.campaigns.placing import Placing
from core.state.accounts import accounts, gateways
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.reports import audit
from core.state.suppressions.suppressions import find_suppressed

log = logging.getLogger(__name__)

# Of all gateways and administrators together: each costs money, and goes to somebody's phone.
TESTS_MOST, TESTS_WITHIN = 20, timedelta(minutes=10)


@dataclass(frozen=True)
class QuickMessage:
    """
    What is sent to whom.

    *token* is a UUID that the form makes once for each message: however often a person sends it, it goes out once. The
    campaign's id is derived from both: a token that is the id of something else reaches nothing of it. However it was
    typed, the letters of the *message* are in one piece. *is_test*: the text has somebody else's values in it.
    *gateway* is the one it goes by whatever the account's is, "" for the account's.
    """

    token: str
    account_id: str
    sender_id: str
    numbers: tuple[str, ...]
    message: str
    simplifies: bool = False
    name: str = ""
    is_test: bool = False
    gateway: str = ""

    def __post_init__(self) -> None:
        """Compose the letters, for all who measure or send it."""
        object.__setattr__(self, "message", compose(self.message))


@dataclass(frozen=True)
class Estimate:
    """
    What a Quick Send comes to.

    *recipient_count* get a message, those in *excluded* (by reason) do not; *measure* is of the message as it is sent.
    *budget_left_eur_cents* is before sending, None without a budget.
    """

    recipient_count: int
    excluded: dict[str, int]
    measure: TextMeasure
    cost_eur_cents: Decimal
    budget_left_eur_cents: Decimal | None

    @property
    def is_beyond_budget(self) -> bool:
        """Whether the account has a budget, and that does not suffice."""
        left = self.budget_left_eur_cents
        return left is not None and self.cost_eur_cents > left

    def summary(self, estimated_at: datetime) -> dict[str, Any]:
        """Return what is kept with the campaign, in the form of a preflight's."""
        return {
            "checked_at": estimated_at.isoformat(),
            "fingerprint": "",
            "audience_count": self.recipient_count + sum(self.excluded.values()),
            "recipient_count": self.recipient_count,
            "segment_count": self.recipient_count * self.measure.segment_count,
            "cost_eur_cents": str(self.cost_eur_cents),
            "excluded": dict(self.excluded),
        }


class QuickSending:
    """Sends at once; there is no draft and no schedule."""

    def __init__(self, state: State, placing: Placing, composing: Composing, budgeting: Budgeting, most: int) -> None:
        """Take the store, who places what is sent, and to how many numbers one message may go."""
        self._state = state
        self._placing = placing
        self._composing = composing
        self._budgeting = budgeting
        self.most = most

    def estimate(self, viewer: Viewer, order: QuickMessage, now: datetime) -> Estimate:
        """
        Return what sending would come to.

        Raises: InvalidInput: sender, numbers or message cannot be used, nobody would receive it, or the budget does not
            suffice; with the *field*. Forbidden: the account may not send.
        """
        viewer.require(Permission.QUICK_SEND)
        checked = replace(_checked(order, self.most), token=_identify(viewer, order.token))
        estimate, _ = self._estimate(viewer, checked, now)
        _check_estimate(estimate)
        return estimate

    def find_estimate(self, viewer: Viewer, order: QuickMessage, now: datetime) -> Estimate | None:
        """
        Return what sending would come to, perhaps more than the budget has left; None for what cannot be sent yet.

        Raises: Forbidden: the account may not send.
        """
        viewer.require(Permission.QUICK_SEND)
        try:
            checked = replace(_checked(order, self.most), token=_identify(viewer, order.token))
        except InvalidInput:
            # Something is still missing; what it is, sending says.
            return None
        return self._estimate(viewer, checked, now)[0]

    def send(self, viewer: Viewer, order: QuickMessage, now: datetime) -> Campaign:
        """
        Send the message and return its campaign, Processing; the same campaign when it was sent before.

        Raises: as `estimate`.
        """
        viewer.require(Permission.QUICK_SEND)
        return self._send(viewer, replace(order, gateway=""), now, Permission.QUICK_SEND)

    def send_gateway_test(self, viewer: Viewer, order: QuickMessage, now: datetime) -> Campaign:
        """
        Send the message by the *order*'s gateway, to one number, and return its campaign.

        It is a Quick Send: in the history, counted and priced as any other; what is to be sent waits for no campaign.

        Raises: InvalidInput, with the *field*: as `estimate`, or the number does not want messages, or there were too
            many tests lately. NotFound: no such gateway. Forbidden: not an administrator, or the account may not send.
        """
        require_administrator(viewer)
        with self._state.read() as session:
            # Without a name it would be a Quick Send, of which nobody counts how many there are.
            gateways.get_gateway(session, order.gateway)
        estimate, _ = self._estimate(viewer, replace(_checked(order, 1), token=_identify(viewer, order.token)), now)
        if not estimate.excluded.keys().isdisjoint(SUPPRESSIONS):
            raise InvalidInput(
                "This number does not want messages: it is suppressed.", hint="Type another one.", field="numbers"
            )
        name = f"Test of {order.gateway}"[:NAME_MAX]
        return self._send(viewer, replace(order, name=name), now, Permission.QUICK_SEND)

    def send_test(
        self, viewer: Viewer, campaign_id: str, number: str, position: int, token: str, now: datetime
    ) -> Campaign:
        """
        Send the campaign's message, as the recipient at *position* (from 0) would get it, to *number*.

        It is a Quick Send of its own, so that the campaign's audience and counts stay what they are.

        Raises: InvalidInput, with the *field*. NotFound: no such campaign. Forbidden: the account may not send.
        """
        viewer.require(Permission.CAMPAIGN)
        campaign = self._composing.get(viewer, campaign_id)
        shown = self._composing.preview(viewer, draft_of(campaign), position)
        name = f"Test of {campaign.name}"[:NAME_MAX]
        order = QuickMessage(
            token, campaign.account_id, campaign.sender_id, (number,), shown.text, name=name, is_test=True
        )
        return self._send(viewer, order, now, Permission.CAMPAIGN)

    def _send(self, viewer: Viewer, order: QuickMessage, now: datetime, permission: Permission) -> Campaign:
        campaign_id = _identify(viewer, order.token)
        before = self._find(viewer, campaign_id)
        if before is not None:
            return before
        order = replace(_checked(order, self.most), token=campaign_id)
        estimate, known = self._estimate(viewer, order, now)
        _check_estimate(estimate)
        new = replace(_make_campaign(viewer, order, campaign_id, now), preflight=estimate.summary(now))

        def judge(session: Session) -> bool:
            account = decide_sender(session, viewer, permission, order.account_id)
            if order.gateway:
                _decide_gateway(session, order.gateway, now)
            left, cost = estimate.budget_left_eur_cents, estimate.cost_eur_cents
            return is_enough(session, account, known, left, cost, but=campaign_id)

        def note(session: Session) -> None:
            details = {
                "recipients": grouped(estimate.recipient_count),
                "cost": in_euros(estimate.cost_eur_cents),
            }
            details |= {"gateway": order.gateway} if order.gateway else {}
            audit.record(session, viewer, Action.QUICK_SENT, campaign_subject(new), now, details)

        if not self._placing.place(new, order.numbers, judge, note):
            # A double click: the other one was a moment faster.
            return self._composing.get(viewer, campaign_id)
        log.info("quick_sent", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
        return new

    def _find(self, viewer: Viewer, campaign_id: str) -> Campaign | None:
        try:
            return self._composing.get(viewer, campaign_id)
        except NotFound:
            return None

    def _estimate(self, viewer: Viewer, order: QuickMessage, now: datetime) -> tuple[Estimate, Commitments]:
        viewer.require_account(order.account_id, "account")
        with self._state.read() as session:
            known = read_commitments(session, require_sending(accounts.get_account(session, order.account_id)), now)
            prices = accounts.list_prices(session, order.account_id, now.astimezone(UTC).date())
            suppressed = find_suppressed(session, order.account_id, order.numbers)
        found = measure(simplify(order.message) if order.simplifies else order.message)
        excluded: Counter[str] = Counter()
        cost, kept = Decimal(0), 0
        for number in order.numbers:
            destination = get_destination(number)
            price = find_price(prices, destination.country, destination.mccmnc)
            if number in suppressed:
                excluded[suppressed[number]] += 1
            elif price is None:
                excluded[Exclusion.NO_PRICE] += 1
            else:
                cost, kept = cost + price * found.segment_count, kept + 1
        left = self._budgeting.find_left(known, now, but=order.token)
        return Estimate(kept, dict(excluded), found, cost, left), known


def parse_numbers(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the numbers in E.164, each once, in order. Raises: InvalidInput: names the first that is none."""
    numbers = []
    for text in texts:
        try:
            numbers.append(parse_msisdn(text))
        except InvalidMsisdn as error:
            raise InvalidInput(f"{text[:40]}: {error.message}", hint=error.hint, field="numbers") from error
    return tuple(dict.fromkeys(numbers))


def _checked(order: QuickMessage, most: int) -> QuickMessage:
    if not order.numbers:
        raise InvalidInput("There are no recipients.", hint="Type a number and press Enter.", field="numbers")
    if len(order.numbers) > most:
        raise InvalidInput(
            f"There are {grouped(len(order.numbers))} recipients.",
            hint=f"Use at most {grouped(most)}; for more, import a distribution list.",
            field="numbers",
        )
    if is_blank(order.message):
        raise InvalidInput("The message is empty.", hint="Write what to send.", field="message")
    return QuickMessage(
        token=order.token,
        account_id=order.account_id,
        sender_id=parse_sender_id(order.sender_id),
        numbers=parse_numbers(order.numbers),
        message=check_message(order.message, simplifies=order.simplifies),
        simplifies=order.simplifies,
        name=order.name,
        is_test=order.is_test,
        gateway=order.gateway,
    )


def _decide_gateway(session: Session, name: str, now: datetime) -> None:
    """Let a test of the gateway pass. Raises: NotFound. InvalidInput: there were too many."""
    # The one that is always there is locked by all: else two by different gateways count the same tests before them.
    for each in sorted({SIMULATOR, name}):
        gateways.lock_gateway(session, each)
    if campaigns.count_gateway_tests(session, now - TESTS_WITHIN) >= TESTS_MOST:
        tests = count_of(TESTS_MOST, "test of a gateway was", "tests of gateways were")
        minutes = count_of(TESTS_WITHIN // timedelta(minutes=1), "minute", "minutes")
        raise InvalidInput(
            f"{tests} sent in the last {minutes}.",
            hint="Try again in a few minutes.",
        )


def _check_estimate(estimate: Estimate) -> None:
    if not estimate.recipient_count:
        raise InvalidInput(
            f"Nobody would receive the message: {', '.join(estimate.excluded)}.",
            hint="Type other numbers.",
            field="numbers",
        )
    if estimate.is_beyond_budget:
        raise beyond_budget("message", "numbers")


def _identify(viewer: Viewer, token: str) -> str:
    """Return the campaign id that belongs to the viewer's form. Raises: InvalidInput: *token* is no UUID."""
    try:
        return derive_id("quick_send", viewer.user_id, str(UUID(token)))
    except ValueError:
        raise InvalidInput("The form can no longer be sent.", hint="Reset the form and start over.") from None


def _make_campaign(viewer: Viewer, order: QuickMessage, campaign_id: str, now: datetime) -> Campaign:
    local = now.astimezone(ZoneInfo(viewer.time_zone))
    return Campaign(
        campaign_id=campaign_id,
        account_id=order.account_id,
        source=Source.QUICK_SEND,
        name=order.name or f"Quick Send {local:{FORMAT}}",
        sender_id=order.sender_id,
        lists=(),
        message=order.message,
        placeholders={},
        status=CampaignStatus.PROCESSING,
        fault="",
        audience_count=0,
        created_at=now,
        created_by=viewer.name,
        simplifies=order.simplifies,
        launched_at=now,
        is_test=order.is_test,
        gateway=order.gateway,
    )
