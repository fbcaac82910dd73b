"""Addressing: whom a campaign goes to, and at which prices, as the state store has it at one moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account
from core.domain.accounts.pricing import Price
from core.domain.accounts.suppressions import EVERYWHERE
from core.domain.campaigns.campaigns import Campaign, CampaignDraft, Source
from core.domain.campaigns.rates import Rates
from core.domain.imports.lists import DistributionList
from core.domain.people.permissions import Viewer
from core.domain.texts.placeholders import parse_template
from core.errors import InvalidInput, NotFound
from core.history.audience.recipients import ListPart, RecipientSpec, SuppressedRecipients
from core.services.accounts.watching_gateways import find_way
from core.state.accounts import accounts
from core.state.campaigns import rates
from core.state.imports import lists
from core.state.suppressions.changes import Scope, find_scopes


@dataclass(frozen=True)
class Addressed:
    """
    A campaign with all that its audience is made from.

    *lists* are those of it that are still there, sent to and left out, by id; *prices* are those of the day on which
    it *starts_at*. *suppressing* says whose suppressions count, and what changed there last; () where there never was
    any.
    """

    campaign: Campaign
    account: Account
    rates: Rates
    lists: Mapping[str, DistributionList]
    prices: tuple[Price, ...]
    suppressing: tuple[Scope, ...]
    starts_at: datetime

    def recipient_ids(self) -> tuple[str, ...]:
        """Return under which ids the recipients lie in the lake, in order."""
        campaign = self.campaign
        # The numbers of a Quick Send lie there as those of a list do, under the campaign's own id.
        return (campaign.campaign_id,) if campaign.source is Source.QUICK_SEND else campaign.list_ids

    def spec(self, suppressed: SuppressedRecipients) -> RecipientSpec:
        """
        Return what the audience is made from, but for those *suppressed*.

        Raises: NotFound: a list is gone. InvalidInput: a list lacks the column of a placeholder.
        """
        campaign = self.campaign
        is_quick = campaign.source is Source.QUICK_SEND
        return RecipientSpec(
            lists=tuple(ListPart(each, {}) if is_quick else self._part(each) for each in self.recipient_ids()),
            parts=parse_template(campaign.message, campaign.placeholders),
            prices=self.prices,
            fallbacks=campaign.fallbacks,
            left_out_ids=campaign.left_out_ids,
            suppressed=suppressed,
            simplifies=campaign.simplifies,
        )

    def _part(self, list_id: str) -> ListPart:
        if list_id not in self.lists:
            raise NotFound("There is no such distribution list.")
        return ListPart(list_id, find_columns(self.campaign.placeholders, self.lists[list_id]))


def address(session: Session, campaign: Campaign, now: datetime) -> Addressed:
    """Return the campaign with all that its audience is made from. Raises: NotFound: its account is gone."""
    whose = {campaign.account_id, EVERYWHERE}
    starts_at = max(campaign.schedule_at or now, now)
    account = accounts.get_account(session, campaign.account_id)
    return Addressed(
        campaign=campaign,
        account=account,
        rates=rates.get_rates(session, campaign.campaign_id, find_way(session, campaign, account, now)),
        lists=find_lists(session, campaign),
        prices=accounts.list_prices(session, campaign.account_id, starts_at.astimezone(UTC).date()),
        suppressing=tuple(scope for scope in find_scopes(session, whose) if scope.change_no),
        starts_at=starts_at,
    )


def find_lists(
    session: Session, chosen: Campaign | CampaignDraft, *, lock: bool = False
) -> dict[str, DistributionList]:
    """Return the lists that are sent to and left out, by id, if they are there; *lock* lets nobody delete them."""
    return lists.find_lists(session, {*chosen.list_ids, *chosen.left_out_ids}, lock=lock)


def pick_lists(
    viewer: Viewer, account_id: str, list_ids: Iterable[str], known: Mapping[str, DistributionList]
) -> tuple[DistributionList, ...]:
    """
    Return those of the *known* lists in this order.

    Raises: InvalidInput: one is gone, is listed twice, or belongs to another account than *account_id*.
    """
    found = tuple(_pick(viewer, account_id, known.get(list_id)) for list_id in list_ids)
    if len({item.list_id for item in found}) < len(found):
        raise InvalidInput("A list is chosen twice.", hint="Choose each list once.", field="list_id")
    return found


def _pick(viewer: Viewer, account_id: str, found: DistributionList | None) -> DistributionList:
    # Those of accounts that are not the viewer's do not exist for him or her.
    if found is None or found.account_id not in viewer.account_ids:
        raise InvalidInput("A distribution list no longer exists.", hint="Select another one.", field="list_id")
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
