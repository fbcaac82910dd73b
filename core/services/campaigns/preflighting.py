"""Preflighting: everything a person should know of a campaign before it is launched, over every row of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.campaigns import Campaign
from core.domain.lists import DistributionList
from core.domain.msisdn import mask_msisdn
from core.domain.numbering import country_name
from core.domain.periods import Preset, resolve_period
from core.domain.permissions import Permission, Viewer
from core.domain.placeholders import fill_cells, list_doubled_braces, list_stray_braces, render
from core.domain.preflight import Frequency, Preflight, Repeat, Wanted
from core.domain.schedules import missed_schedule
from core.domain.simplifying import simplify
from core.errors import InvalidInput
from core.history.audience.preflight import Often, PreflightStore
from core.history.audience.recipients import RecipientSpec
from core.services.accounts.budgeting import Budgeting, beyond_budget
from core.services.campaigns.addressing import Addressing
from core.services.campaigns.composing import Composing
from core.state import accounts, campaigns
from core.state.store import State


@dataclass(frozen=True)
class PreflightRows:
    """
    A page of the rows behind a finding, of *total*.

    Columns: Row, List, Receiver (masked for who may not see it), Country, Network, MCCMNC, Message, Messages (SMS),
    Price (EUR cents, null for what is not sent), Status ("" when it is sent, else why not).
    """

    table: pa.Table
    total: int


class Preflighting:
    """Looks at a draft as a launch would."""

    def __init__(
        self, state: State, audiences: PreflightStore, composing: Composing, budgeting: Budgeting, frequency: Frequency
    ) -> None:
        """Take the stores, and what counts as texting somebody too often."""
        self._state = state
        self._audiences = audiences
        self._composing = composing
        self._budgeting = budgeting
        self._addressing = Addressing(state)
        self._frequency = frequency

    def check(self, viewer: Viewer, campaign_id: str, now: datetime) -> Preflight:
        """
        Return the preflight of a draft that is ready to be launched.

        Raises: InvalidInput: the draft lacks something; with its *field*. NotFound: no such campaign.
        """
        campaign = self._get_ready(viewer, campaign_id)
        spec, often, key = self._question(campaign, now)
        counted = self._audiences.count(key, spec, often)
        with self._state.read() as session:
            account = accounts.get_account(session, campaign.account_id)
            today = resolve_period(Preset.TODAY, now, viewer.time_zone).start
            launched = campaigns.list_launched_since(session, campaign.account_id, today)
        there = self._composing.list_there(viewer, campaign)
        starts_at = max(campaign.schedule_at or now, now)
        left = self._budgeting.find_left(campaign.account_id, now, at=starts_at, but=campaign_id)
        return Preflight(
            campaign_id=campaign_id,
            fingerprint=key,
            counted=counted,
            rate_tps=account.rate_tps,
            starts_at=starts_at,
            frequency=self._frequency,
            refused=_refused(campaign, there),
            stray=tuple(list_stray_braces(campaign.message, campaign.placeholders)),
            doubled=tuple(list_doubled_braces(campaign.message, campaign.placeholders)),
            missed_at=campaign.schedule_at if campaign.schedule_at and campaign.schedule_at <= now else None,
            repeats=tuple(_repeats(campaign, launched)),
            budget_left_eur_cents=left,
        )

    def rows(
        self, viewer: Viewer, campaign_id: str, wanted: Wanted, page: int, size: int, now: datetime
    ) -> PreflightRows:
        """Return page *page* (from 1) of the rows behind a finding. Raises: as `check`."""
        campaign = self._get_ready(viewer, campaign_id)
        spec, often, key = self._question(campaign, now)
        total = self._audiences.count_rows(key, spec, often, wanted)
        offset = (max(1, page) - 1) * size
        found = self._audiences.rows(key, spec, often, wanted, size, offset)
        return PreflightRows(_readable(viewer, campaign, spec, found), total)

    def find_blocker(self, preflight: Preflight) -> InvalidInput | None:
        """Return why the campaign must not be launched, None when it may."""
        if preflight.missed_at is not None:
            return missed_schedule()
        if not preflight.counted.recipient_count:
            return InvalidInput(
                "Nobody would receive a message.",
                hint="Look at why the rows are excluded, or select another list.",
                field="list_id",
            )
        if preflight.is_beyond_budget:
            return beyond_budget("campaign", "recipients")
        return None

    def _get_ready(self, viewer: Viewer, campaign_id: str) -> Campaign:
        viewer.require(Permission.CAMPAIGN)
        campaign = self._composing.get(viewer, campaign_id)
        self._composing.check_ready(viewer, campaign)
        return campaign

    def _question(self, campaign: Campaign, now: datetime) -> tuple[RecipientSpec, Often, str]:
        spec = self._addressing.spec(campaign, now)
        # By the day: the same question is asked again for every page of rows, and its answer is kept.
        since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=self._frequency.days)
        often = Often(campaign.account_id, since, self._frequency.most)
        text = repr((campaign.campaign_id, campaign.version, spec, often))
        return spec, often, hashlib.sha256(text.encode()).hexdigest()


def _refused(campaign: Campaign, there: tuple[DistributionList, ...]) -> dict[str, int]:
    ids = set(campaign.list_ids)
    return {item.name: item.rejected_count for item in there if item.list_id in ids and item.rejected_count}


def _repeats(campaign: Campaign, launched: tuple[Campaign, ...]) -> list[Repeat]:
    found = []
    for other in launched:
        same_text = other.message == campaign.message
        if other.campaign_id != campaign.campaign_id and (
            same_text or set(other.list_ids).intersection(campaign.list_ids)
        ):
            assert other.launched_at is not None
            found.append(Repeat(other.campaign_id, other.name, same_text, other.launched_at))
    return found


def _readable(viewer: Viewer, campaign: Campaign, spec: RecipientSpec, found: pa.Table) -> pa.Table:
    rows = found.to_pylist()
    texts = [_render(campaign, spec, row["list_no"], row["fields"]) for row in rows]
    receivers = [row["msisdn"] if viewer.sees_numbers else mask_msisdn(row["msisdn"]) for row in rows]
    columns: Mapping[str, object] = {
        "Row": found["row_no"],
        "List": pa.array([campaign.lists[row["list_no"]].name for row in rows], pa.string()),
        "Receiver": pa.array(receivers, pa.string()),
        "Country": pa.array([country_name(row["country"]) for row in rows], pa.string()),
        "Network": found["network"],
        "MCCMNC": found["mccmnc"],
        "Message": pa.array(texts, pa.string()),
        "Messages": found["segment_count"],
        "Price": pc.if_else(pc.equal(found["reason"], ""), found["price_eur_cents"], None),
        "Status": found["reason"],
    }
    return pa.table(columns)


def _render(campaign: Campaign, spec: RecipientSpec, list_no: int, fields: list[str]) -> str:
    columns = spec.lists[list_no].columns
    cells = {name: fields[index] if index < len(fields) else "" for name, index in columns.items()}
    text = render(spec.parts, fill_cells(cells, campaign.fallbacks))
    return simplify(text) if spec.simplifies else text
