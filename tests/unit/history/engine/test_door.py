"""What the door lets through, without a lake."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import InvalidInput
from core.history.engine.door import TARGET_FILE_SIZE, Instance, check_statement, check_value
from core.history.lake.schema import MIGRATIONS
from core.history.sql.arrow_texts import find_fault


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a\0b'",
        "ATTACH 'other.sqlite' AS other (TYPE sqlite)",
        "SELECT 1; ATTACH 'other.sqlite' AS other (TYPE sqlite)",
        "DETACH lake",
        "COPY (SELECT 1) TO 'out.csv'",
        "COPY lake.messages FROM 'in.csv'",
        "EXPORT DATABASE 'out'",
        "LOAD httpfs",
        "INSTALL httpfs",
        "SET memory_limit = '1GB'",
        "SET GLOBAL ducklake_target_file_size = '1B'; SET memory_limit = '1GB'",
        "SELECT * FROM sqlite_scan('state.sqlite', 'users')",
        "SELECT * FROM \"sqlite_scan\"('state.sqlite', 'users')",
        "SELECT * FROM system.main.SQLITE_SCAN('state.sqlite', 'users')",
        "SELECT * FROM sqlite_query('__ducklake_metadata_lake', 'SELECT 1')",
        "CALL sqlite_attach('state.sqlite')",
        "SELECT * FROM postgres_query('__ducklake_metadata_lake', 'SELECT pg_read_file(''x'')')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "CREATE OR REPLACE SECRET s (TYPE s3)",
    ],
)
def test_a_statement_that_is_none_of_ours_is_refused(sql: str) -> None:
    with pytest.raises(ValueError, match=r"not for the lake|a statement holds"):
        check_statement(sql)


@pytest.mark.parametrize(
    "sql",
    [
        *(step for step in MIGRATIONS.values() if isinstance(step, str)),
        f"SET GLOBAL {TARGET_FILE_SIZE} = '16777216B'",
        f"RESET GLOBAL {TARGET_FILE_SIZE}",
    ],
)
def test_our_own_statements_pass(sql: str) -> None:
    check_statement(sql)


def text(*cells: bytes) -> pa.Array:
    """Return texts of any bytes, as a file may have them."""
    return pa.Array.from_buffers(pa.string(), len(cells), pa.array(cells, pa.binary()).buffers())


@pytest.mark.parametrize(
    "fault", [b"\0", b"\x01", b"\x7f", b"\xc2\x80", b"\xc2\x9f", b"\xed\xa0\x80", b"\xff", b"\xc3"]
)
def test_a_fault_is_found_wherever_it_stands(fault: bytes) -> None:
    bad = text(b"fine", "größer €😀".encode(), b"a" + fault)
    nested = pa.ListArray.from_arrays([0, 1, 3], bad)
    for column in (
        bad,
        bad.slice(2),
        bad.cast(pa.large_binary()).view(pa.large_string()),
        nested,
        nested.slice(1),
        pa.StructArray.from_arrays([pa.array([1, 2, 3]), bad], ["number", "text"]),
        pa.DictionaryArray.from_arrays(pa.array([0, 1]), bad),
    ):
        assert find_fault(pa.table({"text": column})), column.type
    assert find_fault(pa.table({"text": bad.slice(0, 2)})) is None
    assert find_fault(pa.table({"text": pa.chunked_array([bad.slice(0, 2), bad.slice(2)])})) is not None


def test_what_is_fine_passes() -> None:
    table = pa.table(
        {
            "text": ["", None, "größer\tals\n\x0c\r€ 😀 \xa0\xad"],
            "list": [["a", None], [], None],
            "number": [1, 2, None],
            "nothing": pa.nulls(3),
        }
    )
    assert find_fault(table) is None
    assert find_fault(table.slice(1, 1)) is None
    assert find_fault(table.schema.empty_table()) is None


def test_bytes_do_not_go_in() -> None:
    with pytest.raises(TypeError):
        find_fault(pa.table({"blob": [b"x"]}))


def test_a_mapping_s_names_are_looked_at_as_its_values_are() -> None:
    check_value([{"FirstName": ["Ada"]}], "fields")
    for odd in ({"First\0Name": "Ada"}, {"FirstName": "Ada\0"}, {"FirstName": [{"a\0": 1}]}):
        with pytest.raises(InvalidInput, match="U\\+0000"):
            check_value([odd], "fields")


def test_a_folder_with_a_quote_in_its_name_is_the_one_that_stays_open(tmp_path: Path) -> None:
    folder = tmp_path / "o'clock"
    folder.mkdir()
    for place in (folder, tmp_path):
        pq.write_table(pa.table({"n": [1]}), place / "some.parquet")
    instance = Instance()
    instance.lock_down([f"{folder}/"])
    with instance.cursor() as cursor:
        sql = "SELECT n FROM read_parquet($path)"
        assert cursor.execute(sql, {"path": str(folder / "some.parquet")}).fetchall() == [(1,)]
        with pytest.raises(duckdb.PermissionException):
            cursor.execute(sql, {"path": str(tmp_path / "some.parquet")})
    instance.close()
