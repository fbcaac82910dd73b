"""What holds the browser tests steady."""

import re
from pathlib import Path

E2E = Path(__file__).parents[1] / "e2e"
STRICT = re.compile(r"expect\([^\n]*get_by_text\([^\n]*(?<!\.first)(?<!\.last)\)\.to_be_visible\(")


def test_a_text_may_stand_twice_while_a_page_is_drawn():
    # Playwright refuses to look at two places at once, and while Streamlit draws, old and new stand side by side.
    sources = {path: path.read_text("utf-8") for path in E2E.glob("*.py")}
    assert len(sources) > 10
    assert [f"{path.name}: {found}" for path, text in sources.items() for found in STRICT.findall(text)] == []
