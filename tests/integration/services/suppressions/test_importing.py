"""From a file of numbers to suppressions, whatever is in the file and whoever is killed meanwhile."""

import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.domain.accounts.suppressions import (
    EVERYWHERE,
    SuppressionCounts,
    SuppressionFilter,
    SuppressionImport,
    SuppressionImportStatus,
    SuppressionSource,
)
from core.domain.imports.lists import HiddenRows
from core.errors import InvalidFile
from core.services.leases import Stopped
from core.services.suppressions import importing
from core.services.suppressions.importing import SuppressionUpload
from core.services.work_queue import WorkKind
from tests.support.application.house import House
from tests.support.stores.suppressed import list_suppressed

FIRST, SECOND, THIRD = "+491796000001", "+491796000002", "+491796000003"


def upload(house: House, content: str, account_id: str | None = None, reason: str = "") -> str:
    whose = house.account.account_id if account_id is None else account_id
    asked = SuppressionUpload(whose, reason, "opt-outs.csv", HiddenRows.ASK)
    service = house.app.suppressions.importing
    return service.upload(house.viewer, asked, io.BytesIO(content.encode()), house.now).import_id


def ended(house: House, import_id: str) -> SuppressionImport:
    return house.app.suppressions.importing.get(house.viewer, import_id)


def suppressed(house: House, account_id: str | None = None) -> list[str]:
    with house.app.state.read() as session:
        return list_suppressed(session, house.account.account_id if account_id is None else account_id)


def test_a_file_is_imported_by_a_worker_and_every_row_is_accounted_for(house: House):
    house.app.suppressions.managing.add(house.viewer, house.account.account_id, FIRST, "", house.now)
    import_id = upload(house, f"PhoneNumber,Why\n{SECOND},x\n{FIRST},y\n491796000002,z\nnonsense,=1+1\n,empty\n")
    (work,) = house.app.work.find(house.now)
    assert (work.kind, work.subject) == (WorkKind.SUPPRESSIONS, import_id)
    house.app.work.do(work, house.clock)
    found = ended(house, import_id)
    assert found.status is SuppressionImportStatus.COMPLETED
    # What a person has said is another wish than what the file says.
    assert found.counts == SuppressionCounts(read=5, added=2, known=0, repeated=1, rejected=2)
    assert (found.progress, found.finished_at) == (1.0, house.now)
    assert suppressed(house) == [FIRST, SECOND]
    rejected = house.app.suppressions.importing.rejected_csv(house.viewer, import_id).decode("utf-8-sig")
    assert [line.split(",")[0] for line in rejected.splitlines()] == ["Row", "5", "6"]
    assert "'=1+1" in rejected
    assert [path.name for path in house.app.settings.uploads_dir.iterdir()] == [f"{import_id}.rejected.csv"]
    assert house.app.work.find(house.now) == []


def test_the_same_file_again_brings_nothing_new(house: House):
    for added, known in ((2, 0), (0, 2)):
        import_id = upload(house, f"PhoneNumber\n{FIRST}\n{SECOND}\n", EVERYWHERE, "Old system")
        house.app.suppressions.importing.run(import_id, house.clock)
        assert ended(house, import_id).counts == SuppressionCounts(read=2, added=added, known=known)
    page = house.app.suppressions.managing.page(house.viewer, SuppressionFilter(), 1, 10)
    assert {(item.scope, item.origin.source, item.origin.reason) for item in page.items} == {
        ("All accounts", SuppressionSource.IMPORT, "Old system")
    }


@pytest.mark.parametrize("content", ["", "Name\nAda\n", "PhoneNumber\n"])
def test_what_is_no_list_of_numbers_is_refused_at_once(house: House, content: str):
    with pytest.raises(InvalidFile):
        upload(house, content)
    assert house.app.suppressions.importing.list_recent(house.viewer) == ()
    assert not list(house.app.settings.uploads_dir.glob("*"))


def test_a_file_without_any_number_is_faulted_with_the_rows(house: House):
    import_id = upload(house, "PhoneNumber\nnonsense\n")
    house.app.suppressions.importing.run(import_id, house.clock)
    found = ended(house, import_id)
    assert found.status is SuppressionImportStatus.FAULTED
    assert "has a usable number" in found.fault
    assert b"nonsense" in house.app.suppressions.importing.rejected_csv(house.viewer, import_id)


def test_a_worker_that_is_killed_is_followed_by_one_that_goes_on(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "PORTION", 2)
    numbers = [f"+4917960000{number:02}" for number in range(7)]
    import_id = upload(house, "\n".join(["PhoneNumber", *reversed(numbers), numbers[0]]))
    service, store = house.app.suppressions.importing, importing.add_numbers
    left = [2]

    def break_off(*facts: object) -> int:
        if not left[0]:
            raise Stopped
        left[0] -= 1
        return store(*facts)

    monkeypatch.setattr(importing, "add_numbers", break_off)
    service.run(import_id, house.clock)
    assert suppressed(house) == numbers[:4]
    assert ended(house, import_id).status is SuppressionImportStatus.IN_PROGRESS
    # What was lifted meanwhile is not set again.
    page = house.app.suppressions.managing.page(house.viewer, SuppressionFilter(numbers[0]), 1, 10)
    house.app.suppressions.managing.lift(house.viewer, [item.key for item in page.items], "A mistake", house.now)
    left[0] = 99
    house.wait(timedelta(seconds=1))
    house.app.work.run_until_idle(house.clock)
    assert suppressed(house) == numbers[1:]
    assert ended(house, import_id).counts == SuppressionCounts(read=8, added=7, repeated=1)


def test_a_file_with_too_many_rows_is_faulted(house: House, monkeypatch: pytest.MonkeyPatch):
    service = house.app.suppressions.importing
    monkeypatch.setattr(service, "_limits", replace(service._limits, max_rows=2))
    import_id = upload(house, f"PhoneNumber\n{FIRST}\n{SECOND}\n{THIRD}\n")
    service.run(import_id, house.clock)
    assert ended(house, import_id).fault == "The file has more than 2 rows."
    assert suppressed(house) == []


def test_two_workers_at_once_import_it_once(house: House):
    import_id = upload(house, f"PhoneNumber\n{FIRST}\n")
    service = house.app.suppressions.importing
    seen = list[bool]()

    def clock() -> datetime:
        if not seen:
            seen.append(True)
            service.run(import_id, house.clock)
        return house.now

    service.run(import_id, clock)
    assert ended(house, import_id).counts == SuppressionCounts(read=1, added=1)
