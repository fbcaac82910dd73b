"""The house's ceilings: nobody inherits a file, a page or a function that cannot be seen at a glance."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE, PAGE, FUNCTION = 400, 80, 40


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
