"""A child process looks into a file, and cannot hold up or fill this one."""

import io
import threading

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from core.domain.imports.cdr import PriceUnit
from core.domain.imports.reading_plans import ReadingPlan
from core.errors import InvalidFile, InvalidInput, StorageError
from core.files import apart, child
from core.files.apart import APART, HERE
from core.files.imports import cdr_sample
from core.turns import Turns

HEADER = b"PhoneNumber,Name\n"
# A second look at the same coefficients: few bytes in the file, and all of its pixels to go through.
SCAN_HEAD = b"\xff\xda"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


def test_a_child_tells_the_columns(path):
    path.write_bytes("PhoneNumber,Prénom\n491796548754,Zoë\n".encode())
    assert APART.columns(path, "guests.csv") == HERE.columns(path, "guests.csv") == ("PhoneNumber", "Prénom")


def test_a_child_tells_what_is_wrong_as_if_it_were_here(path):
    path.write_bytes(b"Phone,Name\n1,2\n")
    faults = []
    for looking in (APART, HERE):
        with pytest.raises(InvalidFile) as caught:
            looking.columns(path, "guests.csv")
        faults.append((caught.value.message, caught.value.hint, caught.value.field))
    assert faults[0] == faults[1]
    assert faults[0][2] == "file"


def test_a_child_tells_what_is_in_a_list(path):
    path.write_text("Name;Handy\nBeau;+491796548754\n")
    assert APART.contacts(path, None) == HERE.contacts(path, None)
    chosen = ReadingPlan(0, "DE", delimiter=";")
    assert APART.contacts(path, chosen).plan == chosen


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_child_takes_the_beginning_of_a_cdr_file(path, ending):
    table = pa.table({"Date": ["2026-03-01 12:00", "2026-03-01 12:01"], "Prénom": ["Zoë", ""]})
    if ending == "parquet":
        parquet.write_table(table, path)
    else:
        path.write_text("Date,Prénom\n2026-03-01 12:00,Zoë\n2026-03-01 12:01,\n", "utf-8")
    there, here = APART.cdr_sample(path), HERE.cdr_sample(path)
    assert there == here
    assert there.block.to_pylist()[0] == {"row_no": 2, "c0": "2026-03-01 12:00", "c1": "Zoë"}


def test_a_cdr_file_without_a_fitting_row_has_a_sample_without_block(path):
    path.write_text("Date,To\n1\n", "utf-8")
    assert APART.cdr_sample(path) == HERE.cdr_sample(path)
    assert HERE.cdr_sample(path).block is None


def test_of_a_parquet_file_that_unpacks_to_much_some_rows_are_handed_on(path, monkeypatch):
    monkeypatch.setattr(cdr_sample, "MOST_BYTES", 10_000)
    parquet.write_table(pa.table({"Date": ["x" * 1_000] * 5_000}), path, compression="zstd")
    assert path.stat().st_size < 10_000
    sample = HERE.cdr_sample(path)
    assert 1 <= sample.block.num_rows < 10
    assert len(sample.dump()) < 12_000


def test_a_row_that_has_no_room_at_all_is_refused(path, monkeypatch):
    monkeypatch.setattr(cdr_sample, "MOST_BYTES", 10_000)
    parquet.write_table(pa.table({"Date": ["x" * 20_000] * 2}), path)
    with pytest.raises(InvalidFile, match="Row 2 is longer"):
        HERE.cdr_sample(path)


def test_a_parquet_file_that_fills_the_memory_ends_the_child_only(path, monkeypatch):
    # Some kilobytes that are gigabytes as text: a dictionary of one long value, used in each row.
    value = pa.DictionaryArray.from_arrays(pa.array([0] * 60_000, pa.int32()), pa.array(["x" * 100_000]))
    parquet.write_table(pa.table({"Date": value}), path, compression="zstd")
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InvalidFile):
        APART.cdr_sample(path)


@pytest.mark.parametrize("unit", [None, PriceUnit.EUR])
def test_a_price_list_is_read_by_a_child(path, unit):
    path.write_text("Country,Price\nDE,0.0561\nAtlantis,1\n,1\n" if unit else "Country,Price [EUR c]\nZé,1\nDE,5.6\n")
    there, here = APART.prices(path, unit), HERE.prices(path, unit)
    assert there == here
    assert there.prices
    assert there.faults


def test_a_price_list_that_cannot_be_read_is_told_by_the_child_as_if_it_were_here(path):
    path.write_text("Country,Price\nDE,5\n")
    faults = []
    for looking in (APART, HERE):
        with pytest.raises(InvalidFile) as caught:
            looking.prices(path, None)
        faults.append((caught.value.message, caught.value.hint, caught.value.field))
    assert faults[0] == faults[1]
    assert faults[0][2] == "unit"


def test_a_price_list_that_takes_too_long_ends_the_child_only(path, monkeypatch):
    path.write_text("Country,Price EUR\nDE,5\n")
    monkeypatch.setattr(apart, "_WALL_S", 0)
    with pytest.raises(InvalidFile, match="too long") as caught:
        APART.prices(path, None)
    assert caught.value.field == "file"


def picture(size=(300, 300), **options):
    target = io.BytesIO()
    Image.new("L", size, 128).save(target, **options)
    return target.getvalue()


def test_a_child_draws_a_picture():
    content = picture(format="PNG")
    assert APART.portrait(content) == HERE.portrait(content)


def test_a_damaged_picture_is_told_by_the_child_as_if_it_were_here():
    faults = []
    for looking in (APART, HERE):
        with pytest.raises(InvalidInput) as caught:
            looking.portrait(picture(format="PNG")[:80])
        faults.append((caught.value.message, caught.value.hint, caught.value.field))
    assert faults[0] == faults[1]
    assert faults[0][2] == "picture"


def test_a_picture_of_thousands_of_scans_ends_the_child_only(monkeypatch):
    # A JPEG of 250 kB that takes minutes: each of its scans goes through all 25 megapixels once more.
    monkeypatch.setattr(apart, "_PICTURE_CPU_S", 1)
    content = picture((5_000, 5_000), format="JPEG", progressive=True, quality=50)
    first = content.index(SCAN_HEAD)
    second = content.index(SCAN_HEAD, first + 2)
    third = content.index(SCAN_HEAD, second + 2)
    bomb = content[:third] + content[second:third] * 2_000 + content[third:]
    with pytest.raises(InvalidInput, match="too much time") as caught:
        APART.portrait(bomb)
    assert caught.value.field == "picture"


def test_a_child_that_takes_too_long_is_ended(path, monkeypatch):
    path.write_bytes(HEADER + b"491796548754,Beau\n")
    monkeypatch.setattr(apart, "_WALL_S", 0)
    with pytest.raises(InvalidFile, match="too long"):
        APART.columns(path, "guests.csv")


def test_a_child_that_breaks_off_is_told_as_too_much(path):
    # No such file: the child ends with a traceback, as it does when the memory is at its limit.
    with pytest.raises(InvalidFile, match="too much time or memory"):
        APART.columns(path, "guests.csv")


def test_more_files_at_once_than_there_is_room_for_wait_and_are_refused(path, monkeypatch):
    monkeypatch.setattr(apart, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(apart, "_WAIT_S", 0)
    with apart._turns, pytest.raises(StorageError, match="Too many files"):
        APART.columns(path, "guests.csv")
    # Whoever ended badly has left its place to the next one.
    with pytest.raises(InvalidFile):
        APART.columns(path, "guests.csv")
    path.write_bytes(HEADER + b"491796548754,Beau\n")
    assert APART.columns(path, "guests.csv") == ("PhoneNumber", "Name")


def test_others_pages_are_drawn_while_a_child_looks(path, monkeypatch):
    path.write_bytes(HEADER)
    turns, began = Turns(most=1, patience_s=60), threading.Event()

    def draw():
        with turns.take():
            began.set()

    def run(*_, **__):
        other = threading.Thread(target=draw, daemon=True)
        other.start()
        assert began.wait(10)
        return _Done()

    monkeypatch.setattr(apart.subprocess, "run", run)
    with turns.take():
        APART.columns(path, "guests.csv")


def test_a_child_has_its_limits_and_none_of_our_keys(path, monkeypatch):
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", "secret")
    seen = {}
    monkeypatch.setattr(apart.subprocess, "run", lambda _command, **options: seen.update(options) or _Done())
    assert APART.columns(path, "guests.csv") == ("PhoneNumber",)
    assert (seen["env"], seen["timeout"]) == (apart._ENVIRONMENT, apart._WALL_S)
    limits = {}
    monkeypatch.setattr(child.resource, "setrlimit", lambda what, limit: limits.update({what: limit}))
    path.write_bytes(HEADER + b"491796548754,Beau\n")
    assert child.main(7, "core.files.imports.reading", "write_columns", str(path), ".csv") == 0
    assert limits == {
        child.resource.RLIMIT_CPU: (7, 7),
        child.resource.RLIMIT_AS: (child.MEMORY_BYTES, child.MEMORY_BYTES),
        child.resource.RLIMIT_CORE: (0, 0),
    }


class _Done:
    returncode, stdout, stderr = 0, b'["PhoneNumber"]', b""
