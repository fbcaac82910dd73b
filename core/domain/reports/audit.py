"""The audit: who did what to what, when, from where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.campaigns.campaigns import Campaign


class Action(StrEnum):
    """What was done, as it is stored. A new one may be added; none may ever mean something else."""

    SIGNED_IN = "signed in"
    SIGN_IN_REFUSED = "sign-in refused"
    SIGNED_OUT = "signed out"
    SESSION_REVOKED = "session ended"
    PASSWORD_RESET_ASKED = "password reset asked"  # noqa: S105 - names of actions
    PASSWORD_CHANGED = "password changed"  # noqa: S105
    EMAIL_CHANGE_ASKED = "email change asked"
    EMAIL_CHANGED = "email changed"
    PROFILE_CHANGED = "profile changed"
    PERSON_INVITED = "person invited"
    INVITATION_SENT_AGAIN = "invitation sent again"
    INVITATION_ACCEPTED = "invitation accepted"
    PERSON_CHANGED = "person changed"
    PERSON_DEACTIVATED = "person deactivated"
    PERSON_ACTIVATED = "person activated"
    PERSON_DELETED = "person deleted"
    ACCOUNT_CREATED = "account created"
    ACCOUNT_CHANGED = "account changed"
    ACCOUNT_ACTIVATED = "account activated"
    ACCOUNT_DEACTIVATED = "account deactivated"
    PRICES_IMPORTED = "prices imported"
    # Of an account, in versions before gateways had secrets of their own.
    CREDENTIALS_CHANGED = "credentials changed"
    GATEWAY_CREATED = "gateway created"
    GATEWAY_CHANGED = "gateway changed"
    GATEWAY_DELETED = "gateway deleted"
    CALLBACK_RENEWED = "callback address renewed"
    LIST_UPLOADED = "list uploaded"
    LIST_DELETED = "list deleted"
    CAMPAIGN_CHANGED = "campaign changed"
    CAMPAIGN_LAUNCHED = "campaign launched"
    CAMPAIGN_UNSCHEDULED = "campaign taken off schedule"
    CAMPAIGN_PAUSED = "campaign paused"
    CAMPAIGN_RESUMED = "campaign resumed"
    CAMPAIGN_CANCELED = "campaign canceled"
    QUICK_SENT = "quick send"
    EXPORTED = "exported"
    SUPPRESSIONS_ADDED = "suppressions added"
    SUPPRESSIONS_IMPORTED = "suppressions imported"
    SUPPRESSIONS_LIFTED = "suppressions lifted"
    TRAFFIC_IMPORTED = "traffic imported"

    @property
    def label(self) -> str:
        """What people read: in the words of the screens, where those are not the stored ones."""
        return _LABELS.get(self, self.value).capitalize()


_LABELS = {
    Action.SIGNED_IN: "logged in",
    Action.SIGN_IN_REFUSED: "log in refused",
    Action.SIGNED_OUT: "logged out",
    Action.PASSWORD_RESET_ASKED: "password reset requested",
    Action.EMAIL_CHANGE_ASKED: "email change requested",
}


@dataclass(frozen=True)
class Subject:
    """What something was done to: *kind* such as "person", "account", "campaign", its id, and its name then."""

    kind: str
    subject_id: str = ""
    name: str = ""


def campaign_subject(campaign: Campaign) -> Subject:
    """Return the campaign as a subject."""
    return Subject("campaign", campaign.campaign_id, campaign.name)


@dataclass(frozen=True)
class AuditEntry:
    """
    One line. *who* is the person's name then, "" for a stranger; *details* are few, and never secrets or numbers.

    *address* is the browser's, "" for the command line and the worker.
    """

    entry_id: str
    at: datetime
    user_id: str
    who: str
    action: Action
    subject: Subject
    address: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditFilter:
    """From *start* (with it) to *end* (without), whose person or subject contains *text*, of one action."""

    start: datetime | None = None
    end: datetime | None = None
    text: str = ""
    action: Action | None = None
