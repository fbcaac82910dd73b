"""
Suppressions: who gets no messages, for one account or for all.

`managing` is what people do with them, `importing` brings a file of them, and `suppressed_numbers` says which of very
many numbers are suppressed.
"""

from dataclasses import dataclass

from core.config import Settings
from core.files.apart import Looking
from core.services.leases import Leases
from core.services.suppressions.importing import ImportingSuppressions, SuppressionLimits
from core.services.suppressions.managing import ManagingSuppressions
from core.services.suppressions.suppressed_numbers import SuppressedNumbers
from core.state.engine.store import State


@dataclass(frozen=True)
class Suppressions:
    """Who gets no messages."""

    managing: ManagingSuppressions
    importing: ImportingSuppressions
    numbers: SuppressedNumbers


def build(settings: Settings, state: State, looking: Looking, leases: Leases) -> Suppressions:
    """Return the services of suppressions."""
    numbers = SuppressedNumbers(state, settings.suppressions_dir)
    limits = SuppressionLimits(
        uploads_dir=settings.uploads_dir,
        cache_dir=settings.cache_dir,
        max_bytes=settings.upload_max_mib << 20,
        max_rows=settings.suppression_max_rows,
    )
    importing = ImportingSuppressions(state, numbers, limits, looking.columns, leases)
    return Suppressions(ManagingSuppressions(state, numbers), importing, numbers)
