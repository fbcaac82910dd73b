"""
Suppressions: numbers that get no messages, of one account or of all, and whose wish each is.

The same number may be suppressed for several reasons at once. Each is kept by itself: who says START takes back his or
her STOP, and what a person or an import has set stays.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.domain.imports.lists import HiddenRows

# In place of an account's id: what counts for every account.
EVERYWHERE = ""
# Characters of a reason, why a number is suppressed or is no longer.
REASON_MAX = 200


class SuppressionSource(StrEnum):
    """Where a suppression came from."""

    STOP = "STOP reply"
    IMPORT = "Import"
    PERSON = "Person"


@dataclass(frozen=True)
class Origin:
    """Where suppressions came from, why in words ("" where nobody said), by whom and when."""

    source: SuppressionSource
    reason: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class SuppressionKey:
    """What tells a suppression from all others; *account_id* is `EVERYWHERE` for one of all accounts."""

    account_id: str
    msisdn: str
    source: SuppressionSource


@dataclass(frozen=True)
class Suppression:
    """A number that gets no messages, and why."""

    key: SuppressionKey
    origin: Origin


@dataclass(frozen=True)
class LiftedSuppression:
    """A suppression that counts no longer: what it was, and who lifted it, when and why."""

    suppression: Suppression
    lifted_at: datetime
    lifted_by: str
    reason: str


@dataclass(frozen=True)
class SuppressionFilter:
    """
    Which suppressions: of what *number* finds (a beginning or an end of one), of one *source*, of one account.

    What is empty filters nothing; *account_id* is `EVERYWHERE` for those of all accounts and None for whatever the
    viewer may see.
    """

    number: str = ""
    source: SuppressionSource | None = None
    account_id: str | None = None


class SuppressionImportStatus(StrEnum):
    """How far an import is."""

    IN_PROGRESS = "In Progress"
    COMPLETED = "Completed"
    FAULTED = "Faulted"


@dataclass(frozen=True)
class SuppressionCounts:
    """
    What became of the rows: read = added + known + repeated + rejected once all is done.

    *known* were imported for the same accounts before; *repeated* stand in an earlier row of the same file.
    """

    read: int = 0
    added: int = 0
    known: int = 0
    repeated: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class SuppressionImport:
    """
    A file of numbers on its way to being suppressed.

    *account_id* is `EVERYWHERE` for all accounts. *progress* is 0..1. *fault* and *hint* say what is wrong with a
    Faulted one, else "". *origin_no* is what its numbers are part of in the store, once there are some.
    """

    import_id: str
    account_id: str
    file_name: str
    reason: str
    status: SuppressionImportStatus
    created_at: datetime
    created_by: str
    counts: SuppressionCounts = field(default_factory=SuppressionCounts)
    progress: float = 0.0
    fault: str = ""
    hint: str = ""
    hidden_rows: HiddenRows = HiddenRows.ASK
    finished_at: datetime | None = None
    origin_no: int | None = None
