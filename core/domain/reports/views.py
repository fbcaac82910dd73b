"""Views: what a page shows, kept under a name."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SavedView:
    """
    A view of *page* (its stem). *address* is the query of the page's address, without the question mark.

    It holds filters, never rights: whoever opens a shared view sees the messages of his or her own accounts.
    """

    view_id: str
    user_id: str
    page: str
    name: str
    address: str
    is_shared: bool
    created_at: datetime
