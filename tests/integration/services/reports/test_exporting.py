"""Exports: who may have what, what becomes of a killed worker and a full disk, and when it is all over."""

import errno
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, AuditFilter
from core.domain.reports.exports import Export, ExportFormat, ExportStatus
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy, Measure, NameFilter, Operator, Sorting
from core.errors import Forbidden, InvalidInput, NotFound
from core.files.exports.export_plain import ParquetFile
from core.history.messages.message_store import MessageStore
from core.services.leases import Leases
from core.services.people.adding_people import NewPerson
from core.services.reports import exporting
from core.services.reports.export_contents import Sources
from core.services.reports.export_requests import MessagesRequest, decode, encode
from core.services.reports.reporting import StatisticsRequest
from core.state.reports import exports
from tests.support.application.house import PASSWORD, House
from tests.support.stores.messages import make_message, message_table, unsent_table

COLUMNS = ("Sent Date", "Receiver", "Message ID", "Account")


def record(house: House, count: int = 30, batch: str = "batch-1", **overrides: object) -> None:
    facts = {"account": house.account.account_id, "sent_at": house.now} | overrides
    table = message_table(*(make_message(**facts) for _ in range(count)))
    MessageStore(house.app.lake).append_batch(batch, "campaign-1", table, unsent_table(), house.now)


def asked(house: House, **filters: object) -> MessagesRequest:
    return MessagesRequest(MessageQuery(frozenset(), house.everything(), **filters), COLUMNS)


def order(house: House, viewer: Viewer | None = None, kind: ExportFormat = ExportFormat.PARQUET) -> Export:
    return house.app.reports.exporting.start(viewer or house.viewer, asked(house), kind, house.now)


def ended(house: House, ordered: Export, viewer: Viewer | None = None) -> Export:
    found = house.app.reports.exporting.list_mine(viewer or house.viewer)
    return next(each for each in found if each.export_id == ordered.export_id)


def add_person(house: House, preset: str) -> Viewer:
    person = NewPerson("Grace Hopper", f"{preset[:3].lower()}@example.com", PASSWORD, preset, ("simulator",))
    return house.app.people.adding.add(person, house.now)


def files(house: House) -> list[Path]:
    return sorted(house.app.settings.exports_dir.glob("*"))


def test_the_worker_writes_what_was_ordered(house: House) -> None:
    record(house)
    record(house, 5, "batch-2", account="somebody-else")
    ordered = order(house)
    assert (ordered.status, ordered.is_unfinished) == (ExportStatus.WAITING, True)
    house.app.work.run_until_idle(house.clock)
    found = ended(house, ordered)
    assert (found.status, found.row_count, found.progress) == (ExportStatus.READY, 30, 1.0)
    download = house.app.reports.exporting.fetch(house.viewer, ordered.export_id, house.now)
    assert download.name == "Messages 2026-03-01 120000.parquet"
    assert found.byte_count == download.path.stat().st_size
    table = parquet.read_table(download.path)
    assert table.column_names == list(COLUMNS)
    assert set(table["Account"].to_pylist()) == {house.account.display_name}


def test_what_the_provider_calls_a_message_is_exported(house: House) -> None:
    facts = {"account": house.account.account_id, "sent_at": house.now}
    rows = [make_message(**facts, gateway_message_id=f"provider-{number}") for number in range(3)]
    MessageStore(house.app.lake).append_batch("batch-1", "campaign-1", message_table(*rows), unsent_table(), house.now)
    request = MessagesRequest(MessageQuery(frozenset(), house.everything()), ("Gateway Message ID", "Receiver"))
    ordered = house.app.reports.exporting.start(house.viewer, request, ExportFormat.PARQUET, house.now)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    table = parquet.read_table(house.app.reports.exporting.fetch(house.viewer, ordered.export_id, house.now).path)
    assert set(table["Gateway Message ID"].to_pylist()) == {"provider-0", "provider-1", "provider-2"}


def test_statistics_are_exported_with_all_groups_and_their_meaning(house: House) -> None:
    rows = [
        make_message(account=house.account.account_id, sent_at=house.now, network=f"Network {n}") for n in range(120)
    ]
    MessageStore(house.app.lake).append_batch("batch-1", "campaign-1", message_table(*rows), unsent_table(), house.now)
    request = StatisticsRequest(house.everything(), (GroupBy.NETWORK,), size=15)
    ordered = house.app.reports.exporting.start(house.viewer, request, ExportFormat.XLSX, house.now)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    path = house.app.reports.exporting.fetch(house.viewer, ordered.export_id, house.now).path
    workbook = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    rows = list(workbook["Statistics"].iter_rows(values_only=True))
    assert rows[0][:3] == ("Network", "Sent", "Delivered")
    assert len(rows) == 121
    notes = dict(workbook["About this file"].iter_rows(values_only=True))
    assert notes["Created by"] == "Ada Lovelace <ada@example.com> with Heliograph"
    assert notes["Grouped by"] == "Network"
    assert notes["Total"] == "120 sent, 0 delivered, 0 undelivered, 120 transmitted; cost €\u00a09.00"


def test_who_exports_what_is_written_down(house: House) -> None:
    record(house)
    reader = replace(add_person(house, "Reporting manager"), address="192.0.2.7")
    ordered = order(house, reader)
    [line] = house.app.reports.auditing.page(house.viewer, AuditFilter(action=Action.EXPORTED), 1, 10).items
    assert (line.user_id, line.address, line.at) == (reader.user_id, "192.0.2.7", house.now)
    assert (line.subject.subject_id, line.details) == (ordered.export_id, {"what": "Messages"})


def test_whoever_may_not_see_numbers_gets_them_masked(house: House) -> None:
    record(house)
    reader = add_person(house, "Reporting manager")
    ordered = order(house, reader)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    path = house.app.reports.exporting.fetch(reader, ordered.export_id, house.now).path
    assert set(parquet.read_table(path)["Receiver"].to_pylist()) == {"+4•••••••••••"}
    assert b"masked" in parquet.read_schema(path).metadata[b"Receiver"].lower()


def test_a_file_is_its_owners_alone(house: House) -> None:
    record(house)
    ordered = order(house)
    other = add_person(house, "Administrator")
    with pytest.raises(NotFound) as too_early:
        house.app.reports.exporting.fetch(house.viewer, ordered.export_id, house.now)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    with pytest.raises(NotFound) as foreign:
        house.app.reports.exporting.fetch(other, ordered.export_id, house.now)
    assert foreign.value.message == too_early.value.message
    assert not house.app.reports.exporting.list_mine(other)
    without = Viewer(house.viewer.user_id, "Ada", "ada@example.com", account_ids=house.viewer.account_ids)
    with pytest.raises(NotFound):
        house.app.reports.exporting.fetch(without, ordered.export_id, house.now)


def test_what_a_person_may_not_see_any_more_is_not_fetched(house: House) -> None:
    record(house)
    ordered = order(house)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    mine = house.viewer
    permissions = mine.permissions - {Permission.DISTRIBUTION_LISTS}
    for changed in (replace(mine, account_ids=frozenset()), replace(mine, permissions=permissions)):
        with pytest.raises(NotFound):
            house.app.reports.exporting.fetch(changed, ordered.export_id, house.now)
    assert house.app.reports.exporting.fetch(mine, ordered.export_id, house.now)


def test_without_the_permission_nothing_is_ordered(house: House) -> None:
    with pytest.raises(Forbidden):
        order(house, add_person(house, "Campaign manager"))
    request = StatisticsRequest(house.everything(), (GroupBy.COUNTRY,))
    with pytest.raises(Forbidden):
        house.app.reports.exporting.start(add_person(house, "User manager"), request, ExportFormat.XLSX, house.now)


def test_no_more_than_a_few_are_written_at_a_time(house: House) -> None:
    for _ in range(exporting.MOST_UNFINISHED):
        order(house)
    with pytest.raises(InvalidInput, match="still being written"):
        order(house)


def test_no_column_is_no_export(house: House) -> None:
    request = MessagesRequest(MessageQuery(frozenset(), house.everything()), ())
    with pytest.raises(InvalidInput, match="No column"):
        house.app.reports.exporting.start(house.viewer, request, ExportFormat.CSV, house.now)


def test_a_worker_that_died_leaves_nothing_to_take_and_the_next_one_starts_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(house)
    ordered = order(house)

    def die(self: ParquetFile, rows: pa.Table) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ParquetFile, "write", die)
        with pytest.raises(KeyboardInterrupt):
            house.app.reports.exporting.run(ordered.export_id, house.clock)
    assert ended(house, ordered).status is ExportStatus.RUNNING
    assert files(house) == []
    # The dead one's lease holds for a while.
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    assert ended(house, ordered).status is ExportStatus.RUNNING
    house.wait(timedelta(seconds=house.app.settings.lease_s + 1))
    assert house.app.reports.exporting.list_waiting(house.now) == [ordered.export_id]
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    assert ended(house, ordered).status is ExportStatus.READY


def test_a_full_disk_fails_the_export_and_leaves_no_half_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    record(house)
    ordered = order(house)

    def fail(self: ParquetFile, rows: pa.Table) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ParquetFile, "write", fail)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    found = ended(house, ordered)
    assert (found.status, files(house)) == (ExportStatus.FAILED, [])
    assert "No space left on device" in found.fault
    assert "Make room" in found.hint


def test_a_defect_of_ours_fails_the_export_instead_of_trying_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(house)
    ordered = order(house)
    monkeypatch.setattr(ParquetFile, "write", lambda *_: 1 / 0)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    assert (ended(house, ordered).status, files(house)) == (ExportStatus.FAILED, [])


def test_more_rows_than_allowed_are_refused_in_words(house: House) -> None:
    record(house)
    service = exporting.Exporting(
        house.app.state,
        Sources(
            house.app.reports.reporting,
            house.app.reports.auditing,
            house.app.reports.replies,
            house.app.suppressions.managing,
        ),
        exporting.ExportLimits(house.app.settings.exports_dir, timedelta(hours=1), 29),
        Leases(house.app.state, 15),
    )
    ordered = order(house)
    service.run(ordered.export_id, house.clock)
    found = ended(house, ordered)
    assert (found.status, found.fault) == (
        ExportStatus.FAILED,
        "That would be 30 rows; an export has 29 at most.",
    )


def test_what_a_person_lost_in_between_is_not_exported(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    record(house)
    ordered = order(house)
    monkeypatch.setattr("core.services.reports.exporting.users.find_viewer", lambda *_: None)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    assert ended(house, ordered).status is ExportStatus.FAILED


def test_files_are_deleted_when_their_time_is_over(house: House) -> None:
    record(house)
    ordered = order(house)
    house.app.reports.exporting.run(ordered.export_id, house.clock)
    assert len(files(house)) == 1
    assert house.app.reports.exporting.delete_expired(house.now) == 0
    house.wait(timedelta(hours=house.app.settings.export_keep_h, seconds=1))
    with pytest.raises(NotFound):
        house.app.reports.exporting.fetch(house.viewer, ordered.export_id, house.now)
    assert house.app.reports.exporting.delete_expired(house.now) == 1
    assert (files(house), house.app.reports.exporting.list_mine(house.viewer)) == ([], [])


def test_a_folder_among_the_exports_is_left_alone(house: House) -> None:
    folder = house.app.settings.exports_dir / "kept"
    folder.mkdir(parents=True)
    assert house.app.reports.exporting.delete_expired(house.now) == 0
    assert folder.exists()


def test_a_run_that_was_overtaken_ends_nothing(house: House) -> None:
    record(house)
    ordered = order(house)
    late = house.now + timedelta(minutes=5)
    with house.app.state.write() as session:
        assert exports.lease_export(session, ordered.export_id, "first", house.now, house.now + timedelta(seconds=15))
        assert exports.lease_export(session, ordered.export_id, "second", late, late + timedelta(seconds=15))
        assert not exports.renew_export(session, ordered.export_id, "first", late + timedelta(seconds=15))


def test_requests_survive_the_state_store(house: House) -> None:
    names = (NameFilter(GroupBy.NETWORK, Operator.DOES_NOT_CONTAIN, "x|y"),)
    messages = MessagesRequest(
        MessageQuery(frozenset(), house.everything(), sender="100%", names=names, message_ids=frozenset({"a", "b"})),
        COLUMNS,
    )
    groups = (GroupBy.DAY, GroupBy.PRICE)
    assert decode(encode(messages)) == messages
    for by in (None, Measure.COST, GroupBy.DAY):
        statistics = StatisticsRequest(house.everything(), groups, names, Sorting(by, descending=True))
        assert decode(encode(statistics)) == statistics
