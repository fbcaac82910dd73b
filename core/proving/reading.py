"""Reading the books: what the installation itself says in the end."""

from datetime import timedelta

from core.domain.reports.message_query import MessageQuery
from core.domain.times.periods import Period
from core.history.engine.results import fetch_one
from core.proving.installation import Installation
from core.proving.verdict import Books, Sent

# The clock was set by an hour meanwhile.
_AROUND = timedelta(days=2)


def count_messages(installation: Installation) -> tuple[int, int]:
    """Return how many rows the history has, and how many messages, in one look. Raises: StorageError."""
    with installation.app.lake.read() as cursor:
        return fetch_one(cursor, "SELECT count(*), count(DISTINCT message_id) FROM lake.messages")[:2]


def read_books(installation: Installation, campaign_id: str) -> Books:
    """Return what the state store and the history say of the campaign. Raises: StorageError."""
    app, viewer = installation.app, installation.viewer
    now = app.clock()
    query = MessageQuery(viewer.account_ids, Period(now - _AROUND, now + _AROUND), campaign_id=campaign_id)
    _, tables = app.reports.reporting.all_messages(viewer, query)
    columns = ("receiver", "delivery_status", "gateway_message_id")
    sent = [Sent(*row) for table in tables for row in zip(*(table[name].to_pylist() for name in columns), strict=True)]
    with app.lake.read() as cursor:
        unsent = cursor.execute(
            "SELECT msisdn, outcome FROM lake.unsent WHERE campaign_id = $campaign_id", {"campaign_id": campaign_id}
        ).fetchall()
    found = app.reports.reporting.reconciliation(viewer, campaign_id)
    campaign = app.campaigns.composing.get(viewer, campaign_id)
    return Books(found, campaign.status, sent, unsent, campaign.fault)
