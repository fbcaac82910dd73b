"""Rebuilding the history's catalog from its files, and comparing what came back with what the installation knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.people.permissions import Permission, Viewer
from core.history.lake.rebuilding import Known, Rebuilding, Rebuilt
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.imports import lists
from core.state.upkeep import keeping


@dataclass(frozen=True)
class Shortfall:
    """A list that has *found* of its *expected* entries."""

    list_name: str
    expected: int
    found: int


class RebuildingHistory:
    """For a person at the command line, while web and worker are stopped."""

    def __init__(self, state: State, rebuilding: Rebuilding) -> None:
        self._state = state
        self._rebuilding = rebuilding

    def rebuild(self, viewer: Viewer, now: datetime, *, replace: bool) -> tuple[Rebuilt, Sequence[Shortfall]]:
        """
        Make a new catalog of what the files tell, and say which lists did not come back whole.

        Raises: Forbidden: the viewer may not look into the audit. Conflict: there is a catalog that can be used, and
            *replace* was not said. StorageError: a store does not answer, or there are no files.
        """
        viewer.require(Permission.AUDIT)
        with self._state.write() as session:
            entries = lists.list_entry_counts(session)
            campaign_ids = campaigns.list_ids(session)
            # Files of audiences that were forgotten may still lie there and come back: they are forgotten once more.
            keeping.expect_audiences(session)
        known = Known([list_id for list_id, *_ in entries], campaign_ids)
        rebuilt = self._rebuilding.rebuild(known, now, replace=replace)
        shortfalls = [
            Shortfall(name, expected, rebuilt.contacts.get(list_id, 0))
            for list_id, name, expected in entries
            if rebuilt.contacts.get(list_id, 0) != expected
        ]
        return rebuilt, shortfalls
