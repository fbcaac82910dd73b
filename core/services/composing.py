"""Composing: a campaign from its first draft to everything a launch needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from core.domain.campaigns import (
    PLACEHOLDERS_MAX,
    Campaign,
    CampaignDraft,
    CampaignStatus,
    Source,
)
from core.domain.lists import DistributionList, ListStatus
from core.domain.msisdn import mask_msisdn
from core.domain.names import check_name
from core.domain.paging import Page, PageRequest
from core.domain.permissions import Permission, Viewer
from core.domain.placeholders import check_placeholder_name, parse_template, render
from core.domain.segments import MAX_SEGMENTS, TextMeasure, measure
from core.domain.sender_id import parse_sender_id
from core.errors import InvalidInput, NotFound
from core.services.identifiers import new_id
from core.services.managing_accounts import ManagingAccounts
from core.state import campaigns, lists
from core.state.store import State

# More than any ten segments hold, so that a paste of a book is refused before it is measured.
MESSAGE_MAX = 2_000


class Entries(Protocol):
    """What composing needs of the lake."""

    def page(self, list_id: str, offset: int, limit: int) -> pa.Table: ...  # noqa: D102


@dataclass(frozen=True)
class Preview:
    """
    The message as one recipient will see it.

    *position* is 0-based among the list's *total* entries, *values* are what the placeholders hold
    there. Without a list it shows the message as typed, for receiver "" of 0.
    """

    text: str
    values: dict[str, str]
    measure: TextMeasure
    receiver: str
    position: int
    total: int


class Composing:
    """Drafts, and what they will look like."""

    def __init__(self, state: State, entries: Entries, accounts: ManagingAccounts) -> None:
        """Take the stores."""
        self._state = state
        self._entries = entries
        self._accounts = accounts

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
        self._accounts.get_sending(viewer, draft.account_id)
        found = self._find_list(viewer, draft)
        values = _checked(draft, found)
        if campaign_id:
            self.get(viewer, campaign_id)
            with self._state.write() as session:
                campaigns.save_draft(session, campaign_id, version, values)
                return campaigns.get_campaign(session, campaign_id)
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

    def get(self, viewer: Viewer, campaign_id: str) -> Campaign:
        """Return the campaign. Raises: NotFound: unknown, or another account's."""
        viewer.require(Permission.CAMPAIGN)
        with self._state.read() as session:
            found = campaigns.get_campaign(session, campaign_id)
        viewer.require_account(found.account_id, "campaign")
        return found

    def page(self, viewer: Viewer, request: PageRequest) -> Page[Campaign]:
        """Return one page of the campaigns of the viewer's accounts."""
        viewer.require(Permission.CAMPAIGN)
        with self._state.read() as session:
            return campaigns.page_campaigns(session, viewer.account_ids, request)

    def preview(self, viewer: Viewer, draft: CampaignDraft, position: int) -> Preview:
        """Return the message for the entry at *position* (clamped to the list)."""
        viewer.require(Permission.CAMPAIGN)
        viewer.require_account(draft.account_id, "account")
        found = self._find_list(viewer, draft)
        position = max(0, min(position, found.entry_count - 1)) if found else 0
        entries = self._entries.page(found.list_id, position, 1).to_pylist() if found else []
        # A list that is being imported counts its entries before they are there.
        if found is None or not entries:
            return Preview(draft.message, {}, measure(draft.message), "", 0, 0)
        entry = entries[0]
        columns = find_columns(draft.placeholders, found)
        values = {name: entry["fields"][index] for name, index in columns.items()}
        text = render(parse_template(draft.message, columns), values)
        receiver = entry["msisdn"] if viewer.sees_numbers else mask_msisdn(entry["msisdn"])
        return Preview(text, values, measure(text), receiver, position, found.entry_count)

    def find_list(self, viewer: Viewer, campaign: Campaign) -> DistributionList | None:
        """Return the draft's list, None when there is none any more."""
        viewer.require(Permission.CAMPAIGN)
        try:
            return self._find_list(viewer, draft_of(campaign))
        except InvalidInput:
            return None

    def check_ready(self, viewer: Viewer, campaign: Campaign) -> DistributionList:
        """Return the list of a draft that lacks nothing. Raises: InvalidInput: with the *field* to fill in."""
        draft = draft_of(campaign)
        found = self._find_list(viewer, draft)
        if found is None:
            raise InvalidInput("The campaign has no recipients.", hint="Select a distribution list.", field="list_id")
        if found.status is not ListStatus.READY:
            raise InvalidInput(
                f"The list {found.name} is {found.status}.", hint="Wait until it is Ready.", field="list_id"
            )
        _checked(draft, found)
        parse_sender_id(draft.sender_id)
        if not draft.message.strip():
            raise InvalidInput("The message is empty.", hint="Write what to send.", field="message")
        return found

    def _find_list(self, viewer: Viewer, draft: CampaignDraft) -> DistributionList | None:
        if not draft.list_id:
            return None
        try:
            with self._state.read() as session:
                found = lists.get_list(session, draft.list_id)
            viewer.require_account(found.account_id, "distribution list")
        except NotFound as error:
            raise InvalidInput(
                "The distribution list is no longer there.", hint="Select another one.", field="list_id"
            ) from error
        if found.account_id != draft.account_id:
            raise InvalidInput(
                f"The list {found.name} belongs to another account.", hint="Select another one.", field="list_id"
            )
        return found


def draft_of(campaign: Campaign) -> CampaignDraft:
    """Return the part of *campaign* that a person fills in."""
    return CampaignDraft(
        account_id=campaign.account_id,
        name=campaign.name,
        sender_id=campaign.sender_id,
        list_id=campaign.list_id,
        message=campaign.message,
        placeholders=dict(campaign.placeholders),
    )


def find_columns(placeholders: Mapping[str, str], found: DistributionList) -> dict[str, int]:
    """
    Return each placeholder's 0-based column in *found*.

    Raises: InvalidInput: the list has no such column.
    """
    for name, column in placeholders.items():
        if column not in found.columns:
            raise InvalidInput(
                f"The list {found.name} has no column {column or '(none)'} for {{{name}}}.",
                hint=f"Map it to one of {', '.join(found.columns)}.",
                field="placeholders",
            )
    return {name: found.columns.index(column) for name, column in placeholders.items()}


def _checked(draft: CampaignDraft, found: DistributionList | None) -> dict[str, Any]:
    if len(draft.placeholders) > PLACEHOLDERS_MAX:
        raise InvalidInput(
            f"There are {len(draft.placeholders)} placeholders.",
            hint=f"Use at most {PLACEHOLDERS_MAX}.",
            field="placeholders",
        )
    for name in draft.placeholders:
        check_placeholder_name(name)
    if found is not None:
        find_columns(draft.placeholders, found)
    return {
        "account_id": draft.account_id,
        "name": check_name(draft.name, "campaign"),
        "sender_id": parse_sender_id(draft.sender_id) if draft.sender_id.strip() else "",
        "list_id": draft.list_id,
        "list_name": found.name if found else "",
        "message": _check_message(draft.message),
        "placeholders": dict(draft.placeholders),
    }


def _check_message(message: str) -> str:
    if len(message) > MESSAGE_MAX:
        raise InvalidInput(
            f"The message has {len(message):,} characters.",
            hint=f"Use at most {MESSAGE_MAX:,} characters.",
            field="message",
        )
    if "\x00" in message:
        raise InvalidInput("The message contains a NUL character.", hint="Type it anew.", field="message")
    segment_count = measure(message).segment_count
    if segment_count > MAX_SEGMENTS:
        raise InvalidInput(
            f"The message needs {segment_count} SMS for each recipient.",
            hint=f"Shorten it to at most {MAX_SEGMENTS}.",
            field="message",
        )
    return message
