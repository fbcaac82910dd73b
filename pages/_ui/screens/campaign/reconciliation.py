"""The proof on a campaign's page: what became of every recipient, and whether it adds up."""

from datetime import datetime
from urllib.parse import urlencode

import streamlit as st

from core.domain.campaigns.campaigns import Arrivals, Campaign, CampaignStatus, Reconciliation
from core.domain.campaigns.pace import Pace
from core.domain.messages.error_codes import Stage, find_meaning
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Permission
from core.domain.words.counting import agree
from pages._ui import formats, session, widgets
from pages._ui.widgets import Tile

UNKNOWN = "handed over, but no answer: never resent automatically"
# The page that is open keeps the pace it has seen, of one campaign.
_PACE = "campaign_pace"
_SENT = "Accepted by the gateway. The speed is that of the last minute of sending; pauses are no part of it."
WAITING = "no receipt yet: Submitted in Message History"
LIVE = frozenset({CampaignStatus.PROCESSING, CampaignStatus.ACTIVE})
# Something can still happen without anybody's doing, or by a colleague's.
_OPEN = LIVE | {CampaignStatus.SCHEDULED, CampaignStatus.PAUSED}


def is_open(campaign: Campaign, found: Reconciliation) -> bool:
    """Whether the numbers or the state may change; what a cancellation leaves is settled a moment after it."""
    return campaign.status in _OPEN or (campaign.status is CampaignStatus.CANCELED and found.pending_count > 0)


def show_progress(campaign: Campaign, found: Reconciliation, now: datetime) -> None:
    """Draw how far the campaign is: a bar while it runs, and its numbers."""
    done_count = found.audience_count - found.pending_count
    # Those excluded took no time: counted in, they would make the rest look nearer than it is.
    pace = _pace(campaign, done_count - found.excluded_count, now)
    with widgets.place():
        if campaign.status in LIVE:
            _show_bar(found, done_count, pace.per_s)
    share = found.sent_count / found.audience_count if found.audience_count else None
    widgets.tiles(
        (
            Tile("Sent", formats.number(found.sent_count), _speed(campaign, pace), help=_SENT),
            Tile("Total", formats.number(found.audience_count), help="Everybody in the frozen audience."),
            Tile("Sent/Total", formats.percent(share)),
        )
    )


def _pace(campaign: Campaign, handed_count: int, now: datetime) -> Pace:
    """Return the pace as this page has seen it: it looks every second."""
    seen_of, pace = st.session_state.get(_PACE, ("", Pace()))
    if seen_of != campaign.campaign_id:
        pace = Pace()
    if campaign.status is CampaignStatus.ACTIVE:
        pace.look(handed_count, now)
    else:
        pace.rest()
    st.session_state[_PACE] = campaign.campaign_id, pace
    return pace


def _speed(campaign: Campaign, pace: Pace) -> str:
    if campaign.status is CampaignStatus.PAUSED:
        return "paused"
    if pace.is_standing:
        return "none in the last minute"
    return f"{formats.speed(pace.per_s)} per second" if pace.per_s else ""


def _show_bar(found: Reconciliation, done_count: int, rate: float | None) -> None:
    if not found.audience_count:
        widgets.progress(0.0, "Freezing the audience: every message is rendered, measured and priced.")
        return
    left = f", about {formats.duration(found.pending_count / rate)} left" if rate else ""
    done = f"{formats.number(done_count)} of {formats.number(found.audience_count)}"
    widgets.progress(found.done_pct / 100, f"**{formats.percent(found.done_pct / 100)}** – {done}{left}")


def show_proof(campaign_id: str, found: Reconciliation) -> None:
    """Draw the equation: audience = sent + excluded + failed + unknown + pending."""
    with widgets.card(
        "Reconciliation",
        key="campaign_reconciliation",
        help="Every recipient in the frozen audience is on exactly one of these lines.",
    ):
        rows: list[tuple[str, str, int]] = [("Sent", "", found.sent_count)]
        # A term of the equation stays in its place while it is still nothing.
        rows += [("Excluded", reason, count) for reason, count in sorted(found.excluded.items()) or [("", 0)]]
        rows += [("Failed", reason, count) for reason, count in sorted(found.failed.items()) or [("", 0)]]
        rows += [("Unknown", "", found.unknown_count)]
        rows += [("Pending", "", found.pending_count)]
        lines = {_label(name, reason): _link(campaign_id, name, reason, count) for name, reason, count in rows}
        st.table(lines | {"**Audience**": f"**{formats.number(found.audience_count)}**"}, border="horizontal")
        if found.balances:
            st.badge("Adds up", icon=":material/check_circle:", color="green")
        else:
            st.badge("Does not add up", icon=":material/error:", color="red")


def show_arrivals(campaign: Campaign, found: Reconciliation, arrived: Arrivals) -> None:
    """Draw what became of the messages sent: delivered + undelivered + waiting = sent."""
    waiting_count = arrived.waiting_count(found.sent_count)
    with widgets.card("Delivery", key="campaign_delivery", help="What the receipts say about the messages sent."):
        lines = {
            "Delivered": _messages_link(campaign, DeliveryStatus.DELIVERED, arrived.delivered_count),
            "Undelivered": _messages_link(campaign, DeliveryStatus.UNDELIVERED, arrived.undelivered_count),
            f"Waiting  \n:small[:gray[{WAITING}]]": _messages_link(campaign, DeliveryStatus.SUBMITTED, waiting_count),
        }
        st.table(lines | {"**Sent**": f"**{formats.number(found.sent_count)}**"}, border="horizontal")
        # A batch is in history when its last message is sent, soon after its first; in a pause it stays where it is.
        missing_count = found.sent_count - arrived.known_count
        with widgets.place():
            if campaign.status is CampaignStatus.PAUSED and missing_count > 0:
                st.caption(f":material/schedule: {_not_in_history(missing_count)}")


def _not_in_history(count: int) -> str:
    are = agree(count, "is", "are")
    return (
        f"{formats.count(count, 'message', 'messages')} sent {are} not in Dashboard, Statistics and Message History "
        "yet: that follows when the campaign is resumed or canceled."
    )


def _messages_link(campaign: Campaign, status: DeliveryStatus, count: int) -> str:
    """Return the number as a link to exactly those messages, for those who may see them."""
    _, viewer = session.current()
    may = viewer.may(Permission.MESSAGE_HISTORY) and campaign.account_id in viewer.open_ids
    if not count or not may:
        return formats.number(count)
    query = {"campaign": campaign.campaign_id, "delivery_status": status.value}
    return f"[{formats.number(count)}](message_history?{urlencode(query)})"


def _label(name: str, reason: str) -> str:
    words = UNKNOWN if name == "Unknown" else refusal(reason)
    return f"{name}  \n:small[:gray[{formats.plain(words)}]]" if words else name


def _link(campaign_id: str, name: str, reason: str, count: int) -> str:
    """Return the number as a link to exactly those rows; nothing leads to no rows."""
    if not count:
        return formats.number(count)
    query = {"id": campaign_id, "outcome": name.lower()} | ({"reason": reason} if reason else {})
    return f"[{formats.number(count)}](campaign_rows?{urlencode(query)})"


def refusal(reason: str, kind: str = "simulator") -> str:
    """Return the reason in words; a code that nobody knows of this *kind* of gateway, and an exclusion, as it came."""
    meaning = find_meaning(kind, reason, Stage.SUBMIT)
    return f"{meaning.inline} ({reason})" if meaning else reason
