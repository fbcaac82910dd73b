"""Strays: what a provider said that belongs to no message of ours, or that nobody can read."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.words.control_characters import replace_controls

# So much of each part is kept.
_PARTY_MAX, _CONTENT_MAX = 40, 2_000
# Digits that may be somebody's number, also written in octets.
_NUMBERS = re.compile(r"\d{6,}")
_OCTETS = re.compile(r"octets [0-9a-f]+")


class StrayReason(StrEnum):
    """Why it is kept, as people read it."""

    NO_MESSAGE = "Receipt for no message"
    NO_ID = "Receipt without an ID"
    NO_STATE = "Receipt without a state"
    NO_SOURCE = "Reply without a sender"
    OTHER_KIND = "Neither receipt nor reply"
    UNDECODABLE = "Damaged"


@dataclass(frozen=True)
class Stray:
    """What came, cut to what is kept. *sender* and *receiver* are "" where it names none."""

    gateway: str
    reason: StrayReason
    content: str
    came_at: datetime
    sender: str = ""
    receiver: str = ""

    def __post_init__(self) -> None:
        """Keep no more than there is room for, and nothing that no store takes."""
        for name, most in (("content", _CONTENT_MAX), ("sender", _PARTY_MAX), ("receiver", _PARTY_MAX)):
            object.__setattr__(self, name, replace_controls(getattr(self, name))[:most])


def mask_content(content: str) -> str:
    """Return the content for who may not see numbers: long rows of digits, and octets, are hidden."""
    return _NUMBERS.sub("••••••", _OCTETS.sub("octets ••••", content))
