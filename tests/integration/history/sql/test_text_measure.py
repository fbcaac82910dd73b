from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.texts.encoding import GSM7_CHARACTERS
from core.domain.texts.segments import measure
from core.domain.texts.simplifying import simplify
from core.history.sql.text_measure import install
from tests.support.cases import simplify_vectors
from tests.support.cases.segment_vectors import load_vectors, random_texts

QUERY = "SELECT sms_encoding(text) AS encoding, sms_segment_count(text) AS segment_count FROM texts ORDER BY position"
SIMPLIFY = """
    SELECT simplified, sms_encoding(simplified) AS encoding, sms_segment_count(simplified) AS segment_count
    FROM (SELECT position, sms_simplify(text) AS simplified FROM texts) ORDER BY position
"""


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        install(connection)
        yield connection


def query(connection: duckdb.DuckDBPyConnection, sql: str, texts: list[str | None]) -> list[tuple]:
    table = pa.table({"position": pa.array(range(len(texts)), pa.int32()), "text": pa.array(texts, pa.string())})
    connection.register("texts", table)
    try:
        rows = connection.execute(sql).to_arrow_table().to_pylist()
    finally:
        connection.unregister("texts")
    return [tuple(row.values()) for row in rows]


def measure_in_duckdb(connection: duckdb.DuckDBPyConnection, texts: list[str | None]) -> list[tuple[str, int]]:
    return query(connection, QUERY, texts)


def simplify_in_duckdb(
    connection: duckdb.DuckDBPyConnection, texts: list[str | None]
) -> list[tuple[str | None, str | None, int | None]]:
    return query(connection, SIMPLIFY, texts)


def measure_in_python(texts: list[str]) -> list[tuple[str, int]]:
    measures = [measure(text) for text in texts]
    return [(each.encoding.value, each.segment_count) for each in measures]


def simplify_in_python(texts: list[str]) -> list[tuple[str, str, int]]:
    simplified = [simplify(text) for text in texts]
    return [(text, *size) for text, size in zip(simplified, measure_in_python(simplified), strict=True)]


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


def test_simplify_vectors(connection: duckdb.DuckDBPyConnection):
    vectors = simplify_vectors.load_vectors()
    expected = [(vector.simplified, vector.encoding, vector.segments) for vector in vectors]
    assert simplify_in_duckdb(connection, [vector.text for vector in vectors]) == expected


def test_every_character_is_simplified_alike(connection: duckdb.DuckDBPyConnection):
    # The planes beyond the second hold nothing that is replaced, nor is read otherwise.
    texts = [chr(code) for code in range(0x2_0000) if not 0xD800 <= code < 0xE000]
    found = [simplified for simplified, _, _ in simplify_in_duckdb(connection, texts)]
    assert found == [simplify(text) for text in texts]


def test_four_thousand_texts_are_simplified_alike(connection: duckdb.DuckDBPyConnection):
    texts = simplify_vectors.random_texts(4_000, seed=8)
    expected = simplify_in_python(texts)
    assert simplify_in_duckdb(connection, texts) == expected
    assert sum(simplified != text for text, (simplified, _, _) in zip(texts, expected, strict=True)) > 2_000


# A busy machine may take its time over a query.
@settings(deadline=None)
@given(
    texts=st.lists(
        st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(simplify_vectors.REPLACED)), max_size=400),
        min_size=1,
    )
)
def test_any_texts_are_simplified_alike(connection: duckdb.DuckDBPyConnection, texts: list[str]):
    assert simplify_in_duckdb(connection, texts) == simplify_in_python(texts)


def test_nothing_simplified_is_nothing(connection: duckdb.DuckDBPyConnection):
    assert simplify_in_duckdb(connection, [None, ""]) == [(None, None, None), ("", "gsm7", 0)]


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
