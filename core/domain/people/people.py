"""People: who they are, whether they may come in, and what they have set for themselves."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.people.permissions import PRESETS, Permission
from core.domain.words.characters import normalize
from core.errors import InvalidInput, InvalidTransition

LANGUAGES = {"en": "English"}


class UserStatus(StrEnum):
    """Pending: invited, and not there yet. Inactive: was here, and may not come in for now."""

    PENDING = "Pending"
    ACTIVE = "Active"
    INACTIVE = "Inactive"


# A person who is paused and never accepted the invitation is pending again afterwards: without a password nobody is
# active.
MOVES: dict[UserStatus, frozenset[UserStatus]] = {
    UserStatus.PENDING: frozenset({UserStatus.ACTIVE, UserStatus.INACTIVE}),
    UserStatus.ACTIVE: frozenset({UserStatus.INACTIVE}),
    UserStatus.INACTIVE: frozenset({UserStatus.ACTIVE, UserStatus.PENDING}),
}


def check_move(current: UserStatus, to: UserStatus) -> None:
    """Raise `InvalidTransition` unless a person may go from *current* to *to*."""
    if to not in MOVES[current]:
        raise InvalidTransition(f"A person who is {current} cannot become {to}.")


@dataclass(frozen=True)
class SmsSettings:
    """
    What a person's messages begin with.

    *simplifies*: typographic characters are replaced, so that the text stays GSM-7. *sender_id* stands in the form of a
    new message; "" for none.
    """

    simplifies: bool = False
    sender_id: str = ""


@dataclass(frozen=True)
class Person:
    """A person as administrators see him or her. *phone* is E.164 with `+`, or "". *has_password*: accepted once."""

    user_id: str
    name: str
    email: str
    status: UserStatus
    permissions: frozenset[Permission]
    account_ids: frozenset[str] = field(default_factory=frozenset)
    phone: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    sms: SmsSettings = SmsSettings()
    has_password: bool = True
    created_at: datetime | None = None

    @property
    def is_administrator(self) -> bool:
        """Whether the person may do everything: one who is active has to be left."""
        return self.permissions == PRESETS["Administrator"]


# Words with single dots between them (RFC 5322's dot-atom), of letters of any script (RFC 6531) and the marks addresses
# have: nothing that could end the address in a mail's header and begin another one.
_WORD = r"(?:[^\W_]|[_!#$%&'*+/=?^`{|}~-])+"
_LABEL = r"[^\W_](?:(?:[^\W_]|-)*[^\W_])?"
_EMAIL = re.compile(rf"({_WORD}(?:\.{_WORD})*)@({_LABEL}(?:\.{_LABEL})+)")
# The beginning of an encoded word (RFC 2047): mail programs read another address out of it.
_ENCODED = "=?"
_LOCAL_MAX = 64
EMAIL_MAX = 254


def check_name(name: str) -> str:
    """Return the tidied name of a person. Raises: InvalidInput."""
    tidy = " ".join(name.split())
    if not 1 <= len(tidy) <= 100 or not tidy.isprintable():
        raise InvalidInput("The name needs 1 to 100 characters.", hint="Enter your name.", field="name")
    return tidy


def check_email(email: str) -> str:
    """Return the tidied email. Raises: InvalidInput: no mail could be sent there."""
    # One form for what looks alike: an accent that is a character of its own belongs to its letter.
    tidy = normalize("NFC", email.strip())
    found = _EMAIL.fullmatch(tidy)
    if found is None or len(tidy) > EMAIL_MAX or not tidy.isprintable() or not _can_be_sent_to(found[1], found[2]):
        raise InvalidInput("This is not an email address.", hint="For example ada@example.com.", field="email")
    return tidy


def _can_be_sent_to(local: str, domain: str) -> bool:
    try:
        # Whether it has a name in the DNS: labels of 63 characters at most, and no letter that has none there.
        domain.encode("idna")
    except UnicodeError:
        return False
    is_number = domain.rpartition(".")[2].isdigit()
    return len(local.encode()) <= _LOCAL_MAX and _ENCODED not in local and not is_number
