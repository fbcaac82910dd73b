"""Notifications: what people are told, by the guide's tags."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Tag(StrEnum):
    """What a notification is about."""

    CAMPAIGN = "Campaign"
    DISTRIBUTION_LIST = "Distribution list"
    EMAIL_CONFIRM = "Email confirm"
    BUDGET = "Budget"


@dataclass(frozen=True)
class Notification:
    """One of them; *read_at* None as long as it was not marked as read."""

    notification_id: str
    tag: Tag
    text: str
    created_at: datetime
    read_at: datetime | None = None
