"""Outside traffic, from a CDR file into the history. Begin with `importing_traffic`."""

from core.config import Settings
from core.files.apart import Looking
from core.history.lake.connection import Lake
from core.history.messages.outside_traffic import OutsideTraffic
from core.history.numbers.kept_ranges import KeptRanges
from core.services.leases import Leases
from core.services.traffic.importing_traffic import ImportingTraffic, TrafficLimits
from core.state.engine.store import State


def build(settings: Settings, state: State, lake: Lake, looking: Looking, leases: Leases) -> ImportingTraffic:
    """Return the one service of outside traffic."""
    limits = TrafficLimits(
        uploads_dir=settings.uploads_dir,
        max_bytes=settings.traffic_max_mib << 20,
        max_rows=settings.traffic_max_rows,
    )
    return ImportingTraffic(
        state, OutsideTraffic(lake, KeptRanges(settings.cache_dir)), limits, looking.cdr_sample, leases
    )
