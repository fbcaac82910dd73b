"""
One lease of one batch: claim before submit, outcome after, sub-window by sub-window.

One transaction renews the lease, writes the outcomes of the last sub-window, books when the next one leaves and
writes its claims; then the gateway is called with no transaction open. Whatever the moment of a crash, a message that
was claimed is never claimed again: what has no outcome when the lease moves on is unknown, and that is one sub-window
at most.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from math import ceil

import pyarrow as pa
from sqlalchemy.orm import Session

from core.domain.accounts.accounts import INACTIVE_FAULT
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.messages.messages import LedgerState, OutboundMessage, SubmitOutcome, SubmitResult, count_outcomes
from core.errors import ConfigurationError, Conflict, InvalidTransition, StorageError, Unavailable
from core.gateways.base import Observed
from core.gateways.gateways import Gateways
from core.history.audience.audience_store import AudienceStore
from core.services.accounts.gateway_health import GatewayHealth
from core.services.leases import Leases
from core.services.sending.batch_history import BatchHistory
from core.services.sending.handing_over import Handed, HandingOver
from core.services.sending.leaving_out import find_left_out
from core.services.sending.pacing import BookingAgain, Pacing, Slots
from core.services.sending.spending_limits import SpendingLimits
from core.state.accounts import accounts
from core.state.accounts.accounts import PacedAccount
from core.state.campaigns import campaigns, late_answers, ledger
from core.state.campaigns.campaigns import CampaignTerms
from core.state.campaigns.ledger import Batch, Claim, Outcome
from core.state.engine.store import State

log = logging.getLogger(__name__)

# The longest nap between two tries when others have booked all there is or the gateway asks for patience.
NAP_MAX_S = 0.5

STATES: Mapping[SubmitOutcome, LedgerState] = {
    SubmitOutcome.ACCEPTED: LedgerState.SENT,
    SubmitOutcome.REJECTED: LedgerState.FAILED,
    SubmitOutcome.UNKNOWN: LedgerState.UNKNOWN,
}


@dataclass(frozen=True)
class SendingTools:
    """What every batch needs; *sub_window* in messages."""

    state: State
    audience: AudienceStore
    gateways: Gateways
    settling: BatchHistory
    leases: Leases
    pacing: Pacing
    handing_over: HandingOver
    limits: SpendingLimits
    health: GatewayHealth
    sub_window: int


@dataclass(frozen=True)
class BatchJob:
    """
    A batch under lease by *owner*.

    *gateway* is its account's, by name, *fallback* the one for what that certainly did not take, "" for none;
    *claimed_ids* are what others have claimed of it before.
    """

    campaign: Campaign
    batch: Batch
    claimed_ids: frozenset[str]
    gateway: str
    fallback: str
    owner: str
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class Step:
    """
    What a transaction made of a sub-window: *claimed* to be handed over by *slots*, *excluded* for good.

    *stopped_because* says why no budget pays for any of it, "" where that is not so.
    """

    claimed: Sequence[OutboundMessage] = ()
    excluded: Sequence[OutboundMessage] = ()
    wait_s: float = 0.0
    slots: Slots = field(default_factory=Slots)
    stopped_because: str = ""


class BatchRun:
    """Sends what is pending in a batch and settles it when nothing is."""

    def __init__(self, tools: SendingTools, job: BatchJob, is_over: Callable[[], bool], stop: threading.Event) -> None:
        """Take the tools, the job, who says after each sub-window that this was the last, and what ends a nap."""
        self._tools = tools
        self._state = tools.state
        self._job = job
        self._is_over = is_over
        self._stop = stop
        # What came of the last sub-window, until it is recorded.
        self._handed: Handed | None = None
        self._fields = {
            "campaign_id": job.campaign.campaign_id,
            "batch_id": job.batch.batch_id,
            "gateway": job.gateway,
        }

    def run(self) -> None:
        """Send and settle; when stopped, paused, overtaken or out of time, let go and leave the rest pending."""
        job = self._job
        with self._tools.leases.keep(self._renewed):
            rows = self._tools.audience.batch(job.batch.campaign_id, job.batch.batch_no)
            self._spending = self._tools.limits.open(job.campaign, rows, job.clock())
            self._pacing = self._tools.pacing.open(job.campaign, job.clock)
            account_id, lasts = job.campaign.account_id, self._tools.leases.lasts
            self._again = BookingAgain(self._state, self._pacing, account_id, self._stop, lasts)
            outbound = _messages(rows, job.campaign.sender_id)
            try:
                finished = self._send([message for message in outbound if message.message_id not in job.claimed_ids])
            finally:
                # However it ends: what came of the last sub-window is known here and nowhere else.
                self._record()
            if finished:
                self._tools.settling.settle(job.campaign, job.batch, rows, job.clock())
                return
        with self._state.write() as session:
            ledger.release_batch(session, job.batch.batch_id, job.owner)

    def _send(self, waiting: list[OutboundMessage]) -> bool:
        while waiting:
            if self._is_over():
                return False
            # Asked each time, before anything is claimed: it may have been set up otherwise meanwhile.
            gateway = self._find_gateway()
            if gateway is None:
                return False
            window = self._pick(waiting, gateway)
            step = self._take_step(window, gateway) if window else Step(wait_s=NAP_MAX_S)
            if step is None:
                return False
            given_back, wait_s = list[OutboundMessage](), step.wait_s
            if step.claimed:
                handed = self._hand_over(gateway, step)
                given_back, wait_s = [*handed.given_back], handed.wait_s
            waiting = given_back + _without(waiting, window, step)
            if wait_s:
                self._record()
                self._stop.wait(min(wait_s, NAP_MAX_S))
        return True

    def _pick(self, waiting: Sequence[OutboundMessage], gateway: Observed) -> list[OutboundMessage]:
        """Return what is to be claimed next: no more than the gateway has in flight, or a kill would leave unknown."""
        most = min(self._tools.sub_window, gateway.window)
        return self._tools.handing_over.pick(waiting, most, self._job.clock())

    def _find_gateway(self) -> Observed | None:
        """Return the gateway; None when there is none to send by, for which the campaign is paused if it stays so."""
        job = self._job
        name = self._tools.health.choose(job.gateway, job.fallback, job.clock())
        try:
            return self._tools.gateways.get(name)
        except ConfigurationError as error:
            log.warning("gateway_not_set_up", extra=self._fields | {"reason": error.message})
            with self._state.read() as session:
                now = accounts.look_at_paced(session, self._job.campaign.account_id).gateway
            if (job.campaign.gateway or now) == job.gateway:
                self._pause(f"{error.message}\n{error.hint}".strip())
        except Unavailable as error:
            log.info("batch_left", extra=self._fields | {"reason": error.message})
        return None

    def _take_step(self, window: Sequence[OutboundMessage], gateway: Observed) -> Step | None:
        """Record what came of the last sub-window, and claim of the next; None when the batch is not ours to send."""
        had_outcomes = self._handed is not None
        try:
            return self._try_to_step(window, gateway)
        except StorageError:
            # Whether any of it stands is not known, but that nothing of the window has left is.
            self._record(window)
            if had_outcomes:
                # The store is back. Who has been excluded is read anew with the next lease.
                return None
            raise

    def _try_to_step(self, window: Sequence[OutboundMessage], gateway: Observed) -> Step | None:
        step, may_send, handed = None, True, self._handed
        with self._state.write() as session:
            mine = self._write(session, handed, ())
            # The account stays locked until the claims are written: after its deactivation there is none any more.
            paced = accounts.lock_paced(session, self._job.campaign.account_id)
            terms = campaigns.get_terms(session, self._job.campaign.campaign_id)
            if mine and terms.status is CampaignStatus.ACTIVE:
                may_send = paced.can_send
                # Whoever leases the batch next goes by the gateway the account has been given.
                if may_send and (self._job.campaign.gateway or paced.gateway) == self._job.gateway:
                    step = self._step(session, paced, terms, window, gateway)
        self._handed = None
        self._tell(handed, mine=mine)
        if step is None:
            log.info("batch_left", extra=self._fields | {"mine": mine, "status": terms.status, "may_send": may_send})
        fault = INACTIVE_FAULT if not may_send else step.stopped_because if step else ""
        if fault:
            self._pause(fault)
            return None
        return step

    def _step(
        self,
        session: Session,
        paced: PacedAccount,
        terms: CampaignTerms,
        window: Sequence[OutboundMessage],
        gateway: Observed,
    ) -> Step | None:
        """
        Exclude who gets none any more, and claim of the others what may leave soon and there is money for.

        None while it is not known what was spent.
        """
        now = self._job.clock()
        left_out = find_left_out(session, self._job.campaign, [message.msisdn for message in window], now)
        excluded = [message for message in window if message.msisdn in left_out]
        for reason in sorted(set(left_out.values())):
            these = [message for message in excluded if left_out[message.msisdn] is reason]
            ledger.exclude(session, self._job.batch, _claims(these, ""), reason, now)
            log.info("left_out_meanwhile", extra=self._fields | {"messages": len(these), "reason": reason.value})
        wanted = [message for message in window if message.msisdn not in left_out]
        if not wanted:
            return Step(excluded=excluded)
        slots = self._pacing.find(session, paced.rate_tps, terms.rate_tps, gateway, wanted)
        if not slots.messages:
            return Step(excluded=excluded, wait_s=slots.wait_s)
        paid = self._spending.take(session, paced, terms.budget_eur_cents, slots.messages, now)
        if paid is None:
            return None
        if not paid.messages:
            # Their moments are left to others.
            return Step(excluded=excluded, wait_s=paid.wait_s, stopped_because=paid.stopped_because)
        slots = slots.first(len(paid.messages))
        self._pacing.keep(session, slots, now)
        ledger.claim(session, self._job.batch, _claims(paid.messages, gateway.name), self._job.clock())
        return Step(paid.messages, excluded, slots=slots)

    def _hand_over(self, gateway: Observed, step: Step) -> Handed:
        """Hand over what is claimed; what came of it is recorded with the next claims, or at the end."""
        fields = self._fields | {"gateway": gateway.name}
        handing_over, claimed = self._tools.handing_over, step.claimed
        schedule = step.slots.schedule.booked_by(partial(self._again.book, gateway))
        handed = handing_over.hand_over(gateway, claimed, self._job.clock, fields, schedule)
        self._handed = handed
        self._spending.open_months(handed.results)
        self._pacing.note(step.slots, claimed, handed.late_ids)
        now, health = self._job.clock(), self._tools.health
        # No answer says nothing: a gateway that gives none does not work for that.
        if any(result.outcome is not SubmitOutcome.UNKNOWN for result in handed.results):
            health.took(gateway.name, now)
        if handed.fault:
            self._record()
            health.refused(gateway.name, handed.fault, now, needs_person=handed.needs_person)
        return handed

    def _pause(self, fault: str) -> None:
        # In a transaction of its own: that somebody else was first must not take back the unclaiming.
        try:
            with self._state.write() as session:
                campaigns.move_campaign(session, self._job.campaign.campaign_id, CampaignStatus.PAUSED, fault=fault)
        except (InvalidTransition, Conflict):
            log.info("campaign_not_active", extra=self._fields)

    def _record(self, unsent: Sequence[OutboundMessage] = ()) -> None:
        """
        Write what came of the last sub-window, if that is still to be done, in a transaction of its own.

        *unsent* is what may have been claimed and has certainly not left: it is pending again.
        Raises: StorageError: as `_insist`.
        """
        # Tried once: it would take no less time the second time.
        handed, self._handed = self._handed, None
        if handed is not None or unsent:
            mine = self._insist(lambda session: self._write(session, handed, unsent))
            self._tell(handed, mine=mine)

    def _write(self, session: Session, handed: Handed | None, unsent: Sequence[OutboundMessage]) -> bool:
        """
        Renew the lease and write the outcomes; False when the batch is not ours any more.

        Whoever has taken it calls its claims unknown. Those that the gateway has taken are answered late.
        """
        mine = self._renewed(session)
        if not mine and handed is not None:
            late_answers.add_late_answers(session, handed.accepted_at(self._job.clock()))
        if mine:
            self._spending.give_back(session, [*_list_free(handed), *(message.message_id for message in unsent)])
        if mine and handed is not None:
            self._spending.follow(session, handed.results)
            ledger.record_outcomes(session, [_outcome(result) for result in handed.results])
            unsent = [*handed.given_back, *unsent]
        if mine and unsent:
            ledger.unclaim(session, [message.message_id for message in unsent])
        return mine

    def _tell(self, handed: Handed | None, *, mine: bool) -> None:
        if handed is None:
            return
        counts = count_outcomes(handed.results) | {"given_back": len(handed.given_back)}
        if mine:
            log.info("sub_window_recorded", extra={**self._fields, **counts})
            return
        # Another worker has taken the batch and counts these as unknown. Changing that behind its back could make the
        # counts differ from history: so they are answered late. That the lease ran out is no matter while nobody did.
        log.error("outcomes_too_late", extra={**self._fields, **counts})

    def _insist(self, write: Callable[[Session], bool]) -> bool:
        """
        Write what only this thread knows, trying for as long as a lease lasts: unwritten, it is unknown for ever.

        *write* must do no harm a second time: a connection may die between a commit and the word of it.
        Raises: StorageError: the store did not answer all that time, or the worker stops.
        """
        for _ in range(ceil(self._tools.leases.lasts.total_seconds() / NAP_MAX_S)):
            try:
                with self._state.write() as session:
                    return write(session)
            except StorageError:
                log.warning("ledger_not_written", extra=self._fields, exc_info=True)
            if self._stop.wait(NAP_MAX_S):
                break
        with self._state.write() as session:
            return write(session)

    def _renewed(self, session: Session) -> bool:
        until = self._job.clock() + self._tools.leases.lasts
        return ledger.renew_batch(session, self._job.batch.batch_id, self._job.owner, until)


def _without(waiting: list[OutboundMessage], window: list[OutboundMessage], step: Step) -> list[OutboundMessage]:
    """Return, in order, whom the *step* has not taken: it has looked at the *window* of those who were waiting."""
    count = len(window)
    gone = {message.message_id for message in (*step.claimed, *step.excluded)}
    if len(gone) == count and waiting[:count] == window:
        # As nearly always; there may be thousands behind them.
        return waiting[count:]
    return [message for message in waiting if message.message_id not in gone]


def _outcome(result: SubmitResult) -> Outcome:
    return Outcome(
        result.message_id,
        STATES[result.outcome],
        result.submitted_at,
        result.error_code,
        result.gateway_message_id,
        part_ids=result.part_ids,
    )


def _list_free(handed: Handed | None) -> list[str]:
    """Return the messages that cost nothing after all."""
    if handed is None:
        return []
    rejected = [result.message_id for result in handed.results if result.outcome is SubmitOutcome.REJECTED]
    return rejected + [message.message_id for message in handed.given_back]


def _claims(messages: Sequence[OutboundMessage], gateway: str) -> list[Claim]:
    return [Claim(message.message_id, message.msisdn, gateway) for message in messages]


def _messages(rows: pa.Table, sender_id: str) -> list[OutboundMessage]:
    columns = ("message_id", "msisdn", "text", "encoding", "segment_count", "mccmnc")
    return [
        OutboundMessage(message_id, msisdn, sender_id, text, encoding, segment_count, mccmnc)
        for message_id, msisdn, text, encoding, segment_count, mccmnc in zip(
            *(rows[column].to_pylist() for column in columns), strict=True
        )
    ]
