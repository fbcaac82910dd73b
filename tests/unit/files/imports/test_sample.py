import pytest

from core.domain.numbering.msisdn import parse_msisdn
from core.files.imports.reading import open_sheet
from core.files.imports.sample import COLUMNS, ROWS, sample_csv, sample_xlsx


@pytest.mark.parametrize("sample", [sample_csv, sample_xlsx])
def test_the_sample_can_be_imported_as_it_is(tmp_path, sample):
    path = tmp_path / "sample"
    path.write_bytes(sample())
    with open_sheet(path, "sample") as sheet:
        assert sheet.columns == COLUMNS
        assert sheet.phone_index == 0
        rows = list(sheet.rows)
    assert [row.cells for row in rows] == list(ROWS)
    assert [row.fault for row in rows] == [None] * len(ROWS)
    assert len({parse_msisdn(row.cells[0]) for row in rows}) == len(ROWS)
