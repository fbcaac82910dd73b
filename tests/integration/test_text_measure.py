from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.encoding import GSM7_CHARACTERS
from core.domain.segments import measure
from core.history.text_measure import install
from tests.support.segment_vectors import load_vectors, random_texts

QUERY = "SELECT sms_encoding(text) AS encoding, sms_segment_count(text) AS segment_count FROM texts ORDER BY position"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        install(connection)
        yield connection


def measure_in_duckdb(connection: duckdb.DuckDBPyConnection, texts: list[str | None]) -> list[tuple[str, int]]:
    table = pa.table({"position": pa.array(range(len(texts)), pa.int32()), "text": pa.array(texts, pa.string())})
    connection.register("texts", table)
    try:
        rows = connection.execute(QUERY).to_arrow_table().to_pylist()
    finally:
        connection.unregister("texts")
    return [(row["encoding"], row["segment_count"]) for row in rows]


def measure_in_python(texts: list[str]) -> list[tuple[str, int]]:
    measures = [measure(text) for text in texts]
    return [(each.encoding.value, each.segment_count) for each in measures]


def test_vectors(connection: duckdb.DuckDBPyConnection):
    vectors = load_vectors()
    expected = [(vector.encoding, vector.segments) for vector in vectors]
    assert measure_in_duckdb(connection, [vector.text for vector in vectors]) == expected


def test_every_character_is_in_the_same_encoding(connection: duckdb.DuckDBPyConnection):
    codes = (code for code in range(0x11_0000) if not 0xD800 <= code < 0xE000)
    rows = measure_in_duckdb(connection, [chr(code) for code in codes])
    assert len(rows) == 0x11_0000 - 0x800
    assert rows.count(("gsm7", 1)) == len(GSM7_CHARACTERS)
    assert rows.count(("ucs2", 1)) == len(rows) - len(GSM7_CHARACTERS)
    expected = measure_in_python(sorted(GSM7_CHARACTERS))
    assert measure_in_duckdb(connection, sorted(GSM7_CHARACTERS)) == expected


def test_twenty_thousand_texts_near_the_boundaries(connection: duckdb.DuckDBPyConnection):
    texts = random_texts(20_000, seed=23_040)
    expected = measure_in_python(texts)
    assert measure_in_duckdb(connection, texts) == expected
    # The texts are worth measuring: dividing the units would be wrong for many of them.
    naive = [-(-each.unit_count // (153 if each.encoding == "gsm7" else 67)) for each in map(measure, texts)]
    wrong = sum(count > quotient for (_, count), quotient in zip(expected, naive, strict=True))
    assert wrong > 200


# A busy machine may take its time over a query.
@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=400), min_size=1, max_size=20))
def test_any_texts(connection: duckdb.DuckDBPyConnection, texts: list[str]):
    assert measure_in_duckdb(connection, texts) == measure_in_python(texts)


def test_nothing_has_no_measure(connection: duckdb.DuckDBPyConnection):
    assert measure_in_duckdb(connection, [None, ""]) == [(None, None), ("gsm7", 0)]


def test_columns_have_the_types_of_the_lake(connection: duckdb.DuckDBPyConnection):
    found = connection.execute("SELECT typeof(sms_encoding('a')), typeof(sms_segment_count('a'))").fetchone()
    assert found == ("VARCHAR", "INTEGER")


def test_each_cursor_installs_its_own_and_may_do_so_twice():
    with duckdb.connect() as first, first.cursor() as second:
        for cursor in (first, second, first):
            install(cursor)
        for cursor in (first, second):
            assert cursor.execute("SELECT sms_segment_count(repeat('€', 153))").fetchone() == (3,)


def test_a_read_only_database_can_measure_too(tmp_path):
    path = tmp_path / "some.duckdb"
    duckdb.connect(path).close()
    with duckdb.connect(path, read_only=True) as connection:
        install(connection)
        assert connection.execute("SELECT sms_encoding('ç')").fetchone() == ("ucs2",)


def test_installing_within_a_transaction_that_writes_elsewhere(tmp_path):
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tmp_path / 'other.duckdb'}' AS other")
        connection.execute("BEGIN")
        install(connection)
        connection.execute("CREATE TABLE other.measured AS SELECT sms_segment_count('Ł') AS segment_count")
        connection.execute("COMMIT")
        assert connection.execute("SELECT segment_count FROM other.measured").fetchone() == (1,)
