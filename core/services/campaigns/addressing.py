"""Addressing: the lists a campaign goes to, and what its audience is made from."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from core.domain.campaigns import Campaign, Source
from core.domain.lists import DistributionList
from core.domain.permissions import Viewer
from core.domain.placeholders import parse_template
from core.errors import InvalidInput, NotFound
from core.history.audience.recipients import ListPart, RecipientSpec
from core.state import accounts, lists, suppressions
from core.state.store import State


class Addressing:
    """Looks lists up, for drafts and for launches."""

    def __init__(self, state: State) -> None:
        self._state = state

    def find_lists(self, viewer: Viewer, account_id: str, list_ids: Iterable[str]) -> tuple[DistributionList, ...]:
        """
        Return the lists in this order.

        Raises: InvalidInput: one is gone, is listed twice, or belongs to another account than *account_id*.
        """
        found = tuple(self._find(viewer, account_id, list_id) for list_id in list_ids)
        if len({item.list_id for item in found}) < len(found):
            raise InvalidInput("A list is chosen twice.", hint="Choose each list once.", field="list_id")
        return found

    def spec(self, campaign: Campaign, now: datetime) -> RecipientSpec:
        """
        Return what the campaign's audience is made from, as the stores are now, with the prices of the day it is sent.

        Raises: NotFound: a list is gone. InvalidInput: a list lacks the column of a placeholder.
        """
        with self._state.read() as session:
            found = [lists.get_list(session, list_id) for list_id in campaign.list_ids]
            sent_at = max(campaign.schedule_at or now, now)
            prices = accounts.list_prices(session, campaign.account_id, sent_at.astimezone(UTC).date())
            suppressed = suppressions.list_suppressed(session, campaign.account_id)
        parts = tuple(ListPart(item.list_id, find_columns(campaign.placeholders, item)) for item in found)
        if campaign.source is Source.QUICK_SEND:
            # Its numbers lie in the lake as those of a list do, under the campaign's own id.
            parts = (ListPart(campaign.campaign_id, {}),)
        return RecipientSpec(
            lists=parts,
            parts=parse_template(campaign.message, campaign.placeholders),
            prices=prices,
            fallbacks=campaign.fallbacks,
            left_out_ids=campaign.left_out_ids,
            suppressed=tuple(sorted(suppressed)),
            simplifies=campaign.simplifies,
        )

    def _find(self, viewer: Viewer, account_id: str, list_id: str) -> DistributionList:
        try:
            with self._state.read() as session:
                found = lists.get_list(session, list_id)
            viewer.require_account(found.account_id, "distribution list")
        except NotFound as error:
            raise InvalidInput(
                "A distribution list is no longer there.", hint="Select another one.", field="list_id"
            ) from error
        if found.account_id != account_id:
            raise InvalidInput(
                f"The list {found.name} belongs to another account.", hint="Select another one.", field="list_id"
            )
        return found


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


def common_columns(found: Sequence[DistributionList]) -> tuple[str, ...]:
    """Return the columns that all lists have, in the order of the first."""
    if not found:
        return ()
    return tuple(column for column in found[0].columns if all(column in item.columns for item in found[1:]))
