"""What DuckLake makes of what is bound: why there is a door, and that nothing gets past it, on both catalogs."""

import ast
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import core.history
from core.domain.words.control_characters import Prose
from core.errors import InvalidInput
from core.history.engine.door import Cursor
from core.history.lake.connection import Lake

CONTROLS = [chr(code) for code in [*range(0x20), *range(0x7F, 0xA0)]]
HALVES = ["\ud800", "\udbff", "\udc00", "\udfff"]
HARMLESS = ["'", "''", '"', "\\", "--", ";", "$$", "{}", "%s", "/*", "\u2028", "\ufeff", "\U0010ffff", "x" * 100_000]
BREAKS = ["\t", "\n", "\f", "\r"]
FILTER = "SELECT count(*) FROM lake.appended_batches WHERE batch_id IN ($a, $b)"


def raw_of(cursor: Cursor) -> duckdb.DuckDBPyConnection:
    """Past the door, to show what is behind it."""
    return cursor._Cursor__raw  # type: ignore[attr-defined, no-any-return]


def fill(lake: Lake) -> None:
    # So many that they are in a file: only then are its least and greatest texts in the catalog.
    lake.write(lambda cursor: cursor.execute(
        "INSERT INTO lake.appended_batches SELECT 'b' || i, 'c', 0, TIMESTAMP '2026-01-01' FROM range(100) t(i)"
    ))  # fmt: skip


def test_without_the_door_a_nul_makes_sql_of_the_next_value(lake: Lake) -> None:
    # When this fails, DuckLake has been mended. The door stays: nobody promised it.
    fill(lake)
    with pytest.raises(duckdb.ParserException, match=r"unterminated|syntax error"), lake.read() as cursor:
        raw_of(cursor).execute(FILTER, {"a": "b1\x00", "b": "b2"})


def test_without_the_door_a_table_that_is_joined_does_the_same(lake: Lake) -> None:
    fill(lake)
    with lake.read() as cursor:
        raw_of(cursor).register("others", pa.table({"batch_id": ["a\0'b", "); bad"]}))
        with pytest.raises(duckdb.ParserException):
            raw_of(cursor).execute("SELECT count(*) FROM lake.appended_batches JOIN others USING (batch_id)")


def test_every_other_control_character_is_harmless_even_there(lake: Lake) -> None:
    fill(lake)
    with lake.read() as cursor:
        for character in [*CONTROLS[1:], *HARMLESS]:
            values = {"a": f"b1'{character}b", "b": "b2'); no SQL at all; --"}
            assert raw_of(cursor).execute(FILTER, values).fetchone() == (0,), repr(character)


@pytest.mark.parametrize(
    "value",
    [lambda text: text, lambda text: [text], lambda text: ["fine", [text]], lambda text: {"a": text}],
    ids=["text", "list", "nested", "struct"],
)
def test_no_control_character_is_bound(lake: Lake, value) -> None:
    with lake.read() as cursor:
        for character in [*CONTROLS, *HALVES]:
            with pytest.raises(InvalidInput, match="position 2"):
                cursor.execute("SELECT $a IS NULL", {"a": value(f"a{character}b")})
            with pytest.raises(InvalidInput):
                cursor.execute("SELECT ? IS NULL", [value(f"a{character}b")])


def test_prose_keeps_its_line_breaks_and_nothing_else(lake: Lake) -> None:
    with lake.read() as cursor:
        for character in BREAKS:
            assert cursor.execute("SELECT $a", {"a": Prose(f"a{character}b")}).fetchone() == (f"a{character}b",)
        for character in {*CONTROLS, *HALVES} - {*BREAKS}:
            with pytest.raises(InvalidInput):
                cursor.execute("SELECT $a", {"a": Prose(f"a{character}b")})


def test_what_is_no_control_character_is_an_ordinary_value(lake: Lake) -> None:
    fill(lake)
    with lake.read() as cursor:
        for text in HARMLESS:
            assert cursor.execute(FILTER, {"a": f"b1{text}", "b": f"b2'{text}"}).fetchone() == (0,)
            assert cursor.execute("SELECT $a", {"a": text}).fetchone() == (text,)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**127, -(2**200), 10**400])
def test_what_is_no_number_is_not_bound(lake: Lake, number: float) -> None:
    with lake.read() as cursor, pytest.raises(InvalidInput):
        cursor.execute("SELECT $a", {"a": number})


@pytest.mark.parametrize("value", [b"bytes", bytearray(b"x"), object(), {1, 2}])
def test_only_what_we_know_is_bound(lake: Lake, value: object) -> None:
    with lake.read() as cursor, pytest.raises(TypeError):
        cursor.execute("SELECT $a", {"a": value})


def test_a_registered_table_is_looked_through(lake: Lake) -> None:
    with lake.read() as cursor:
        for character in {*CONTROLS} - {*BREAKS}:
            with pytest.raises(InvalidInput, match="column text: value 2"):
                cursor.register("incoming", pa.table({"text": ["fine", f"a{character}b"]}))
        cursor.register("incoming", pa.table({"text": [*BREAKS, *HARMLESS]}))
        assert cursor.execute("SELECT count(*) FROM incoming").fetchone() == (len(BREAKS) + len(HARMLESS),)


def test_duckdb_itself_opens_no_file_but_the_lakes(lake: Lake, tmp_path: Path) -> None:
    lake.ping()
    state = tmp_path / "data" / "heliograph.sqlite"
    state.write_bytes(b"secret")
    out = tmp_path / "out.csv"

    def work(cursor: Cursor) -> None:
        for sql in (
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            f"SELECT * FROM read_text('{state}')",
            f"SELECT * FROM read_blob('{lake.location.files}../../heliograph.sqlite')",
            f"SELECT * FROM glob('{tmp_path}/*')",
            f"COPY (SELECT 1) TO '{out}'",
            f"ATTACH '{tmp_path / 'other.duckdb'}' AS other",
            "CALL ducklake_add_data_files('lake', 'messages', '/etc/passwd')",
            "LOAD httpfs",
        ):
            with pytest.raises(duckdb.PermissionException):
                raw_of(cursor).execute(sql)
        for setting in ("enable_external_access = true", "memory_limit = '9GB'", "lock_configuration = false"):
            with pytest.raises(duckdb.InvalidInputException, match=r"locked|changed"):
                raw_of(cursor).execute(f"SET GLOBAL {setting}")

    lake.tend(work)
    assert not out.exists()


def test_nobody_but_the_door_holds_duckdbs_own_connection() -> None:
    core_folder = Path(core.history.__file__).parents[1]
    history = core_folder / "history"
    # What they take from DuckDB: its errors, its version.
    allowed = {
        history / "catalog" / "catalog.py",
        history / "engine" / "extensions.py",
        history / "engine" / "faults.py",
        history / "lake" / "connection.py",
        history / "lake" / "maintenance.py",
    }
    for path in sorted(core_folder.rglob("*.py")):
        if path == history / "engine" / "door.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import) and any(each.name.split(".")[0] == "duckdb" for each in node.names):
                assert path in allowed, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in {"duckdb", "_duckdb"}, path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "duckdb":
                assert node.attr == "__version__" or node.attr.endswith(("Error", "Exception")), (path, node.attr)
            if isinstance(node, ast.Attribute):
                assert not node.attr.endswith("__raw"), path
