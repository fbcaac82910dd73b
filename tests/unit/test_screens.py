"""A page draws its own screen and what screens share: what another one has for itself is not for it."""

import ast
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "pages"
SCREENS = "pages._ui.screens"
# The rows behind the figures of a campaign are shown on a page of their own.
SHARED = {"campaign_rows": "campaign"}


def screens_of(path: Path) -> set[str]:
    """Return whose folders the file at *path* imports from."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return {name.removeprefix(f"{SCREENS}.").split(".")[0] for name in names if name.startswith(f"{SCREENS}.")}


@pytest.mark.parametrize("page", sorted(PAGES.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_a_page_draws_its_own_screen_alone(page: Path) -> None:
    assert screens_of(page) <= {SHARED.get(page.stem, page.stem)}


def test_every_folder_is_a_pages() -> None:
    folders = {path.parent.name for path in (PAGES / "_ui" / "screens").glob("*/__init__.py")}
    assert folders == set().union(*map(screens_of, PAGES.glob("*.py")))
