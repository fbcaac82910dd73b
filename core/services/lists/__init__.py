"""Distribution lists, from a file to their entries. Begin with `importing_lists`."""

from core.config import Settings
from core.files.apart import Looking
from core.history.audience.contacts import ContactStore
from core.history.lake.connection import Lake
from core.services.accounts import Accounts
from core.services.leases import Leases
from core.services.lists.importing_lists import ImportingLists, ImportLimits
from core.state.engine.store import State


def build(
    settings: Settings, state: State, lake: Lake, accounts: Accounts, looking: Looking, leases: Leases
) -> ImportingLists:
    """Return the one service of lists."""
    limits = ImportLimits(
        uploads_dir=settings.uploads_dir,
        cache_dir=settings.cache_dir,
        max_bytes=settings.upload_max_mib << 20,
        max_rows=settings.list_max_rows,
    )
    return ImportingLists(state, ContactStore(lake), accounts.managing, limits, looking.columns, leases)
