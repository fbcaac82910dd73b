from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
import pytest

from benchmarks.written_numbers import ask_phonenumbers, write_numbers
from core.domain.numbering.plans import calling_code_of
from core.domain.numbering.read_numbers import ReadNumber, read_number
from core.history.engine.door import Instance
from core.history.numbers import reading_numbers
from core.history.numbers.kept_ranges import KeptRanges
from core.history.numbers.reading_numbers import NumberReader, open_reader
from tests.support.cases.number_vectors import load_vectors, random_numbers

RANGES = KeptRanges()
# As people write numbers, between which a line of what is certain is drawn.
WRITTEN = [
    *(
        "0179 6548754",
        "0179/6548754",
        "0179-654 87 54",
        "(0179) 6548754",
        "179 6548754",
        "(0)179 6548754",
        "0049 179 6548754",
    ),
    *("+49 (0)179 6548754", "+49(0)179/6548754", "49 (0) 179 6548754", "0049 (0)179 6548754", "+49 (0) (179) 6548754"),
    *("+39 (0)6 12345678", "+390612345678", "06 1234 5678", "+1 (541) 754-3010", "541.754.3010", "1.541.754.3010"),
    *("491796548754.0", "491796548754.00", "491796548754.5", "4.91797E+11", "491.796.548.754", "49179654.8754", "1.5"),
    *("49179.6548.75", "+49 179 65487.54", "+49 179 6548.754", "491796548754.", ".491796548754", "4917,96548754"),
    *("'491796548754", '="+491796548754"', "tel:0179 6548754", "tel:+491796548754", "TEL: 491796548754", "'", '=""'),
    *("-491796548754", "- 491796548754", "\u2212491796548754", "+-491796548754", "491796548754-", "+49--179 6548754"),
    *("4315123 / 4315124", "4962211 4962212", "+49 6221 123456/57", "089/1234567", "0/891234567", "49179654/8754"),
    *("\uff0b\uff14\uff19 179 6548754", "\u0660\u0661\u0667\u0669 6548754", "\u06f4\u06f91796548754", "\u0968\u0967"),
    *(
        "4792345678",
        "33123456",
        "0",
        "00",
        "+",
        "+0",
        "000",
        "0011 49 179 6548754",
        "011 49 179 6548754",
        "+49",
        "49",
        "4",
        "210",
    ),
    *(
        "4901796548754",
        "+490179 6548754",
        "+54 11 15 2345 6789",
        "011 15 2345 6789",
        "+55 0 15 11 98765 4321",
        "0 15 11 987654321",
    ),
    *(
        "+44 180020 7911123456",
        "18002007911123456",
        "123456789012345678",
        "1234567890123456789",
        "+49" + "0" * 17,
        "1" * 300,
    ),
    *(
        "\u202a+49 179 6548754\u202c",
        "49\u00a0179\u202f654\u20098754",
        "  491796548754\t",
        "491796548754\n",
        "49 179\n6548754",
    ),
    *(
        "491796548754 x5",
        "491796548754 ext. 5",
        "0800-FLOWERS",
        "n/a",
        "(491796548754)",
        "(49) 179 (654) 8754",
        "49)179(6548754",
    ),
    *(
        "()491796548754",
        "(0)0179 6548754",
        "0(0)491796548754",
        "00(0)491796548754",
        "(+49) 179 6548754",
        "+(49) 179 6548754",
    ),
]
HOMES = ["", "DE", "US", "IT", "AR", "NU", "RU", "GG"]


@pytest.fixture
def reader(monkeypatch) -> Iterator[NumberReader]:
    """Give a reader that takes even a few numbers all at once."""
    monkeypatch.setattr(reading_numbers, "FEW", 0)
    with closing(Instance()) as instance, instance.cursor() as cursor:
        yield NumberReader(cursor, RANGES)


def read(reader: NumberReader, texts: list[str | None], home: str = "") -> list[ReadNumber]:
    found = reader.read_table(pa.table({"text": pa.array(texts, pa.string())}), home)
    return [ReadNumber(**row) for row in found.to_pylist()]


@pytest.mark.parametrize("home", HOMES)
def test_many_at_once_are_read_as_each_by_itself(reader, home):
    texts = [*WRITTEN, *(vector.text for vector in load_vectors()), *random_numbers(700, seed=HOMES.index(home))]
    for text, found in zip(texts, read(reader, texts, home), strict=True):
        assert found == read_number(text, home), text


def test_numbers_of_all_regions_are_as_phonenumbers_has_them(reader):
    numbers = list(write_numbers(4_000, seed=11))
    table = pa.table({"text": [each.text for each in numbers], "home": [each.home for each in numbers]})
    valid = 0
    for written, row in zip(numbers, reader.read_table(table, home=None).to_pylist(), strict=True):
        found = (row["msisdn"].removeprefix("+"), row["country"], row["line_type"], row["carrier"])
        assert (None if row["fault"] else found) == ask_phonenumbers(written), written
        assert ReadNumber(**row) == read_number(written.text, written.home)
        valid += not row["fault"]
    assert valid > 1_000


def test_what_is_read_is_told_row_by_row(reader):
    texts = ["491796548754", None, "0179 6548754", "491796548754", "+4930123456", "nobody"]
    assert read(reader, texts, "DE") == [
        ReadNumber("+491796548754", "DE", "mobile", "O2", "O2", "26203", ""),
        ReadNumber("", "", "", "", "", "", "empty"),
        ReadNumber("+491796548754", "DE", "mobile", "O2", "O2", "26203", ""),
        ReadNumber("+491796548754", "DE", "mobile", "O2", "O2", "26203", ""),
        ReadNumber("+4930123456", "DE", "fixed_line", "", "", "", ""),
        ReadNumber("", "", "", "", "", "", "not_a_number"),
    ]


def test_each_row_may_have_a_home_of_its_own(reader):
    homes = ["DE", "FR", "", None, "Atlantis", "US", "de", "'; DROP"]
    table = pa.table({"text": ["0612345678"] * len(homes), "home": pa.array(homes, pa.string())})
    for home, row in zip(homes, reader.read_table(table, home=None).to_pylist(), strict=True):
        assert ReadNumber(**row) == read_number("0612345678", home or "")
    assert not calling_code_of("Atlantis")


def test_a_reader_goes_on_to_other_tables_and_homes(reader):
    assert read(reader, ["0612345678"], "FR")[0].msisdn == "+33612345678"
    assert read(reader, ["0612345678"])[0].fault == "no_country"
    assert read(reader, ["0179 6548754"], "DE")[0].msisdn == "+491796548754"
    assert read(reader, ["0612345678"], "FR")[0].msisdn == "+33612345678"
    assert read(reader, [], "FR") == []


def test_control_characters_are_judged_as_one_by_one(reader):
    texts = ["49\x001796548754", "49\x1c1796548754", "\x0b491796548754", "491796548754\x85", "49\x7f1796548754", "4\n9"]
    assert read(reader, texts) == [read_number(text) for text in texts]


def test_python_is_asked_for_few_at_a_time(reader, monkeypatch):
    monkeypatch.setattr(reading_numbers, "_ASKED_AT_ONCE", 3)
    texts = [f"49 179 654875{number} x" for number in range(10)] * 2
    assert read(reader, texts) == [read_number(text) for text in texts]


def test_a_table_of_the_cursor_is_read_into_another(monkeypatch):
    monkeypatch.setattr(reading_numbers, "FEW", 0)
    with closing(Instance()) as instance, instance.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE people AS SELECT 7::BIGINT AS person, '+33 6 12 34 56 78' AS phone")
        NumberReader(cursor, RANGES).read("(SELECT person AS row_no, phone AS text FROM people)", "found")
        assert cursor.execute("FROM found").fetchall() == [(7, *read_number("+33612345678"))]


def test_a_few_numbers_need_no_ranges(tmp_path):
    with open_reader(KeptRanges(tmp_path)) as reader:
        assert read(reader, ["0179 6548754", "nobody"], "DE") == [
            read_number("0179 6548754", "DE"),
            read_number("nobody"),
        ]
        homes = pa.table({"text": ["0179 6548754"], "home": ["DE"]})
        assert reader.read_table(homes, home=None).to_pylist() == [read_number("0179 6548754", "DE")._asdict()]
    assert list(tmp_path.iterdir()) == []
