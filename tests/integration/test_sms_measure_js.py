import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.segments import measure
from tests.support.segment_vectors import load_vectors, random_texts
from tests.support.tools import require_binary

SCRIPT = Path(__file__).parents[2] / "pages" / "_ui" / "components" / "sms_measure.js"
ANSWER = """
const texts = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map(measureSms)));
"""

Measure = Callable[[list[str]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def measure_in_node() -> Measure:
    node = require_binary("node")

    def run(texts: list[str]) -> list[dict[str, Any]]:
        program = SCRIPT.read_text("utf-8") + ANSWER
        done = subprocess.run(
            [node, "-e", program],
            input=json.dumps(texts),
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        )
        return json.loads(done.stdout)

    return run


def measure_in_python(text: str) -> dict[str, Any]:
    found = measure(text)
    return {
        "encoding": found.encoding.value,
        "characterCount": found.character_count,
        "unitCount": found.unit_count,
        "segmentCount": found.segment_count,
    }


def test_vectors(measure_in_node: Measure):
    vectors = load_vectors()
    expected = [
        {
            "encoding": vector.encoding,
            "characterCount": vector.characters,
            "unitCount": vector.units,
            "segmentCount": vector.segments,
        }
        for vector in vectors
    ]
    assert measure_in_node([vector.text for vector in vectors]) == expected


def test_every_character_of_the_basic_plane(measure_in_node: Measure):
    texts = [chr(code) for code in range(0x1_0000) if not 0xD800 <= code < 0xE000]
    assert measure_in_node(texts) == [measure_in_python(text) for text in texts]


def test_texts_near_the_boundaries(measure_in_node: Measure):
    texts = random_texts(5_000, seed=11)
    assert measure_in_node(texts) == [measure_in_python(text) for text in texts]


def test_half_a_surrogate_pair_counts_as_what_the_browser_sends_for_it(measure_in_node: Measure):
    halves = ["\ud83d", "я\ude00я", "я" * 66 + "\ud83d" * 5, "\ude00\ud83d"]
    sent = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in halves]
    assert [len(text) for text in sent] == [len(text) for text in halves]
    assert measure_in_node(halves) == [measure_in_python(text) for text in sent]


def test_the_script_stands_alone():
    source = SCRIPT.read_text("utf-8")
    # It is concatenated into another script, so it may import nothing and define one name.
    assert not any(line.startswith(("import ", "export ", "const ", "let ", "var ")) for line in source.splitlines())
    assert source.count("\nfunction ") == 1
