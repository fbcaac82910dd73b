"""The house's ceilings: nobody inherits a file, a page or a function that cannot be seen at a glance."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE, PAGE, FUNCTION, FOLDER = 400, 80, 40, 16
# A page for each screen, a test for each page, a benchmark for each promise.
FLAT = {"pages", "tests/pages", "benchmarks"}
KINDS = ("unit", "contract", "integration", "pages")


def list_sources() -> Iterator[Path]:
    for folder in ("core", "jobs", "pages", "benchmarks"):
        # A migration stands as it was.
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def count_lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def list_functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function of *path* and the lines of its body, without its docstring."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0 if ast.get_docstring(node) is None or len(node.body) == 1 else 1]
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or 0) - first.lineno + 1


def test_no_file_and_no_page_is_too_long():
    lines = {path.relative_to(ROOT): count_lines(path) for path in list_sources()}
    assert len(lines) > 300
    assert [f"{path}: {count}" for path, count in lines.items() if count > FILE] == []
    assert [f"{path}: {count}" for path, count in lines.items() if path.parent == Path("pages") and count > PAGE] == []


def test_no_function_is_too_long():
    lines = dict(found for path in list_sources() for found in list_functions(path))
    assert len(lines) > 2_000
    assert [f"{name}: {count}" for name, count in lines.items() if count > FUNCTION] == []


def list_packages() -> Counter[str]:
    """Count the modules of each folder, without what a package says of itself."""
    found = [
        path for folder in ("core", "jobs", "pages", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    kept = [path for path in found if "migrations" not in path.parts and path.name != "__init__.py"]
    return Counter(path.parent.relative_to(ROOT).as_posix() for path in kept)


def test_no_folder_holds_too_many_modules():
    counts = list_packages()
    assert len(counts) > 100
    assert [f"{name}: {count}" for name, count in counts.items() if count > FOLDER and name not in FLAT] == []


def test_every_package_says_what_lives_there():
    packages = [name for name in list_packages() if not name.startswith("tests")]
    assert [
        name for name in packages if not ast.get_docstring(ast.parse((ROOT / name / "__init__.py").read_text()))
    ] == []


def test_a_test_lies_as_what_it_tests_does():
    tests = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    # Those of the whole house are in no room; a browser's see no rooms.
    rooms = {kind: [room.relative_to(kind) for room in tests if kind in room.parents] for kind in map(Path, KINDS)}
    assert all(rooms.values())
    strays = [kind / room for kind in rooms for room in rooms[kind] if not is_room(kind, room)]
    assert strays == []


def is_room(kind: Path, room: Path) -> bool:
    houses = [ROOT / "pages"] if kind.name == "pages" else [ROOT, ROOT / "core"]
    return any((house / room / "__init__.py").is_file() for house in houses)
