"""
Suppressing: which of a campaign's recipients want no messages, however many are suppressed in all.

Recipients are compared with the sorted numbers that a process holds (`core.services.suppressions.suppressed_numbers`).
What comes of it is kept for the last few campaigns looked at, as long as no suppression changes: a page is drawn again
and again.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.domain.campaigns.campaigns import Source
from core.domain.messages.messages import Exclusion
from core.history.audience.contacts import ContactStore
from core.history.audience.recipients import SuppressedRecipients
from core.services.campaigns.addressing import Addressed
from core.services.suppressions.suppressed_numbers import SuppressedNumbers
from core.state.engine.store import State
from core.state.suppressions.changes import Scope
from core.state.suppressions.numbers import to_msisdn, to_numbers
from core.state.suppressions.suppressions import find_suppressed
from core.turns import held as lock_held

# Audiences whose numbers are held: eight MiB for a million.
KEPT = 3


@dataclass(frozen=True)
class _Found:
    """The numbers of an audience, and which of them were suppressed as of *scopes*; None when nobody has asked."""

    numbers: NDArray[np.int64]
    account_id: str
    scopes: tuple[Scope, ...] = ()
    suppressed: SuppressedRecipients | None = None


class Suppressing:
    """One per process and safe to share between threads."""

    def __init__(self, state: State, contacts: ContactStore, suppressed: SuppressedNumbers) -> None:
        """Take the stores, and who knows all suppressed numbers."""
        self._state = state
        self._contacts = contacts
        self._suppressed = suppressed
        self._lock = threading.Lock()
        self._found: OrderedDict[Sequence[str], _Found] = OrderedDict()

    def find(self, addressed: Addressed) -> SuppressedRecipients:
        """Return which of the recipients are suppressed now. Raises: StorageError."""
        campaign = addressed.campaign
        if campaign.source is Source.QUICK_SEND:
            return self._find_few(addressed)
        scopes = addressed.suppressing
        if not scopes:
            return SuppressedRecipients()
        key = addressed.recipient_ids()
        with lock_held(self._lock):
            known = self._found.get(key)
        if known and known.suppressed and (known.account_id, known.scopes) == (campaign.account_id, scopes):
            return known.suppressed
        # A list that is Ready never changes.
        numbers = known.numbers if known else self._contacts.numbers(key)
        suppressed = self._suppressed.find(campaign.account_id, numbers)
        self._keep(key, _Found(numbers, campaign.account_id, scopes, suppressed))
        return suppressed

    def _find_few(self, addressed: Addressed) -> SuppressedRecipients:
        campaign = addressed.campaign
        msisdns = list(map(to_msisdn, self._contacts.numbers(addressed.recipient_ids()).tolist()))
        with self._state.read() as session:
            # Who has said STOP is told so; whom a person has suppressed hears nothing at all.
            found = find_suppressed(session, campaign.account_id, msisdns, by_people=campaign.confirms_stop)
        return SuppressedRecipients.of(
            to_numbers(each for each, reason in found.items() if reason is Exclusion.SUPPRESSED),
            to_numbers(each for each, reason in found.items() if reason is Exclusion.SUPPRESSED_EVERYWHERE),
        )

    def _keep(self, key: Sequence[str], found: _Found) -> None:
        with lock_held(self._lock):
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > KEPT:
                self._found.popitem(last=False)
