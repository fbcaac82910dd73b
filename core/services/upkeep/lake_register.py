"""What the installation knows of its lake, in the state store."""

from core.state.engine.store import State
from core.state.upkeep import installation

# Names of settings: the lake that is there, and the one that is being made.
LAKE, BEGUN = "lake_id", "lake_begun"


class StoredLakeRegister:
    """Keeps the lake's id, so that another one, or none, is not taken for it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def find(self) -> str:
        """Return the lake's id, "" when there is none yet."""
        return self._find(LAKE)

    def find_begun(self) -> str:
        """Return the id under which a lake was begun, "" when none was."""
        return self._find(BEGUN)

    def begin(self, lake_id: str) -> str:
        """Note that a lake is being made under this id. Returns: The id noted first, when there was one before."""
        with self._state.write() as session:
            begun = installation.find_setting(session, BEGUN)
            if begun is None:
                installation.set_setting(session, BEGUN, lake_id)
            return begun or lake_id

    def finish(self, lake_id: str) -> None:
        """Note that the lake is there."""
        with self._state.write() as session:
            installation.set_setting(session, LAKE, lake_id)
            installation.delete_setting(session, BEGUN)

    def _find(self, name: str) -> str:
        with self._state.read() as session:
            return installation.find_setting(session, name) or ""
