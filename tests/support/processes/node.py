"""The browser's scripts, run by node."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.processes.tools import require_binary

COMPONENTS = Path(__file__).parents[3] / "pages" / "_ui" / "components"

_ANSWER = """
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((it) => EXPRESSION)));
"""


def evaluate(scripts: list[str], expression: str, cases: list[Any]) -> list[Any]:
    """Return the value of *expression*, JavaScript about `it`, for each of *cases*; *scripts* are loaded before."""
    sources = [(COMPONENTS / script).read_text("utf-8") for script in scripts]
    done = subprocess.run(
        [require_binary("node"), "-e", "\n".join(sources) + _ANSWER.replace("EXPRESSION", expression)],
        input=json.dumps(cases),
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    answers: list[Any] = json.loads(done.stdout)
    return answers
