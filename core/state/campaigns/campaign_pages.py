"""Campaigns page by page, as people look at them."""

from collections.abc import Collection

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.reports.paging import Page, PageRequest
from core.state.campaigns.campaigns import read_campaign
from core.state.tables.models import CampaignRow
from core.state.tables.search import contains, exact_first, folded

SORTABLE = {
    "name": folded(CampaignRow.name.expression),
    "sender_id": func.lower(CampaignRow.sender_id),
    "status": CampaignRow.status,
    "created_at": CampaignRow.created_at,
    "schedule_at": CampaignRow.schedule_at,
}


def page_campaigns(
    session: Session,
    account_ids: Collection[str],
    request: PageRequest,
    statuses: Collection[CampaignStatus] = (),
    *,
    confirmed: bool | None = None,
) -> Page[Campaign]:
    """
    Return one page of the accounts' campaigns, of some *statuses* if given, whose name contains the search.

    *confirmed*: only completed confirmations of a STOP if True, all but these if False.
    """
    wanted: Select[CampaignRow] = select(CampaignRow).where(CampaignRow.account_id.in_(account_ids))
    if confirmed is not None:
        is_one = CampaignRow.confirms_stop & (CampaignRow.status == CampaignStatus.COMPLETED)
        wanted = wanted.where(is_one if confirmed else ~is_one)
    if statuses:
        wanted = wanted.where(CampaignRow.status.in_(statuses))
    if request.search.strip():
        wanted = wanted.where(contains(CampaignRow.name.expression, request.search.strip()))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    column = SORTABLE.get(request.sort, CampaignRow.created_at)
    direction = column.desc() if request.descending else column.asc()
    # Campaigns without a schedule come last; left to themselves, the dialects disagree.
    exact = exact_first(request.search, CampaignRow.name.expression)
    ordered = wanted.order_by(*exact, direction.nulls_last(), CampaignRow.campaign_id)
    rows = session.scalars(ordered.offset(request.offset).limit(request.size))
    return Page(tuple(read_campaign(row) for row in rows), total)
