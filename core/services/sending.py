"""
Sending: the batches of active campaigns, one lease after the other.

What happens within a lease is in `core.services.batches`.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from core.domain.campaigns import CampaignStatus
from core.services.batches import BatchJob, BatchRun, SendingTools
from core.services.heartbeat import new_owner
from core.state import accounts, campaigns, ledger

# How long a worker takes up batches of one campaign, and how long it keeps to one of them, before others that wait
# get their turn: a gateway that is down, or a slow account, must not hold a thread for good.
SLICE_S = 10.0


class Sending:
    """The worker's side of a campaign that is Active."""

    def __init__(self, tools: SendingTools) -> None:
        """Take the stores, the gateways and the limits."""
        self._tools = tools
        self._stop = threading.Event()

    def list_sendable(self, now: datetime) -> list[str]:
        """Return the campaigns that wait for `run`."""
        with self._tools.state.read() as session:
            return ledger.list_sendable(session, now)

    def stop(self) -> None:
        """Let every `run` end after the sub-window it is in, as when the worker shuts down."""
        self._stop.set()

    def run(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """
        Send the campaign's free batches one after the other, for about `SLICE_S` seconds.

        Several workers may run the same campaign; each batch is sent by one of them.
        Raises: StorageError: a store did not answer; leases run out and the work is taken up again.
        """
        end = clock() + timedelta(seconds=SLICE_S)
        while not self._stop.is_set() and clock() < end:
            job = self._lease(campaign_id, clock)
            if job is None:
                return
            BatchRun(self._tools, job, self._stop).run()

    def _lease(self, campaign_id: str, clock: Callable[[], datetime]) -> BatchJob | None:
        owner, now = new_owner(), clock()
        with self._tools.state.write() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            if campaign.status is not CampaignStatus.ACTIVE:
                return None
            until = now + timedelta(seconds=self._tools.limits.lease_s)
            batch = ledger.lease_batch(session, campaign_id, owner, now, until)
            if batch is None:
                return None
            gateway = accounts.get_account(session, campaign.account_id).gateway
        return BatchJob(campaign, batch, gateway, owner, clock, until=now + timedelta(seconds=SLICE_S))
