"""Replies as people ask for them, and as they see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.domain.messages.replies import Keyword
from core.domain.times.periods import Period


@dataclass(frozen=True)
class ReplyFilter:
    """
    Which replies: received in *period*, with *search* in their text or their sender's number.

    What is empty filters nothing. *account_id* and *campaign_id* are of what a reply answers, or may be meant for.
    """

    period: Period
    search: str = ""
    keyword: Keyword | None = None
    account_id: str = ""
    campaign_id: str = ""


@dataclass(frozen=True)
class ReplyChoices:
    """What replies can be narrowed down to, by id: open accounts, and campaigns that were answered, newest first."""

    accounts: Mapping[str, str]
    campaigns: Mapping[str, str]


@dataclass(frozen=True)
class ShownReply:
    """
    A reply as its viewer may see it: *sender* is masked for those who may not see numbers.

    *receiver* is the sender ID or number it was sent to; *is_followed* is False for a STOP or START whose sender cannot
    be read as a number. *account* is a name, or those of several where nobody knows whose it is. *campaign* and
    *message_id* are "" where they are not known, and for those who may not see them.
    """

    reply_id: str
    received_at: datetime
    sender: str
    receiver: str
    text: str
    keyword: Keyword
    is_followed: bool
    account: str
    campaign: str
    message_id: str
    gateway: str

    @property
    def asks_for(self) -> str:
        """What it asks for, in words: "STOP", "HELP", "" for nothing that is known."""
        word = "" if self.keyword is Keyword.NONE else self.keyword.upper()
        return word if self.is_followed else f"{word}, not followed"
