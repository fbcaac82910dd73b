"""Saved views: those people save and share, and the columns they chose."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.addresses import check_address
from core.domain.reports.views import SavedView
from core.domain.words.names import check_name
from core.errors import InvalidInput, NotFound
from core.identifiers import new_id
from core.state.engine.store import State
from core.state.reports import views

# The pages that have views, and what opens them.
PAGES = {
    "statistics": Permission.STATISTICS,
    "message_history": Permission.MESSAGE_HISTORY,
    "replies": Permission.MESSAGE_HISTORY,
}
MOST_VIEWS = 200
MOST_CHARACTERS = 2_000
# What a page's address calls a filter that holds a subscriber number, and one that may hold one among other words.
_NUMBER, _SEARCH = "receiver", "replies_search"
_DIGITS = re.compile(r"[0-9]{6}")


class SavedViews:
    """What a person finds again in every browser. A view is filters, never rights."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list_views(self, viewer: Viewer, page: str) -> list[SavedView]:
        """Return the viewer's own views of the page and those that others share, by name."""
        viewer.require(_permission(page))
        with self._state.read() as session:
            return views.list_views(session, viewer.user_id, page)

    def save_view(
        self, viewer: Viewer, page: str, name: str, address: str, *, shared: bool, now: datetime
    ) -> SavedView:
        """
        Keep *address* under *name*; the viewer's own view of this name is replaced.

        Raises: InvalidInput: name, too long an address, a number that would be shared, or too many views.
            Forbidden: not this page.
        """
        viewer.require(_permission(page))
        name = check_name(name, "view")
        if shared and any(_looks_for_number(*pair) for pair in parse_qsl(address)):
            raise InvalidInput(
                "A view that looks for a receiver cannot be shared.",
                hint="Others may not be allowed to see the number. Keep it for yourself, or remove the filter.",
            )
        if len(address) > MOST_CHARACTERS:
            raise InvalidInput("This view has too many filters to be saved.", hint="Use fewer or shorter ones.")
        check_address(parse_qsl(address, keep_blank_values=True))
        with self._state.write() as session:
            new = SavedView(new_id(), viewer.user_id, page, name, address, shared, now)
            kept = views.put_view(session, new, MOST_VIEWS)
            if kept is None:
                raise InvalidInput(f"You already have {MOST_VIEWS} views.", hint="Delete one first.")
        return kept

    def delete_view(self, viewer: Viewer, view_id: str) -> None:
        """Forget one of the viewer's own views. Raises: NotFound: none of the viewer's."""
        with self._state.write() as session:
            found = views.find_view(session, view_id)
            if found is None or found.user_id != viewer.user_id:
                raise NotFound(
                    "There is no such view of yours.", hint="Only the person who saved a view can delete it."
                )
            views.delete_view(session, view_id)

    def choose_columns(self, viewer: Viewer, page: str, labels: Sequence[str]) -> None:
        """Keep which columns of the page's table the viewer wants to see."""
        viewer.require(_permission(page))
        with self._state.write() as session:
            views.set_preference(session, viewer.user_id, f"{page}_columns", json.dumps(list(labels)))

    def find_columns(self, viewer: Viewer, page: str) -> list[str] | None:
        """Return the columns the viewer chose, None before any choice."""
        viewer.require(_permission(page))
        with self._state.read() as session:
            text = views.find_preference(session, viewer.user_id, f"{page}_columns")
        return None if text is None else [str(label) for label in json.loads(text)]


def _looks_for_number(field: str, value: str) -> bool:
    return field == _NUMBER or (field == _SEARCH and _DIGITS.search(re.sub(r"[\s()./-]", "", value)) is not None)


def _permission(page: str) -> Permission:
    if page not in PAGES:
        raise NotFound("This page has no views.")
    return PAGES[page]
