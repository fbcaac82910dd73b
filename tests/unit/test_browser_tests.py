"""What holds the browser tests steady."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
FOLDERS = (TESTS / "e2e", TESTS / "integration" / "web", TESTS / "support" / "processes")
STRICT = re.compile(r"expect\([^\n]*get_by_text\([^\n]*(?<!\.first)(?<!\.last)\)\.to_be_visible\(")
HASTY = re.compile(r"\.(?:match|exec)\(/[^\n]*?/[a-z]*\)\[")


def sources() -> dict[Path, str]:
    return {path: path.read_text("utf-8") for folder in FOLDERS for path in folder.glob("*.py")}


def test_a_text_may_stand_twice_while_a_page_is_drawn():
    # Playwright refuses to look at two places at once, and while Streamlit draws, old and new stand side by side.
    assert len(sources()) > 10
    assert [f"{path.name}: {found}" for path, text in sources().items() for found in STRICT.findall(text)] == []


def test_a_text_may_stand_nowhere_while_a_page_is_drawn():
    # A condition in JavaScript that fails is not asked again: `?.[1]` waits where `[1]` ends the test.
    assert [f"{path.name}: {found}" for path, text in sources().items() for found in HASTY.findall(text)] == []
