"""
Launching: a draft becomes a frozen audience, cut into batches.

`launch` only says that it shall be; a worker calls `freeze`. The lake's commit comes first and can
be found again, so a worker killed between the two stores leaves nothing that the next one does not
finish.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from core.domain.campaigns import Campaign, CampaignStatus
from core.domain.lists import DistributionList
from core.domain.permissions import Permission, Viewer
from core.domain.placeholders import parse_template
from core.domain.pricing import Price
from core.errors import AppError, StorageError
from core.history.audience import FreezeSpec, FrozenAudience
from core.services.composing import Composing, find_columns
from core.services.heartbeat import heartbeat, new_owner
from core.services.managing_accounts import ManagingAccounts
from core.state import accounts, campaigns, ledger, lists
from core.state.store import State

log = logging.getLogger(__name__)

# A batch is what history lags behind, so a slow account gets small ones: about five seconds' worth.
BATCH_SECONDS = 5
BATCH_MIN = 50


class Audiences(Protocol):
    """What launching needs of the lake."""

    def freeze(self, spec: FreezeSpec) -> FrozenAudience: ...  # noqa: D102


class Launching:
    """From draft to Active."""

    def __init__(
        self,
        state: State,
        audiences: Audiences,
        composing: Composing,
        accounts_service: ManagingAccounts,
        *,
        batch_size: int,
        lease_s: int,
    ) -> None:
        """Take the stores, the largest batch and how long a lease lasts."""
        self._state = state
        self._audiences = audiences
        self._composing = composing
        self._accounts = accounts_service
        self._batch_size = batch_size
        self._lease_s = lease_s

    def launch(self, viewer: Viewer, campaign_id: str, now: datetime) -> Campaign:
        """
        Start the campaign and return it, Processing.

        Raises: InvalidInput: something is missing. InvalidTransition: it was launched before.
            Forbidden: the account may not send.
        """
        viewer.require(Permission.CAMPAIGN)
        campaign = self._composing.get(viewer, campaign_id)
        self._accounts.get_sending(viewer, campaign.account_id)
        self._composing.check_ready(viewer, campaign)
        with self._state.write() as session:
            started = campaigns.move_campaign(
                session, campaign_id, CampaignStatus.PROCESSING, launched_at=now, fault=""
            )
        log.info("campaign_launched", extra={"campaign_id": campaign_id, "user_id": viewer.user_id})
        return started

    def list_processing(self, now: datetime) -> list[str]:
        """Return the campaigns that wait for `freeze`."""
        with self._state.read() as session:
            return campaigns.list_processing(session, now)

    def freeze(self, campaign_id: str, clock: Callable[[], datetime]) -> None:
        """
        Freeze the audience and make the campaign Active; twice, or in two workers at once, does no harm.

        What cannot be frozen goes back to Inactive with the fault on it.
        Raises: StorageError: a store did not answer; the campaign stays Processing and is tried again.
        """
        owner = new_owner()
        if not self._lease(campaign_id, owner, clock()):
            return
        try:
            with heartbeat(lambda: self._lease(campaign_id, owner, clock()), self._lease_s / 3):
                frozen = self._audiences.freeze(self._spec(campaign_id, clock()))
        except StorageError:
            raise
        except AppError as error:
            self._give_up(campaign_id, owner, f"{error.message} {error.hint}".strip(), clock())
        except Exception:
            # Whatever it is, it would be the same again: the campaign must not be Processing for ever.
            self._give_up(campaign_id, owner, "The launch stopped unexpectedly. See the worker's log.", clock())
            raise
        else:
            self._activate(campaign_id, owner, frozen, clock())

    def _spec(self, campaign_id: str, now: datetime) -> FreezeSpec:
        campaign, found, prices, rate_tps = self._read(campaign_id)
        columns = find_columns(campaign.placeholders, found)
        return FreezeSpec(
            campaign_id=campaign_id,
            list_id=found.list_id,
            parts=parse_template(campaign.message, columns),
            columns=columns,
            prices=prices,
            batch_size=max(1, min(self._batch_size, max(BATCH_MIN, rate_tps * BATCH_SECONDS))),
            now=now,
        )

    def _read(self, campaign_id: str) -> tuple[Campaign, DistributionList, tuple[Price, ...], int]:
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            return (
                campaign,
                lists.get_list(session, campaign.list_id),
                accounts.list_prices(session, campaign.account_id),
                accounts.get_account(session, campaign.account_id).rate_tps,
            )

    def _give_up(self, campaign_id: str, owner: str, fault: str, now: datetime) -> None:
        with self._state.write() as session:
            # Somebody else may hold it by now, or have finished it.
            mine = campaigns.lease_campaign(session, campaign_id, owner, now, now)
            if mine:
                campaigns.move_campaign(
                    session, campaign_id, CampaignStatus.INACTIVE, fault=fault, lease_owner="", lease_until=None
                )
        log.warning("campaign_not_frozen", extra={"campaign_id": campaign_id, "mine": mine, "reason": fault})

    def _activate(self, campaign_id: str, owner: str, frozen: FrozenAudience, now: datetime) -> None:
        sizes = [(batch.batch_no, batch.message_count) for batch in frozen.batches]
        with self._state.write() as session:
            # The lease may have run out; the state may have moved. One of two workers gets here first.
            mine = campaigns.lease_campaign(session, campaign_id, owner, now, now + timedelta(seconds=self._lease_s))
            if not mine:
                log.warning("campaign_frozen_elsewhere", extra={"campaign_id": campaign_id})
                return
            ledger.add_batches(session, campaign_id, sizes)
            campaigns.add_outcomes(
                session, campaign_id, {("excluded", reason): count for reason, count in frozen.excluded.items()}
            )
            new = CampaignStatus.ACTIVE if sizes else CampaignStatus.COMPLETED
            campaigns.move_campaign(
                session,
                campaign_id,
                new,
                audience_count=frozen.audience_count,
                completed_at=None if sizes else now,
                lease_owner="",
                lease_until=None,
            )
        log.info("campaign_active", extra={"campaign_id": campaign_id, "audience": frozen.audience_count})

    def _lease(self, campaign_id: str, owner: str, now: datetime) -> bool:
        with self._state.write() as session:
            return campaigns.lease_campaign(session, campaign_id, owner, now, now + timedelta(seconds=self._lease_s))
