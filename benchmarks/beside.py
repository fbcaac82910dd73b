"""What the state store has besides generated messages: campaigns that people answered, and gateways."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from benchmarks.mobile_numbers import mobile_number
from benchmarks.processes import TEXT
from benchmarks.traffic import Traffic
from core.bootstrap import App
from core.domain.campaigns.campaigns import Campaign, CampaignStatus, Source
from core.domain.gateways.gateways import SIMULATOR, GatewaySetup
from core.domain.gateways.sights import GatewaySight, InUse, LinkState, LinkStatus, ProcessSight
from core.domain.messages.messages import Reply
from core.domain.messages.replies import read_reply
from core.identifiers import new_id
from core.services.accounts.telling_sights import BELIEVED
from core.state.accounts import gateways, sights
from core.state.accounts.gateways import Sealed
from core.state.campaigns import campaigns, replies
from core.state.campaigns.replies import Answered, HeardReply

REPLY_COUNT = 6_000
_CAMPAIGNS_EACH, _DAYS = 3, 30
# So many workers keep so many connections to each gateway.
_GATEWAY_COUNT, _WORKERS, _LINKS = 8, 2, 4
_WORDS = (
    "Thank you!",
    "Can I still change my booking?",
    "STOP",
    "Please call me back after 5 pm",
    "HELP",
    "Ja, gerne!",
)


def add_replies(app: App, made: Traffic) -> None:
    """Add the replies of the last 30 days, each account's to campaigns of its own; nothing where they are there."""
    now = datetime.now(UTC)
    account_ids = sorted(made.account_ids)
    heard = list(_heard(account_ids, now))
    with app.state.write() as session:
        new = replies.add_replies(session, heard, now)
        if not new:
            return
        answered = {account_id: list(_add_campaigns(session, account_id, now)) for account_id in account_ids}
        for number, waiting in enumerate(replies.list_due(session, now, len(new))):
            (account_id,) = waiting.account_ids
            campaign_id = answered[account_id][number % _CAMPAIGNS_EACH]
            replies.link(session, waiting, Answered(new_id(), account_id, campaign_id))


def add_gateways(app: App) -> None:
    """Add the gateways, and let workers have told that they are connected, which is believed for a minute."""
    now = datetime.now(UTC)
    names = [f"Provider {number}" for number in range(1, _GATEWAY_COUNT + 1)]
    link = LinkState(1, LinkStatus.BOUND, now, in_flight=3, window=50, submitted_count=100_000, receipt_count=100_000)
    sight = GatewaySight((link,) * _LINKS, InUse(3 * _LINKS, 50 * _LINKS), 400.0, 380.0)
    with app.state.write() as session:
        there = gateways.list_versions(session)
        for name in names:
            if name not in there:
                gateways.add_gateway(session, GatewaySetup(name, "smpp"), Sealed(), now)
        for worker in range(_WORKERS):
            told = ProcessSight(f"bench:{worker}", True, now + BELIEVED, dict.fromkeys(names, sight))
            sights.write_sight(session, told)


def _heard(account_ids: list[str], now: datetime) -> Iterator[HeardReply]:
    for number in range(REPLY_COUNT):
        msisdn, text = f"+{mobile_number(number)}", _WORDS[number % len(_WORDS)]
        received_at = now - timedelta(days=_DAYS) * number / REPLY_COUNT
        reply = Reply(SIMULATOR, msisdn, "HELIOGRAPH", text, received_at, f"bench-{number}")
        yield HeardReply(reply, msisdn, read_reply(text), (account_ids[number % len(account_ids)],))


def _add_campaigns(session: Session, account_id: str, now: datetime) -> Iterator[str]:
    for number in range(_CAMPAIGNS_EACH):
        campaign = Campaign(
            campaign_id=new_id(),
            account_id=account_id,
            source=Source.CAMPAIGN,
            name=f"Campaign {number + 1} of {account_id}",
            sender_id="HELIOGRAPH",
            lists=(),
            message=TEXT,
            placeholders={},
            status=CampaignStatus.COMPLETED,
            fault="",
            audience_count=0,
            created_at=now - timedelta(days=_DAYS + 1),
            created_by="Bench",
            launched_at=now - timedelta(days=_DAYS + 1),
            completed_at=now - timedelta(days=_DAYS),
        )
        campaigns.add_campaign(session, campaign)
        yield campaign.campaign_id
