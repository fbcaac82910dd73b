"""Reconciling: the rows behind each number of a campaign's reconciliation."""

from dataclasses import dataclass

import pyarrow as pa

from core.domain.messages.messages import REASONED, LedgerState
from core.domain.numbering import country_name
from core.domain.numbering.msisdn import mask_msisdn
from core.domain.people.permissions import Permission, Viewer
from core.history.audience.outcomes import OpenWork, OutcomeQuery, Outcomes
from core.state.campaigns import campaigns, ledger
from core.state.engine.store import State

# What the reconciliation calls them, in its order.
OUTCOMES = ("sent", "excluded", "failed", "unknown", "pending")
_COLUMNS = ("msisdn", "country", "network", "mccmnc", "reason")
# Of no batches: an array, even an empty one, would bring pandas along, which takes a third of a second.
_NOBODY = pa.Table.from_batches([], pa.schema([(name, pa.string()) for name in _COLUMNS]))


@dataclass(frozen=True)
class OutcomePage:
    """A page of rows of *total*: Receiver (masked for who may not see it), Country, Network, MCCMNC, Reason."""

    table: pa.Table
    total: int


class Reconciling:
    """Shows who is in each line of the equation."""

    def __init__(self, state: State, outcomes: Outcomes) -> None:
        self._state = state
        self._outcomes = outcomes

    def rows(
        self, viewer: Viewer, campaign_id: str, outcome: str, reason: str | None, page: int, size: int
    ) -> OutcomePage:
        """
        Return page *page* (from 1) of the rows with this outcome and, if given, reason.

        Raises: NotFound. Forbidden: without the permission, or the campaign's account is inactive.
        """
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        with self._state.read() as session:
            campaign = campaigns.get_campaign(session, campaign_id)
            viewer.require_account(campaign.account_id, "campaign")
            viewer.require_open(campaign.account_id)
            if not campaign.audience_count:
                # An audience whose campaign was canceled while it was frozen is in the lake, but nobody counts it.
                return OutcomePage(_readable(viewer, _NOBODY), 0)
            states = ledger.list_states(session, campaign_id)
            batch_nos = ledger.list_batch_nos(session, campaign_id)
        # Claimed is not yet known: the reconciliation counts it as pending.
        known = [
            (message_id, state.value, code if state in REASONED else "")
            for message_id, state, code in states
            if state is not LedgerState.CLAIMED
        ]
        since = campaign.launched_at or campaign.created_at
        query = OutcomeQuery(campaign_id, since, outcome, reason)
        table, total = self._outcomes.rows(query, OpenWork(batch_nos, known), size, (max(1, page) - 1) * size)
        return OutcomePage(_readable(viewer, table), total)


def _readable(viewer: Viewer, table: pa.Table) -> pa.Table:
    numbers = table["msisdn"].to_pylist()
    shown = numbers if viewer.sees_numbers else [mask_msisdn(number) for number in numbers]
    return pa.table(
        {
            "Receiver": pa.array(shown, pa.string()),
            "Country": pa.array([country_name(code) for code in table["country"].to_pylist()], pa.string()),
            "Network": table["network"],
            "MCCMNC": table["mccmnc"],
            "Reason": table["reason"],
        }
    )
