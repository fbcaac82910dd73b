"""What the browser shows of a message while it is typed, against what the server says of it."""

import json
from typing import Any

import pytest

from core.domain.texts.placeholders import parse_template, render
from core.domain.texts.segments import measure
from core.domain.texts.simplifying import REPLACEMENTS, simplify
from core.domain.words.characters import compose
from pages._ui.formats import number
from tests.support.cases import simplify_vectors
from tests.support.cases.segment_vectors import load_vectors, random_texts
from tests.support.processes.node import COMPONENTS, evaluate

MEASURE, PHONE, ADVICE = "sms_measure.js", "phone.js", "sms_advice.js"


def measure_in_node(texts: list[str]) -> list[dict[str, Any]]:
    return evaluate([MEASURE], "measureSms(it)", texts)


def simplify_in_node(texts: list[str]) -> list[tuple[str, str, int]]:
    """Return text, encoding and number of segments, as the composer has them of a message without placeholders."""
    replaced = f"replaceIn({{ text: it }}, {json.dumps(REPLACEMENTS)}).text"
    expression = f"[{replaced}].map((text) => ({{ text, ...measureSms(text) }}))[0]"
    found = evaluate([MEASURE, PHONE], expression, texts)
    return [(answer["text"], answer["encoding"], answer["segmentCount"]) for answer in found]


def simplify_in_python(texts: list[str]) -> list[tuple[str, str, int]]:
    measures = [(simplify(text), measure(simplify(text))) for text in texts]
    return [(text, size.encoding.value, size.segment_count) for text, size in measures]


def fill_in_node(cases: list[tuple[str, dict[str, str]]]) -> list[str]:
    return evaluate([PHONE], 'fillPlaceholders(it[0], it[1]).map((part) => part.text).join("")', cases)


def measure_in_python(text: str) -> dict[str, Any]:
    found = measure(text)
    return {
        "encoding": found.encoding.value,
        "characterCount": found.character_count,
        "unitCount": found.unit_count,
        "segmentCount": found.segment_count,
    }


def test_vectors():
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


def test_every_character_of_the_basic_plane():
    texts = [chr(code) for code in range(0x1_0000) if not 0xD800 <= code < 0xE000]
    assert measure_in_node(texts) == [measure_in_python(text) for text in texts]


def test_texts_near_the_boundaries():
    texts = random_texts(5_000, seed=11)
    assert measure_in_node(texts) == [measure_in_python(text) for text in texts]


def test_half_a_surrogate_pair_counts_as_what_the_browser_sends_for_it():
    halves = ["\ud83d", "я\ude00я", "я" * 66 + "\ud83d" * 5, "\ude00\ud83d"]
    sent = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in halves]
    assert [len(text) for text in sent] == [len(text) for text in halves]
    assert measure_in_node(halves) == [measure_in_python(text) for text in sent]


def test_the_script_stands_alone():
    source = (COMPONENTS / MEASURE).read_text("utf-8")
    # It is concatenated into another script, so it may import nothing and define one name.
    assert not any(line.startswith(("import ", "export ", "const ", "let ", "var ")) for line in source.splitlines())
    assert source.count("\nfunction ") == 1


def test_simplify_vectors():
    vectors = simplify_vectors.load_vectors()
    expected = [(vector.simplified, vector.encoding, vector.segments) for vector in vectors]
    assert simplify_in_node([vector.text for vector in vectors]) == expected


def test_every_character_is_simplified_alike():
    texts = [chr(code) for code in range(0x2_0000) if not 0xD800 <= code < 0xE000]
    assert simplify_in_node(texts) == simplify_in_python(texts)


def test_random_texts_are_simplified_alike():
    texts = simplify_vectors.random_texts(3_000, seed=5)
    assert simplify_in_node(texts) == simplify_in_python(texts)


def test_nothing_is_replaced_unless_it_is_wanted():
    assert evaluate([PHONE], "replaceIn({ text: it }, {}).text", ["\u201ca\u2026"]) == ["\u201ca\u2026"]


def test_a_replaced_part_stays_a_value():
    part = {"text": "Zo\u00eb\u2026", "isValue": True}
    expression = f"replaceIn(it, {json.dumps(REPLACEMENTS)})"
    assert evaluate([PHONE], expression, [part]) == [{"text": "Zo\u00eb...", "isValue": True}]


@pytest.mark.parametrize("values", [{}, {"A": "1", "B": ""}, {"A": "{B}", "B": "{A}"}, {"A": r"$& \1", "x y": "v"}])
def test_placeholders_are_filled_alike(values: dict[str, str]):
    messages = [
        "",
        "{A}",
        "{A}{B}{A}",
        "{B} { A } {a} {A",
        "{{A}}",
        "{{{A}}}",
        "{A{B}}",
        "{A}}{{B}",
        "{}",
        "{ {A} }",
        "{x y}{x}",
        "x}\n{A}{",
        "{constructor} {__proto__} {toString}",
        "\u200f{A}\u200d🎉{B}",
    ]
    expected = [render(parse_template(message, values), values) for message in messages]
    assert fill_in_node([(message, values) for message in messages]) == expected


def test_letters_are_composed_alike_wherever_they_stand():
    texts = ["Cafe\u0301 {A}", "{e\u0301}u\u0308", "e\u0301" * 160, "A\u030a\u212b", "o\u0323\u0302", "\u0301"]
    values = {"A": "x", "\u00e9": "y"}
    expected = [render(parse_template(compose(text), values), values) for text in texts]
    assert fill_in_node([(text, values) for text in texts]) == expected


@pytest.mark.parametrize("last", ["", "\u0141"])
def test_the_characters_that_count_twice_are_named(last: str):
    texts = [chr(code) + last for code in range(0x1_0000) if not 0xD800 <= code < 0xE000] + ["\U0001f389" + last]
    named = evaluate([MEASURE, ADVICE], "findDoubles(it).length > 0", texts)
    sizes = [measure(text) for text in texts]
    assert named == [size.unit_count > size.character_count for size in sizes]


def test_why_a_message_takes_more_room_than_it_has_characters_is_said():
    texts = ["Hello", "Price [\u20ac 5]", "\u20ac" * 90, "\U0001f389"]
    plain, short, longer, unicode = evaluate([MEASURE, ADVICE], "advise(it, measureSms(it), 10).text", texts)
    assert plain == ""
    assert short == "Counted twice in an SMS: [ \u20ac ] (so the message takes up 14 characters; one SMS holds 160)."
    assert longer.endswith("takes up 180 characters; each of the 2 SMS holds 153).")
    reason, doubles = unicode.split("). ")
    assert reason == "Sent as Unicode because of \U0001f389 (an SMS then holds 70 characters instead of 160"
    assert doubles.endswith("\U0001f389 (so the message takes up 2 characters; one SMS holds 70).")


def test_the_phone_says_the_same_number_as_the_pages_do():
    assert evaluate([PHONE], "grouped(it)", [7, 1530]) == [number(7), number(1530)]
