"""What is known of a message besides its way."""

from datetime import datetime

from core.domain.messages.messages import DeliveryStatus
from core.services.reports.tracing import MessageTrace
from pages._ui import formats, widgets
from pages._ui.screens.message import timeline

_SOURCES = {"campaign": "Campaign", "quick_send": "Quick Send", "api": "API", "import": "Import"}


def show(trace: MessageTrace, time_zone: str) -> None:
    """Draw the facts, under the names Message History has for them."""
    message = trace.message
    arrived_at = message.delivered_at if message.delivery_status is DeliveryStatus.DELIVERED else None
    took = message.delivered_at - message.sent_at if message.delivered_at else None
    with widgets.card("Details", key="message_details"):
        widgets.facts(
            {
                "Receiver": message.receiver,
                "Sender": message.sender,
                "Country": trace.country or formats.NOTHING,
                "Network": f"{message.network} ({message.mccmnc})" if message.network else formats.NOTHING,
                "Account": trace.account_name,
                "Source": _SOURCES.get(message.source, message.source),
                "Sent Date": _moment(message.sent_at, time_zone),
                "Delivery Date": _moment(arrived_at, time_zone) if arrived_at else formats.NOTHING,
                "DLR Time": formats.NOTHING if took is None else timeline.delay(took),
                "Error Code": _error(trace),
                "Price [EUR c]": formats.cents(message.price_eur_cents),
                "SMS Count": formats.number(message.segment_count),
                "Encoding": "Unicode (UCS-2)" if message.unicode else "GSM 03.38 (7 bit)",
                "Gateway": message.gateway,
                "Gateway Message ID": message.gateway_message_id,
                "Message ID": message.message_id,
            }
        )


def _moment(value: datetime, time_zone: str) -> str:
    local = formats.in_zone(value, time_zone)
    return f"{local:%d/%m/%Y} {formats.precise(value, time_zone)}"


def _error(trace: MessageTrace) -> str:
    code = trace.message.error_code
    if not code:
        return formats.NOTHING
    if trace.meaning is None:
        return code
    return f"{code}: {'' if trace.meaning.is_certain else 'usually '}{trace.meaning.text}"
