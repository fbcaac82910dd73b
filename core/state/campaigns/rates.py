"""Rates of campaigns: the segments per second that each keeps to, of its own and of what it sends by."""

from sqlalchemy import bindparam, case, literal_column, select
from sqlalchemy.orm import Session

from core.domain.campaigns.rates import Rates
from core.errors import NotFound
from core.state.engine.prepared import Prepared
from core.state.tables.gateway_models import GatewayRow
from core.state.tables.models import AccountRow, CampaignRow

# A prepared statement has no values of its own, so the empty text stands in it as it is.
_GATEWAY = case((CampaignRow.gateway != literal_column("''"), CampaignRow.gateway), else_=AccountRow.gateway)
# A page that shows a campaign under way asks every second.
_RATES = Prepared(
    select(AccountRow.rate_tps, GatewayRow.rate_tps, CampaignRow.rate_tps)
    .select_from(CampaignRow)
    .join(AccountRow, AccountRow.account_id == CampaignRow.account_id)
    .outerjoin(GatewayRow, GatewayRow.name == _GATEWAY)
    .where(CampaignRow.campaign_id == bindparam("key")),
    ("key",),
)


def get_rates(session: Session, campaign_id: str) -> Rates:
    """Return what limits the campaign as it is this moment. Raises: NotFound."""
    found = _RATES.fetch(session, campaign_id)
    if not found:
        raise NotFound("There is no such campaign.")
    return Rates(*found[0])
