"""Placing: a campaign to numbers of its own, as Quick Sends are, is there for a worker to freeze, or it is not."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

import pyarrow as pa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.campaigns.campaigns import Campaign
from core.domain.numbering import get_destination
from core.history.audience.contacts import ContactStore
from core.history.lake.schema import CONTACT_SCHEMA
from core.services.accounts.budgeting import beyond_budget
from core.services.leases import new_owner
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.upkeep import keeping

log = logging.getLogger(__name__)

# Storing the numbers waits for the lake's other writers, but not for so long.
CLAIMED_FOR = timedelta(minutes=5)


class Placing:
    """Puts a campaign into one store and its numbers into the other."""

    def __init__(self, state: State, contacts: ContactStore) -> None:
        """Take the stores."""
        self._state = state
        self._contacts = contacts

    def place(
        self,
        new: Campaign,
        numbers: Sequence[str],
        judge: Callable[[Session], bool],
        note: Callable[[Session], object] = lambda _: None,
    ) -> bool:
        """
        Place the campaign, Processing; False when it was there already.

        Args:
            new: What is sent.
            numbers: To whom, in E.164, each once.
            judge: Says in the transaction that adds the campaign whether the budget suffices; whatever it raises is
                raised.
            note: Is called in the transaction that lets go of it.

        Raises: InvalidInput: the budget does not suffice. StorageError: there is no campaign then.
        """
        owner = new_owner()
        if not self._claim(new, owner, judge):
            return False
        try:
            self._contacts.replace(new.campaign_id, [_table(numbers)])
        except BaseException:
            self._withdraw(new.campaign_id, owner)
            raise
        with self._state.write() as session:
            campaigns.release_campaign(session, new.campaign_id, owner)
            note(session)
        return True

    def _claim(self, new: Campaign, owner: str, judge: Callable[[Session], bool]) -> bool:
        """
        Add the campaign, which nobody freezes before its numbers are there; False when it was there already.

        First of all: so whatever is written to the lake has somebody who knows of it, and forgets it.
        """
        try:
            with self._state.write() as session:
                suffices = judge(session)
                if campaigns.find_campaign(session, new.campaign_id) is not None:
                    return False
                if not suffices:
                    raise beyond_budget("message", "numbers")
                campaigns.add_campaign(session, new)
                keeping.claim_numbers(session, new.campaign_id, owner, new.created_at + CLAIMED_FOR)
        except IntegrityError:
            return False
        return True

    def _withdraw(self, campaign_id: str, owner: str) -> None:
        """Take the campaign back whose numbers could not be stored, so that it can be sent again."""
        with self._state.write() as session:
            if campaigns.delete_claimed(session, campaign_id, owner):
                # Nobody knows whether the lake has them: not every commit that fails has not happened.
                keeping.leave_contacts(session, [campaign_id])
                log.warning("quick_send_withdrawn", extra={"campaign_id": campaign_id})


def _table(numbers: Sequence[str]) -> pa.Table:
    destinations = [get_destination(number) for number in numbers]
    columns = {
        "row_no": list(range(1, len(numbers) + 1)),
        "msisdn": list(numbers),
        "country": [destination.country for destination in destinations],
        "network": [destination.network for destination in destinations],
        "mccmnc": [destination.mccmnc for destination in destinations],
        "fields": [[number] for number in numbers],
    }
    return pa.table(columns, schema=CONTACT_SCHEMA)
