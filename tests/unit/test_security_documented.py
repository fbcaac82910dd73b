"""docs/security.md claims nothing that no test shows: each requirement that is met names its tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = (REPOSITORY / "docs" / "security.md").read_text()
# A file of tests, and perhaps one of them: `tests/unit/web/guard/test_guard.py::test_name`.
NAMED = re.compile(r"`(?:tests/)?((?:unit|integration|contract|pages|e2e)/[\w/]+\.py)(?:::(\w+))?`")
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<state>[^|]*) \| (?P<how>[^|]*) \|$", re.MULTILINE)
CHAPTERS = ("V5", "V7", "V8", "V12", "V14")


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED.findall(DOCUMENT))))
def test_every_test_that_is_named_exists(file: str, test: str) -> None:
    path = REPOSITORY / "tests" / file
    assert path.is_file()
    assert not test or test in functions(path)


@pytest.mark.parametrize(
    "row", [match.groupdict() for match in ROW.finditer(DOCUMENT)], ids=lambda row: row["what"][:40]
)
def test_every_claim_names_a_test(row: dict[str, str]) -> None:
    claims = row["state"].strip() in {"met", "in part"}
    assert not claims or NAMED.search(row["how"])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_is_gone_through(chapter: str) -> None:
    assert f"### {chapter} " in DOCUMENT
