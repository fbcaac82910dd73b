"""Reports: what became of the messages, on pages and in files. Begin with `reporting`."""

from dataclasses import dataclass
from datetime import timedelta

from core.config import Settings
from core.history.lake.connection import Lake
from core.history.lake.watch import ChangeWatch
from core.history.messages.queries import MessageQueries
from core.history.messages.tracing import Traces
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.statistics import Statistics
from core.history.rollups.traffic import TrafficReader
from core.services.leases import Leases
from core.services.reports.auditing import Auditing
from core.services.reports.export_contents import Sources
from core.services.reports.exporting import Exporting, ExportLimits
from core.services.reports.following_tests import FollowingTests
from core.services.reports.kept_answers import KeptAnswers
from core.services.reports.reading_replies import ReadingReplies
from core.services.reports.reporting import History, Reporting
from core.services.reports.saved_views import SavedViews
from core.services.reports.tracing import Tracing
from core.services.suppressions.managing import ManagingSuppressions
from core.state.engine.store import State


@dataclass(frozen=True)
class Reports:
    """What is asked about messages sent, and what people take away of the answers."""

    reporting: Reporting
    tracing: Tracing
    following: FollowingTests
    auditing: Auditing
    replies: ReadingReplies
    exporting: Exporting
    views: SavedViews


def build(settings: Settings, state: State, lake: Lake, suppressions: ManagingSuppressions, leases: Leases) -> Reports:
    """Return the services of reports; all of them share one memory of rollups. *suppressions* are exported, too."""
    rollups = RollupReader(lake, settings.rollup_memory_mib << 20)
    answers = KeptAnswers(ChangeWatch(lake).look, settings.answer_memory_mib << 20)
    history = History(MessageQueries(rollups), Statistics(rollups), TrafficReader(rollups), rollups, answers)
    reporting = Reporting(state, history)
    auditing, replies = Auditing(state), ReadingReplies(state)
    limits = ExportLimits(
        folder=settings.exports_dir,
        keep=timedelta(hours=settings.export_keep_h),
        max_rows=settings.export_max_rows,
    )
    tracing = Tracing(state, Traces(lake))
    return Reports(
        reporting,
        tracing,
        FollowingTests(state, reporting, tracing),
        auditing,
        replies,
        Exporting(state, Sources(reporting, auditing, replies, suppressions), limits, leases),
        SavedViews(state),
    )
