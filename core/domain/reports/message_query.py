"""Which messages are asked for, of all that were sent."""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.reports.statistics import NameFilter
from core.domain.times.periods import Period


@dataclass(frozen=True)
class MessageQuery:
    """
    Which messages. An empty filter filters nothing; no account means no message.

    *receiver*, *sender* and *network* match a part, without regard to case and accents; *mccmnc* its beginning (an MCC,
    or both codes); the others match whole values: *country* is ISO 3166-1 alpha-2, *delivery_status* the guide's word,
    *gateway_message_id* what the provider calls the message.
    *names* are conditions as statistics have them; those on accounts are for the caller, who knows what they are
    called. *price_eur_cents* is of one message. *message_ids* are those that were selected one by one. *time_zone* is
    the viewer's: messages are found soonest by the days that are counted already.
    """

    account_ids: frozenset[str]
    period: Period
    receiver: str = ""
    sender: str = ""
    message_id: str = ""
    country: str = ""
    network: str = ""
    mccmnc: str = ""
    delivery_status: str = ""
    error_code: str = ""
    campaign_id: str = ""
    gateway_message_id: str = ""
    names: tuple[NameFilter, ...] = ()
    price_eur_cents: Decimal | None = None
    message_ids: frozenset[str] = frozenset()
    time_zone: str = "UTC"
