import logging
from pathlib import Path

import pytest

from core.domain.numbering.faults import MsisdnFault
from core.domain.numbering.line_types import LineType
from core.domain.numbering.ranges import Place, Step
from core.history.numbers import kept_ranges
from core.history.numbers.kept_ranges import KeptRanges

NOWHERE = Place("", fault=MsisdnFault.NO_COUNTRY)
STEPS = [
    Step(0, 0, NOWHERE),
    Step(491790000000, 0, Place("49", "DE", LineType.MOBILE, "O2")),
    Step(491800000000, 1, Place("49", fault=MsisdnFault.INVALID)),
    Step(500000000000, 0, NOWHERE),
]


class Compiler:
    def __init__(self) -> None:
        self.calls = 0
        self.version = "1"

    def compile(self) -> list[Step]:
        self.calls += 1
        return STEPS


@pytest.fixture
def compiler(monkeypatch) -> Compiler:
    found = Compiler()
    monkeypatch.setattr(kept_ranges, "compile_steps", found.compile)
    monkeypatch.setattr(kept_ranges, "compiled_by", lambda: found.version)
    monkeypatch.setattr(kept_ranges, "_loaded", {})
    return found


def load_anew(folder: Path | None) -> dict[str, list[object]]:
    """Return what another process would see."""
    kept_ranges._loaded.clear()
    tables = KeptRanges(folder).tables()
    steps = {"start": tables.steps.starts.tolist(), **{k: v.tolist() for k, v in tables.steps.values.items()}}
    places = tables.places.to_pydict()
    return steps | {name: [values[place] for place in steps["place"]] for name, values in places.items()}


def test_ranges_are_compiled_once_and_kept(compiler, tmp_path):
    first = load_anew(tmp_path)
    assert load_anew(tmp_path) == first
    assert compiler.calls == 1
    assert first["start"] == [step.start for step in STEPS]
    assert first["cut"] == [0, 0, 1, 0]
    assert first["country"] == ["", "DE", "", ""]
    assert first["network"] == ["", "O2", "", ""]
    assert first["mccmnc"] == ["", "26203", "", ""]
    assert first["fault"] == ["no_country", "", "invalid", "no_country"]
    assert [path.name for path in tmp_path.iterdir()] == ["number_ranges.parquet"]


def test_a_process_loads_them_once(compiler, tmp_path):
    assert KeptRanges(tmp_path).tables() is KeptRanges(tmp_path / "other").tables()
    assert compiler.calls == 1


def test_another_version_compiles_anew(compiler, tmp_path):
    load_anew(tmp_path)
    compiler.version = "2"
    load_anew(tmp_path)
    load_anew(tmp_path)
    assert compiler.calls == 2


def test_a_damaged_file_is_made_anew(compiler, tmp_path):
    first = load_anew(tmp_path)
    path = tmp_path / "number_ranges.parquet"
    whole = path.read_bytes()
    for number, damaged in enumerate(
        (b"", whole[: len(whole) // 2], whole[:40] + b"\x00" * 8 + whole[48:], b"nothing")
    ):
        path.write_bytes(damaged)
        assert load_anew(tmp_path) == first
        assert compiler.calls == number + 2
        assert path.read_bytes() == whole


def test_without_room_for_the_file_they_are_still_there(compiler, tmp_path, caplog):
    (tmp_path / "taken").write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        assert load_anew(tmp_path / "taken")["start"][1] == 491790000000
    assert "number_ranges_not_kept" in caplog.text


def test_without_a_folder_nothing_is_written(compiler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_anew(None)
    assert list(tmp_path.iterdir()) == []
