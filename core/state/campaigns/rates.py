"""Rates of campaigns: the segments per second that each keeps to, of its own and of what it sends by."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from core.domain.campaigns.rates import Rates
from core.errors import NotFound
from core.state.engine.prepared import Prepared
from core.state.tables.gateway_models import GatewayRow
from core.state.tables.models import AccountRow, CampaignRow

# A page that shows a campaign under way asks every second.
_RATES = Prepared(
    select(AccountRow.rate_tps, GatewayRow.rate_tps, CampaignRow.rate_tps)
    .select_from(CampaignRow)
    .join(AccountRow, AccountRow.account_id == CampaignRow.account_id)
    .outerjoin(GatewayRow, GatewayRow.name == bindparam("gateway"))
    .where(CampaignRow.campaign_id == bindparam("key")),
    ("gateway", "key"),
)


def get_rates(session: Session, campaign_id: str, gateway: str) -> Rates:
    """Return what limits the campaign this moment while it goes by the *gateway* of this name. Raises: NotFound."""
    found = _RATES.fetch(session, gateway, campaign_id)
    if not found:
        raise NotFound("There is no such campaign.")
    return Rates(*found[0])
