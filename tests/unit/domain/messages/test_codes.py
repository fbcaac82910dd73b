"""The code tables: CSV files that people write by hand."""

from collections import Counter
from pathlib import Path

import pytest

from core.domain.data_files import read_table
from core.domain.messages.error_codes import BOTH, CODES, KINDS, ErrorClass, Stage, read_command_status

ROOT = Path(__file__).parents[4]
TABLES = ("gsm_map", *KINDS)
LONGEST = 90
# Within a sentence a meaning begins with a small letter, which these must not.
NAMES = ("Infobip", "Mitto", "Twilio", "Vonage")


def rows_of(kind):
    return list(read_table(CODES / f"{kind}.csv"))


def stages_of(row):
    return list(Stage) if row["stage"] == BOTH else [Stage(row["stage"])]


def test_every_kind_has_a_table_and_every_table_a_kind():
    assert sorted(path.name for path in CODES.iterdir()) == sorted(f"{kind}.csv" for kind in TABLES)
    assert all(rows_of(kind) for kind in TABLES)


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_has_these_columns(kind):
    assert {tuple(row) for row in rows_of(kind)} == {("stage", "code", "name", "meaning", "class", "source")}
    assert all(value == value.strip() and value.isprintable() for row in rows_of(kind) for value in row.values())


@pytest.mark.parametrize("kind", TABLES)
def test_a_code_stands_in_its_table_once(kind):
    rows = rows_of(kind)
    codes = Counter((stage, row["code"]) for row in rows for stage in stages_of(row))
    names = Counter(row["name"].upper() for row in rows if row["name"])
    assert [code for code, count in (codes | names).items() if count > 1] == []


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_in_order(kind):
    keys = [(row["stage"], int(row["code"], 0)) for row in rows_of(kind)]
    assert keys == sorted(keys)


@pytest.mark.parametrize("kind", TABLES)
def test_a_code_is_written_as_it_is_looked_up(kind):
    codes = [row["code"] for row in rows_of(kind)]
    assert [code for code in codes if code not in (str(int(code, 0)), read_command_status(code))] == []


@pytest.mark.parametrize("kind", TABLES)
def test_classes_are_known_and_success_is_no_error(kind):
    rows = rows_of(kind)
    assert {row["class"] for row in rows} <= set(ErrorClass)
    assert not [row for row in rows if int(row["code"], 0) == 0]


@pytest.mark.parametrize("kind", TABLES)
def test_a_meaning_is_a_phrase_for_people(kind):
    meanings = [row["meaning"] for row in rows_of(kind)]
    assert [text for text in meanings if not 0 < len(text) <= LONGEST or text.endswith(".")] == []
    assert [text for text in meanings if not text[0].isupper() or text[1].isupper() or text.startswith(NAMES)] == []
    assert [text for text in meanings if "_" in text] == []


@pytest.mark.parametrize("kind", TABLES)
def test_a_source_can_be_looked_up(kind):
    sources = {row["source"] for row in rows_of(kind)}
    assert [name for name in sources if not name.startswith("https://") and not (ROOT / name).is_file()] == []


def test_names_of_the_standard_are_the_standards():
    names = [row["name"] for kind in ("simulator", "smpp") for row in rows_of(kind) if row["stage"] == Stage.SUBMIT]
    assert [name for name in names if not name.startswith("ESME_R")] == []
