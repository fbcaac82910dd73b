"""When the lake is maintained, and how much; what each step does is tested on a real one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from core.domain.people.permissions import Permission
from core.domain.times.off_peak import OffPeak
from core.errors import Conflict, Forbidden
from core.history.catalog.locks import ReadersInside
from core.history.lake.maintenance import StepBounds, TableState
from core.services.upkeep.maintaining import ORPHANS_EVERY, Maintaining, MaintenanceRules
from core.services.upkeep.settled import Settled
from tests.support.application.factories import make_viewer

NIGHT, NOON = datetime(2026, 3, 4, 2, tzinfo=UTC), datetime(2026, 3, 4, 12, tzinfo=UTC)
KEEP = timedelta(hours=24)


@dataclass
class Lake:
    """Stands where the lake's maintenance stands: every step does one of what is left to do."""

    tables: dict[str, TableState]
    free: bool = True
    readers_inside: bool = False
    snapshots: int = 0
    steps: list[str] = field(default_factory=list)
    before: list[datetime] = field(default_factory=list)
    after_step: object = None
    unknown: tuple[str, ...] = ()
    snapshot: int = 0
    surveys: int = 0

    @contextmanager
    def alone(self) -> Iterator[bool]:
        yield self.free

    def survey(self) -> list[TableState]:
        self.surveys += 1
        return list(self.tables.values())

    def flush(self, table: str) -> int:
        return self._do("flush", table, "inlined", self.tables[table].inlined)

    def merge(self, table: str, bounds: StepBounds) -> int:
        return self._do("merge", table, "small", min(bounds.files, max(0, self.tables[table].small - 1)))

    def rewrite(self, table: str, bounds: StepBounds) -> int:
        return self._do("rewrite", table, "worn", min(bounds.files, self.tables[table].worn))

    def expire(self, before: datetime) -> int:
        self.before.append(before)
        found, self.snapshots = self.snapshots, 0
        return found

    def delete_files(self, before: datetime) -> tuple[int, int]:
        self.before.append(before)
        return 0, 0

    def find_orphans(self, before: datetime) -> list[str]:
        self.before.append(before)
        self.steps.append("orphans")
        return list(self.unknown)

    def set_aside(self, paths: Sequence[str], name: str) -> int:
        self.steps.append(f"set aside {', '.join(paths)} in {name}")
        return len(paths)

    def scrub(self) -> None:
        if self.readers_inside:
            raise ReadersInside
        self.steps.append("scrub")

    def _do(self, step: str, table: str, what: str, count: int) -> int:
        if count:
            self.steps.append(f"{step} {table}")
            state = self.tables[table]
            self.tables[table] = replace(state, **{what: getattr(state, what) - count})
            if callable(self.after_step):
                self.after_step()
        return count


def make_lake(**counts: int) -> Lake:
    facts = {"name": "messages", "files": 1_000, "bytes": 0, "worn": 0, "small": 0, "inlined": 0}
    return Lake({"messages": TableState(**(facts | counts))})


def make_maintaining(lake: Lake, stop: Event | None = None) -> Maintaining:
    rules = MaintenanceRules(OffPeak(1, 5, "UTC"), KEEP, busy_files=250)
    return Maintaining(lake, rules, Settled(lambda: lake.snapshot), stop)


def run(lake: Lake, now: datetime) -> list[str]:
    make_maintaining(lake).run(lambda: now)
    return lake.steps


def test_off_peak_what_is_due_is_done_step_by_step():
    lake = make_lake(worn=300, small=501, inlined=1_000)
    assert run(lake, NIGHT) == [
        "flush messages", "rewrite messages", "rewrite messages", "merge messages", "merge messages",
        "orphans", "scrub",
    ]  # fmt: skip


def test_off_peak_a_handful_of_files_is_left_alone():
    assert run(make_lake(worn=3, small=4, inlined=20), NIGHT) == ["orphans", "scrub"]


@pytest.mark.parametrize("table", ["audience", "contacts", "unsent"])
def test_off_peak_every_deleted_row_of_people_is_taken_out_of_the_files(table: str):
    state = TableState(table, files=5, bytes=0, worn=1, small=3, inlined=1)
    assert run(Lake({table: state}), NIGHT) == [f"flush {table}", f"rewrite {table}", "orphans", "scrub"]
    assert run(Lake({table: state}), NOON) == []


def test_a_catalog_that_is_read_meanwhile_is_scrubbed_the_next_time():
    lake = make_lake(small=20)
    lake.readers_inside = True
    assert "scrub" not in run(lake, NIGHT)


def test_at_peak_hours_only_too_many_files_are_merged_and_nothing_is_deleted():
    assert run(make_lake(worn=100, small=149, inlined=2_000), NOON) == []
    lake = make_lake(worn=100, small=150)
    assert run(lake, NOON) == ["merge messages"]
    assert lake.before == []
    assert run(make_lake(worn=250), NOON) == ["rewrite messages"]
    assert run(make_lake(inlined=2_500), NOON) == ["flush messages"]


def test_nothing_younger_than_it_is_kept_is_deleted():
    lake = make_lake()
    run(lake, NIGHT)
    assert set(lake.before) == {NIGHT - KEEP}


def test_tables_that_needed_nothing_are_looked_at_again_when_something_was_committed_or_the_hours_change():
    lake = make_lake(small=149)
    maintaining = make_maintaining(lake)
    surveys = []
    for now, snapshot in ((NOON, 1), (NOON, 1), (NOON, 2), (NOON, 2), (NIGHT, 2), (NIGHT, 2), (NIGHT, 2)):
        lake.snapshot = snapshot
        maintaining.run(lambda now=now: now)
        surveys.append(lake.surveys)
    # The first run at night merges: whether anything is left after that is looked at once more.
    assert surveys == [1, 1, 2, 2, 3, 4, 4]
    assert lake.steps.count("merge messages") == 1


def test_orphans_are_looked_for_now_and_then():
    lake = make_lake()
    maintaining = make_maintaining(lake)
    for moment in (NIGHT, NIGHT + timedelta(minutes=1), NIGHT + ORPHANS_EVERY * 2):
        maintaining.run(lambda moment=moment: moment)
    assert lake.steps == ["orphans", "scrub", "orphans", "scrub"]


def test_files_the_catalog_does_not_know_are_said_and_moved_only_when_told(caplog: pytest.LogCaptureFixture):
    lake = make_lake()
    lake.unknown = ("a.parquet", "b.parquet")
    assert run(lake, NIGHT) == ["orphans", "scrub"]
    assert [record.message for record in caplog.records] == ["lake_files_unknown"]
    did = make_maintaining(lake).maintain(make_viewer(permissions={Permission.AUDIT}), NIGHT, everything=False)
    assert (did.orphans, did.set_aside, lake.steps) == (2, 0, ["orphans", "scrub"] * 2)
    viewer = make_viewer(permissions={Permission.AUDIT})
    did = make_maintaining(lake).maintain(viewer, NIGHT, everything=False, set_aside=True)
    assert (did.orphans, did.set_aside) == (2, 2)
    assert lake.steps[-2] == "set aside a.parquet, b.parquet in 20260304T020000Z"


def test_two_do_not_maintain_at_once():
    lake = make_lake(small=1_000)
    lake.free = False
    assert run(lake, NIGHT) == []
    with pytest.raises(Conflict):
        make_maintaining(lake).maintain(make_viewer(), NIGHT, everything=True)


def test_a_worker_that_shall_end_stops_after_the_step():
    lake = make_lake(small=1_000)
    stop = Event()
    lake.after_step = stop.set
    make_maintaining(lake, stop).run(lambda: NIGHT)
    assert lake.steps == ["merge messages"]


def test_readers_that_stay_put_off_nothing_but_the_writing_of_the_catalog_anew():
    lake = make_lake(small=1_000)
    lake.readers_inside = True
    did = make_maintaining(lake).maintain(make_viewer(), NIGHT, everything=False)
    assert did.readers_inside
    assert did.steps > 0
    assert lake.steps[-1] == "orphans"


def test_everything_is_done_on_demand_and_told():
    lake = make_lake(small=3, inlined=2)
    lake.snapshots = 7
    did = make_maintaining(lake).maintain(make_viewer(), NOON, everything=True)
    assert (did.steps, did.snapshots) == (3, 7)
    assert (did.before["messages"].small, did.after["messages"].small) == (3, 1)


def test_what_comes_in_meanwhile_does_not_keep_it_going():
    lake = make_lake(small=300, inlined=500)

    def another_batch() -> None:
        state = lake.tables["messages"]
        lake.tables["messages"] = replace(state, small=state.small + 300, inlined=state.inlined + 500)

    lake.after_step = another_batch
    make_maintaining(lake).maintain(make_viewer(), NIGHT, everything=True)
    assert lake.steps.count("flush messages") == 1
    assert lake.steps.count("merge messages") == 2_000 // 250


def test_only_who_may_see_the_audit_maintains_by_hand():
    with pytest.raises(Forbidden):
        make_maintaining(make_lake()).maintain(make_viewer(permissions=frozenset()), NOON, everything=True)
