"""Composing: a campaign from its first draft to everything a launch needs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import check_budget, check_rate, require_sending
from core.domain.campaigns.campaigns import Campaign, CampaignDraft, CampaignStatus, ChosenList, Source
from core.domain.imports.lists import DistributionList, ListStatus
from core.domain.numbering.msisdn import mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.paging import Page, PageRequest
from core.domain.texts.placeholders import check_placeholder_name, fill_cells, is_blank, parse_template, render
from core.domain.texts.segments import MAX_SEGMENTS, TextMeasure, measure
from core.domain.texts.sender_id import parse_sender_id
from core.domain.texts.simplifying import simplify
from core.domain.words.control_characters import refuse_controls
from core.domain.words.counting import grouped
from core.domain.words.names import check_name
from core.errors import InvalidInput
from core.history.audience.contacts import ContactStore
from core.identifiers import new_id
from core.services.campaigns.addressing import find_columns, find_lists, pick_lists
from core.state.accounts import accounts
from core.state.campaigns import campaign_pages, campaigns
from core.state.engine.store import State

# More than any ten segments hold, so that a paste of a book is refused before it is measured.
MESSAGE_MAX = 2_000
FALLBACK_MAX = 100
LISTS_MAX = 20


@dataclass(frozen=True)
class Preview:
    """
    The message as one recipient will see it.

    *position* is 0-based among the *total* entries of all lists, *values* are what the placeholders hold there. Without
    a list its placeholders stand as typed, for receiver "" of 0.
    """

    text: str
    values: dict[str, str]
    measure: TextMeasure
    receiver: str
    position: int
    total: int


class Composing:
    """Drafts, and what they will look like."""

    def __init__(self, state: State, entries: ContactStore, *, placeholders_max: int) -> None:
        """Take the stores, and how many placeholders a message may have."""
        self._state = state
        self._entries = entries
        self.placeholders_max = placeholders_max

    def save(
        self, viewer: Viewer, draft: CampaignDraft, now: datetime, campaign_id: str = "", version: int = 0
    ) -> Campaign:
        """
        Store the draft and return the campaign, Inactive; what is given must be right, what is missing may wait.

        Args:
            viewer: Needs the permission Campaign and the draft's account.
            draft: Only the name is needed.
            now: When.
            campaign_id: The draft to replace; "" starts a new one.
            version: The version the person has seen.

        Raises: InvalidInput: with the *field* it belongs to. Conflict: somebody else saved it meanwhile.
        """
        viewer.require(Permission.CAMPAIGN)
        viewer.require_account(draft.account_id, "account")
        with self._state.read() as session:
            require_sending(accounts.get_account(session, draft.account_id))
            before = get_campaign(session, viewer, campaign_id) if campaign_id else None
            known = find_lists(session, draft)
        values = check_draft(viewer, draft, known, self.placeholders_max)
        if before is None:
            return self._add(viewer, values, now)
        if (before.version, before.lists, before.left_out) == (version, values["lists"], values["left_out"]):
            # They are stored already; with another version, nothing is.
            del values["lists"], values["left_out"]
        with self._state.write() as session:
            return campaigns.save_draft(session, campaign_id, version, values)

    def clone(self, viewer: Viewer, campaign_id: str, name: str, now: datetime) -> Campaign:
        """
        Return a new draft with everything of the campaign but its schedule; lists that are gone are left away.

        Raises: InvalidInput: the name. NotFound: no such campaign. Forbidden: its account may not send any more.
        """
        viewer.require(Permission.CAMPAIGN)
        with self._state.read() as session:
            campaign = get_campaign(session, viewer, campaign_id)
            require_sending(accounts.get_account(session, campaign.account_id))
            there = find_lists(session, campaign)
        values = {field: getattr(campaign, field) for field in campaigns.DRAFT_FIELDS}
        return self._add(
            viewer,
            values
            | {
                "name": check_name(name, "campaign"),
                "schedule_at": None,
                "lists": tuple(item for item in campaign.lists if item.list_id in there),
                "left_out": tuple(item for item in campaign.left_out if item.list_id in there),
            },
            now,
        )

    def get(self, viewer: Viewer, campaign_id: str) -> Campaign:
        """Return the campaign. Raises: NotFound: unknown, or another account's."""
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        with self._state.read() as session:
            return get_campaign(session, viewer, campaign_id)

    def page(
        self,
        viewer: Viewer,
        request: PageRequest,
        *,
        statuses: Collection[CampaignStatus] = (),
        account_ids: Collection[str] = (),
        confirmed: bool | None = None,
    ) -> Page[Campaign]:
        """
        Return one page of the campaigns of the viewer's accounts; of some *statuses* or *account_ids* if given.

        *confirmed*: only completed confirmations of a STOP if True, all but these if False.
        """
        viewer.require(Permission.CAMPAIGN)
        wanted = viewer.account_ids.intersection(account_ids) if account_ids else viewer.account_ids
        with self._state.read() as session:
            return campaign_pages.page_campaigns(session, wanted, request, statuses, confirmed=confirmed)

    def has_launched(self, viewer: Viewer) -> bool:
        """Return whether a campaign of the viewer's accounts was ever launched; tests and Quick Sends are none."""
        viewer.require(Permission.CAMPAIGN)
        with self._state.read() as session:
            return campaigns.is_any_launched(session, viewer.account_ids)

    def preview(self, viewer: Viewer, draft: CampaignDraft, position: int) -> Preview:
        """Return the message for the entry at *position* (clamped) of all its lists."""
        viewer.require(Permission.CAMPAIGN)
        viewer.require_account(draft.account_id, "account")
        with self._state.read() as session:
            known = find_lists(session, draft)
        found = pick_lists(viewer, draft.account_id, draft.list_ids, known)
        total = sum(item.entry_count for item in found)
        position = max(0, min(position, total - 1))
        place = _find_place(found, position)
        entries = self._entries.page(place[0].list_id, place[1], 1).to_pylist() if place else []
        # A list that is being imported counts its entries before they are there.
        if not place or not entries:
            text = simplify(draft.message) if draft.simplifies else draft.message
            return Preview(text, {}, measure(text), "", 0, 0)
        entry = entries[0]
        columns = find_columns(draft.placeholders, place[0])
        cells = {name: entry["fields"][index] for name, index in columns.items()}
        values = fill_cells(cells, draft.fallbacks)
        text = render(parse_template(draft.message, columns), values)
        if draft.simplifies:
            text = simplify(text)
        receiver = entry["msisdn"] if viewer.sees_numbers else mask_msisdn(entry["msisdn"])
        return Preview(text, values, measure(text), receiver, position, total)

    def list_there(self, viewer: Viewer, campaign: Campaign) -> tuple[DistributionList, ...]:
        """Return the campaign's lists, sent to and left out, as far as they are still there."""
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        viewer.require_account(campaign.account_id, "campaign")
        with self._state.read() as session:
            known = find_lists(session, campaign)
        wanted = (known.get(list_id) for list_id in (*campaign.list_ids, *campaign.left_out_ids))
        return tuple(item for item in wanted if item is not None and item.account_id == campaign.account_id)

    def check_ready(self, viewer: Viewer, campaign_id: str) -> None:
        """Raise InvalidInput, with the *field* to fill in, unless the draft lacks nothing. Raises: as `get`, too."""
        viewer.require(Permission.CAMPAIGN)
        with self._state.read() as session:
            campaign = get_campaign(session, viewer, campaign_id)
            known = find_lists(session, campaign)
        check_ready(viewer, campaign, known, self.placeholders_max)

    def _add(self, viewer: Viewer, values: dict[str, Any], now: datetime) -> Campaign:
        new = Campaign(
            campaign_id=new_id(),
            source=Source.CAMPAIGN,
            status=CampaignStatus.INACTIVE,
            fault="",
            audience_count=0,
            created_at=now,
            created_by=viewer.name,
            **values,
        )
        with self._state.write() as session:
            campaigns.add_campaign(session, new)
        return new


def get_campaign(session: Session, viewer: Viewer, campaign_id: str) -> Campaign:
    """Return the campaign. Raises: NotFound: unknown, or another account's."""
    found = campaigns.get_campaign(session, campaign_id)
    viewer.require_account(found.account_id, "campaign")
    return found


def check_draft(
    viewer: Viewer, draft: CampaignDraft, known: Mapping[str, DistributionList], placeholders_max: int
) -> dict[str, Any]:
    """Return the draft, with its lists among those *known*, as it is stored. Raises: InvalidInput: a thing is wrong."""
    found = pick_lists(viewer, draft.account_id, draft.list_ids, known)
    left_out = pick_lists(viewer, draft.account_id, draft.left_out_ids, known)
    _check_lists(found, left_out)
    _check_placeholders(draft, found, placeholders_max)
    tidy = replace(
        draft,
        name=check_name(draft.name, "campaign"),
        sender_id=parse_sender_id(draft.sender_id) if draft.sender_id.strip() else "",
        message=check_message(draft.message, draft.placeholders, simplifies=draft.simplifies),
        placeholders=dict(draft.placeholders),
        fallbacks={name: text for name, text in draft.fallbacks.items() if name in draft.placeholders and text},
    )
    check_budget(None if draft.budget_eur_cents is None else draft.budget_eur_cents / 100)
    if draft.rate_tps is not None:
        check_rate(draft.rate_tps)
    values = {field: getattr(tidy, field) for field in campaigns.DRAFT_FIELDS}
    return values | {"lists": _chosen(found), "left_out": _chosen(left_out)}


def check_ready(
    viewer: Viewer, campaign: Campaign, known: Mapping[str, DistributionList], placeholders_max: int
) -> None:
    """Raise InvalidInput, with the *field* to fill in, unless the draft lacks nothing and its lists are Ready."""
    check_lists_ready(viewer, campaign, known)
    draft = draft_of(campaign)
    check_draft(viewer, draft, known, placeholders_max)
    parse_sender_id(draft.sender_id)
    if is_blank(draft.message):
        raise InvalidInput("The message is empty.", hint="Write what to send.", field="message")


def check_lists_ready(viewer: Viewer, campaign: Campaign, known: Mapping[str, DistributionList]) -> None:
    """Raise InvalidInput unless there are lists to send to, and those and the ones left out are Ready."""
    found = pick_lists(viewer, campaign.account_id, campaign.list_ids, known)
    if not found:
        raise InvalidInput("The campaign has no recipients.", hint="Select a distribution list.", field="list_id")
    for item in (*found, *pick_lists(viewer, campaign.account_id, campaign.left_out_ids, known)):
        if item.status is not ListStatus.READY:
            hint = "Select another one." if item.status is ListStatus.FAULTED else "Wait until it is Ready."
            raise InvalidInput(f"The list {item.name} is {item.status}.", hint=hint, field="list_id")


def draft_of(campaign: Campaign) -> CampaignDraft:
    """Return the part of *campaign* that a person fills in."""
    return CampaignDraft(
        account_id=campaign.account_id,
        name=campaign.name,
        sender_id=campaign.sender_id,
        list_ids=campaign.list_ids,
        message=campaign.message,
        placeholders=dict(campaign.placeholders),
        left_out_ids=campaign.left_out_ids,
        fallbacks=dict(campaign.fallbacks),
        simplifies=campaign.simplifies,
        schedule_at=campaign.schedule_at,
        budget_eur_cents=campaign.budget_eur_cents,
        rate_tps=campaign.rate_tps,
    )


def check_message(message: str, placeholders: Collection[str] = (), *, simplifies: bool = False) -> str:
    """
    Return *message*.

    It is measured as sent to somebody who has nothing to put for the *placeholders*: whom it is too long for otherwise
    is a matter of each row.

    Raises: InvalidInput: too long for any phone, or with a control character.
    """
    if len(message) > MESSAGE_MAX:
        raise InvalidInput(
            f"The message has {grouped(len(message))} characters.",
            hint=f"Use at most {grouped(MESSAGE_MAX)} characters.",
            field="message",
        )
    refuse_controls(message, "The message", is_prose=True, field="message")
    shortest = render(parse_template(message, placeholders), dict.fromkeys(placeholders, ""))
    segment_count = measure(simplify(shortest) if simplifies else shortest).segment_count
    if segment_count > MAX_SEGMENTS:
        raise InvalidInput(
            f"The message needs {segment_count} segments for each recipient.",
            hint=f"Shorten it to at most {MAX_SEGMENTS}.",
            field="message",
        )
    return message


def _check_placeholders(draft: CampaignDraft, found: Sequence[DistributionList], placeholders_max: int) -> None:
    if len(draft.placeholders) > placeholders_max:
        raise InvalidInput(
            f"There are {len(draft.placeholders)} placeholders.",
            hint=f"Use at most {placeholders_max}.",
            field="placeholders",
        )
    for name in draft.placeholders:
        check_placeholder_name(name)
    for name, text in draft.fallbacks.items():
        refuse_controls(text, f"The fallback of {{{name}}}", is_prose=True, field="placeholders")
        if len(text) > FALLBACK_MAX:
            raise InvalidInput(
                f"The fallback of {{{name}}} has {len(text)} characters.",
                hint=f"Use at most {FALLBACK_MAX}.",
                field="placeholders",
            )
    for item in found:
        find_columns(draft.placeholders, item)


def _check_lists(found: Sequence[DistributionList], left_out: Sequence[DistributionList]) -> None:
    if len(found) + len(left_out) > LISTS_MAX:
        raise InvalidInput(
            f"{len(found) + len(left_out)} lists are chosen.", hint=f"Choose at most {LISTS_MAX}.", field="list_id"
        )
    both = {item.list_id for item in found}.intersection(item.list_id for item in left_out)
    for item in found:
        if item.list_id in both:
            raise InvalidInput(
                f"The list {item.name} is both selected and left out.",
                hint="Remove it from one of the two.",
                field="list_id",
            )


def _chosen(found: Sequence[DistributionList]) -> tuple[ChosenList, ...]:
    return tuple(ChosenList(item.list_id, item.name) for item in found)


def _find_place(found: Sequence[DistributionList], position: int) -> tuple[DistributionList, int] | None:
    """Return the list in which the entry at *position* of all of them is, and its place there."""
    for item in found:
        if position < item.entry_count:
            return item, position
        position -= item.entry_count
    return None
