"""What the receipts inbox holds."""

from datetime import datetime
from itertools import chain

from sqlalchemy.orm import Session

from core.state.campaigns import receipts
from core.state.campaigns.receipts import InboxReceipt


def list_inbox(session: Session, now: datetime, limit: int) -> tuple[InboxReceipt, ...]:
    """Return the receipts to merge at *now*, in the order in which they are."""
    return tuple(chain.from_iterable(receipts.read_due(session, now, limit)))
