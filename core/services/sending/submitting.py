"""
Submitting: the batches of active campaigns, one lease after the other, and what dead workers leave of those that wait.

What happens within a lease is in `core.services.sending.batches`.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from core.domain.campaigns.campaigns import CampaignStatus
from core.services.leases import new_owner
from core.services.sending.batches import BatchJob, BatchRun, SendingTools
from core.state.accounts import accounts
from core.state.campaigns import campaigns, ledger
from core.state.engine.store import State

log = logging.getLogger(__name__)

# The longest a thread keeps to one campaign: a gateway that is down, or a slow account, must not hold it for good.
SLICE_S = 10.0
# The shortest it keeps to one while another campaign has no thread at all. Shorter slices would spend their time on
# reading batches anew; a longer one would break the promise that a campaign is on its way two seconds after its time.
LEAST_SLICE_S = 1.0
# Between two looks whether another campaign waits: each is a query, and a sub-window may take a few milliseconds.
LOOK_S = 0.1
# So many threads send a campaign whatever its rate: while one brings its batch into history and reads the next, nothing
# would leave, and what a limit allowed in that time nobody gets back.
ALWAYS = 2


class Slice:
    """A thread's turn with one campaign."""

    def __init__(self, tools: SendingTools, campaign_id: str, clock: Callable[[], datetime], stop: Event) -> None:
        """Begin it now; *stop* ends every turn, as when the worker shuts down."""
        self._tools = tools
        self._campaign_id = campaign_id
        self._clock = clock
        self._stop = stop
        self._began = self._looked_at = clock()
        # Asked of again after it has ended, it has.
        self._is_over = False

    def is_over(self) -> bool:
        """Return whether the thread is to be given back: after `LEAST_SLICE_S` that is a query every `LOOK_S`."""
        now = self._clock()
        lasted = now - self._began
        # A turn that began in the future did so before the clock was set back.
        if self._is_over or self._stop.is_set() or not timedelta(0) <= lasted < timedelta(seconds=SLICE_S):
            return True
        if lasted < timedelta(seconds=LEAST_SLICE_S) or now - self._looked_at < timedelta(seconds=LOOK_S):
            return False
        self._looked_at = now
        with self._tools.state.read() as session:
            self._is_over = ledger.do_others_wait(session, self._campaign_id, now)
        return self._is_over


class Submitting:
    """The worker's side of a campaign that is Active."""

    def __init__(self, tools: SendingTools) -> None:
        self._tools = tools
        self._stop = tools.leases.stop

    def list_sendable(self, now: datetime) -> list[str]:
        """Return the campaigns that wait for `run`."""
        with self._tools.state.read() as session:
            return ledger.list_sendable(session, now)

    def count_running(self, now: datetime) -> dict[str, int]:
        """Return for each campaign on how many of its batches somebody works, in whichever worker."""
        with self._tools.state.read() as session:
            return ledger.count_leased(session, now)

    def run(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """
        Send the campaign's free batches one after the other, for at most about `SLICE_S` seconds.

        Several workers may run the same campaign; each batch is sent by one of them, and nothing is sent here while
        those who do so already use up what the account, the gateway or the campaign may send in a second.
        Raises: StorageError: a store did not answer; leases run out and the work is taken up again.
        """
        turn = Slice(self._tools, campaign_id, clock, self._stop)
        while not turn.is_over():
            job = self._lease(campaign_id, clock)
            if job is None:
                return
            BatchRun(self._tools, job, turn.is_over, self._stop).run()

    def _is_wanted(self, campaign_id: str, clock: Callable[[], datetime]) -> bool:
        """
        Return whether one more thread could send anything that those who send this campaign already cannot.

        A batch is in history when its last message is sent: threads that share a rate keep the first ones
        of all their batches, and so their receipts, out of it for as many times longer.
        """
        with self._tools.state.read() as session:
            if ledger.count_leased(session, clock()).get(campaign_id, 0) < ALWAYS:
                return True
            campaign = campaigns.get_campaign(session, campaign_id)
            paced = accounts.look_at_paced(session, campaign.account_id)
            gateway = campaign.gateway or paced.gateway
            return self._tools.pacing.is_spare(session, campaign, paced.rate_tps, gateway, clock())

    def _lease(self, campaign_id: str, clock: Callable[[], datetime]) -> BatchJob | None:
        if not self._is_wanted(campaign_id, clock):
            return None
        owner, now = new_owner(), clock()
        with self._tools.state.write() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            if campaign.status is not CampaignStatus.ACTIVE:
                return None
            batch = ledger.lease_batch(session, campaign_id, owner, now, now + self._tools.leases.lasts)
            if batch is None:
                return None
            claimed_ids = ledger.list_claimed_ids(session, batch.batch_id)
            account = accounts.get_account(session, campaign.account_id)
        # A test goes by the gateway that is tested, and by no other.
        first, second = (campaign.gateway, "") if campaign.gateway else (account.gateway, account.fallback_gateway)
        return BatchJob(campaign, batch, claimed_ids, first, second, owner, clock)


class GivingUp:
    """
    What a dead worker had claimed of a campaign that waits is unknown as soon as the worker's lease has run out.

    Whether it was sent cannot be told, and never will be. A campaign that is paused, by a person, a budget or a
    gateway, must not say until somebody resumes it that those messages are still to be sent. The others are pending.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def list_abandoned(self, now: datetime) -> list[str]:
        """Return the campaigns that wait for `run`."""
        with self._state.read() as session:
            return ledger.list_abandoned(session, now)

    def run(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """Let the claims of dead workers be unknown; twice, or in two workers at once, does no harm."""
        with self._state.write() as session:
            count = ledger.give_up(session, campaign_id, clock())
        log.warning("claims_given_up", extra={"campaign_id": campaign_id, "messages": count})
