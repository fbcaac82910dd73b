"""Preflighting: everything a person should know of a campaign before it is launched, over every row of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from core.domain.accounts.accounts import Account
from core.domain.campaigns.campaigns import Campaign
from core.domain.campaigns.preflight import Frequency, Preflight, Repeat, Wanted
from core.domain.campaigns.schedules import missed_schedule
from core.domain.numbering import country_name
from core.domain.numbering.msisdn import mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.domain.texts.placeholders import fill_cells, list_doubled_braces, list_stray_braces, render
from core.domain.texts.simplifying import simplify
from core.domain.times.periods import Preset, resolve_period
from core.errors import InvalidInput
from core.history.audience.preflight import Often, PreflightStore
from core.history.audience.recipients import RecipientSpec
from core.services.accounts.budgeting import (
    Budgeting,
    Commitments,
    beyond_budget,
    beyond_own_budget,
    read_commitments,
)
from core.services.campaigns.addressing import Addressed, address
from core.services.campaigns.composing import check_lists_ready, check_ready, get_campaign
from core.services.campaigns.suppressing import Suppressing
from core.state.accounts import accounts
from core.state.campaigns import campaigns
from core.state.engine.store import State


@dataclass(frozen=True)
class PreflightRows:
    """
    A page of the rows behind a finding, of *total*.

    Columns: Row, List, Receiver (masked for who may not see it), Country, Network, MCCMNC, Message, Messages (SMS),
    Price (EUR cents, null for what is not sent), Status ("" when it is sent, else why not).
    """

    table: pa.Table
    total: int


@dataclass(frozen=True)
class Reading:
    """What the state store knows of a draft, all of it of one moment: nothing of it is read again on its way."""

    addressed: Addressed
    commitments: Commitments
    launched: tuple[Campaign, ...]
    """What the account has launched on the viewer's today."""

    @property
    def campaign(self) -> Campaign:
        """The draft."""
        return self.addressed.campaign


@dataclass(frozen=True)
class Look:
    """
    A draft as a launch would find it: what was read, and what it comes to.

    It is handed on, so that a page and a launch ask for nothing again; what may have changed meanwhile is judged in the
    transaction that decides.
    """

    reading: Reading
    preflight: Preflight
    spec: RecipientSpec
    often: Often

    @property
    def campaign(self) -> Campaign:
        """The draft."""
        return self.reading.campaign

    @property
    def account(self) -> Account:
        """The account it is sent from, as it stood at the same moment."""
        return self.reading.addressed.account

    @property
    def blocker(self) -> InvalidInput | None:
        """Why the campaign must not be launched, None when it may."""
        if self.preflight.missed_at is not None:
            return missed_schedule()
        if not self.preflight.counted.recipient_count:
            return InvalidInput(
                "Nobody would receive a message.",
                hint="See why the rows are excluded, or select another list.",
                field="list_id",
            )
        cost, own = self.preflight.counted.cost_eur_cents, self.preflight.own_budget_eur_cents
        if own is not None and self.preflight.is_beyond_own_budget:
            return beyond_own_budget(cost, own)
        return beyond_budget("campaign", "recipients") if self.preflight.is_beyond_budget else None


class Preflighting:
    """Looks at a draft as a launch would."""

    def __init__(
        self,
        state: State,
        audiences: PreflightStore,
        suppressing: Suppressing,
        budgeting: Budgeting,
        frequency: Frequency,
        placeholders_max: int,
    ) -> None:
        """Take the stores, what counts as texting somebody too often, and how many placeholders there may be."""
        self._suppressing = suppressing
        self._state = state
        self._audiences = audiences
        self._budgeting = budgeting
        self._frequency = frequency
        self._placeholders_max = placeholders_max

    def look(self, viewer: Viewer, campaign_id: str, now: datetime) -> Look:
        """
        Look at a draft that is ready to be launched.

        Raises: InvalidInput: the draft lacks something; with its *field*. NotFound: no such campaign.
        """
        return self.count(viewer, self.read(viewer, campaign_id, now), now)

    def read(self, viewer: Viewer, campaign_id: str, now: datetime) -> Reading:
        """Return what the state store knows of the draft. Raises: Forbidden. NotFound: no such campaign."""
        viewer.require(Permission.CAMPAIGN)
        today = resolve_period(Preset.TODAY, now, viewer.time_zone).start
        with self._state.read() as session:
            campaign = get_campaign(session, viewer, campaign_id)
            addressed = address(session, campaign, now)
            launched = campaigns.list_launched_since(session, campaign.account_id, today)
            return Reading(addressed, read_commitments(session, addressed.account, now), launched)

    def count(self, viewer: Viewer, reading: Reading, now: datetime) -> Look:
        """Count every row of what was read. Raises: Forbidden, NotFound. InvalidInput: as `look`."""
        campaign, addressed = reading.campaign, reading.addressed
        _require(viewer, campaign)
        check_lists_ready(viewer, campaign, addressed.lists)
        spec, often, key = self._question(addressed, now)
        counted = self._audiences.find(key)
        if counted is None:
            # Only what is right is counted: the same version of the draft need not be looked through again.
            check_ready(viewer, campaign, addressed.lists, self._placeholders_max)
            counted = self._audiences.count(key, spec, often)
            # That may take a minute, in which what was under way is settled: it would count as open and as sent.
            reading = self._look_at_budget_again(reading, now)
        left = self._budgeting.find_left(reading.commitments, now, at=addressed.starts_at, but=campaign.campaign_id)
        preflight = Preflight(
            campaign_id=campaign.campaign_id,
            fingerprint=key,
            counted=counted,
            rates=addressed.rates,
            starts_at=addressed.starts_at,
            frequency=self._frequency,
            refused=_refused(addressed),
            stray=tuple(list_stray_braces(campaign.message, campaign.placeholders)),
            doubled=tuple(list_doubled_braces(campaign.message, campaign.placeholders)),
            missed_at=campaign.schedule_at if campaign.schedule_at and campaign.schedule_at <= now else None,
            repeats=tuple(_repeats(campaign, reading.launched)),
            budget_left_eur_cents=left,
            own_budget_eur_cents=campaign.budget_eur_cents,
        )
        return Look(reading, preflight, spec, often)

    def rows(self, viewer: Viewer, look: Look, wanted: Wanted, page: int, size: int) -> PreflightRows:
        """Return page *page* (from 1) of the rows behind a finding of the *look*. Raises: Forbidden, NotFound."""
        _require(viewer, look.campaign)
        offset = (max(1, page) - 1) * size
        key = look.preflight.fingerprint
        found, total = self._audiences.rows(key, look.spec, look.often, wanted, size, offset)
        return PreflightRows(_readable(viewer, look.campaign, look.spec, found), total)

    def _look_at_budget_again(self, reading: Reading, now: datetime) -> Reading:
        if reading.commitments.account.monthly_budget_eur_cents is None:
            return reading
        with self._state.read() as session:
            account = accounts.get_account(session, reading.campaign.account_id)
            return replace(reading, commitments=read_commitments(session, account, now))

    def _question(self, addressed: Addressed, now: datetime) -> tuple[RecipientSpec, Often, str]:
        campaign = addressed.campaign
        spec = addressed.spec(self._suppressing.find(addressed))
        # By the day: the same question is asked again for every page of rows, and its answer is kept.
        since = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=self._frequency.days)
        often = Often(campaign.account_id, since, self._frequency.most)
        text = repr((campaign.campaign_id, campaign.version, spec, often))
        return spec, often, hashlib.sha256(text.encode()).hexdigest()


def _require(viewer: Viewer, campaign: Campaign) -> None:
    viewer.require(Permission.CAMPAIGN)
    viewer.require_account(campaign.account_id, "campaign")


def _refused(addressed: Addressed) -> dict[str, int]:
    sent_to = (addressed.lists[list_id] for list_id in addressed.campaign.list_ids)
    return {item.name: item.rejected_count for item in sent_to if item.rejected_count}


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
