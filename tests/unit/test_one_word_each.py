"""An amount of money has one form, and a segment one name, wherever a person reads them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What people read; a provider's balance is told as the provider says it, demo texts are a company's own.
CODE = [
    path
    for folder in ("core", "pages", "jobs")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.is_relative_to(ROOT / "core/gateways") and not path.is_relative_to(ROOT / "core/demo")
]
TEXTS = [*sorted((ROOT / "pages/_ui/help").glob("*.md")), *sorted((ROOT / "docs/guide").glob("*.md"))]
# A value filled in reads as "0" here.
WRONG = {
    "an amount is written as € 12.50 (`in_euros`)": re.compile(r"\b[\d.,]*\d EUR\b(?! c)(?! =)"),
    "limits are segments per second": re.compile(
        r"\b(SMS|segments?) (a second|each second)\b|\bSMS per second|segments?/s\b"
    ),
    "what one SMS carries is a segment": re.compile(r"\b(\d|one) SMS\b(?! messages)"),
    "a speed is so many per second": re.compile(r"\b(messages?|receipts?)(/s\b| a second\b)", re.IGNORECASE),
}
# "1 USD = 0.92 EUR" is a rate between two currencies, by their codes.
RATES = ROOT / "core/domain/imports/cdr_prices.py"
COUNTING = ROOT / "core/domain/words/counting.py"


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Return every text in the code that is no docstring, with what is filled in as 0."""
    tree = ast.parse(path.read_text("utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    within = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part != node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docs | within):
            yield node.lineno, node.value


def faults(path: Path, lines: Iterator[tuple[int, str]]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {rule}: {text!r}"
        for number, text in lines
        for rule, pattern in WRONG.items()
        if pattern.search(text)
    ]


def test_code_says_amounts_and_segments_in_one_way():
    found = [fault for path in CODE if path != RATES for fault in faults(path, strings(path))]
    assert found == []


def test_help_and_guide_say_amounts_and_segments_in_one_way():
    found = [
        fault for path in TEXTS for fault in faults(path, iter(enumerate(path.read_text("utf-8").splitlines(), 1)))
    ]
    assert found == []


def test_numbers_are_grouped_in_one_way():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in CODE
        if not path.name.startswith("cli") and not path.is_relative_to(ROOT / "core/proving") and path != COUNTING
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"(?<!%)\{[^{}]+:,[.\d]*[fd]?\}", line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    ["12.50 EUR is spent", "5 SMS per second", "50 segments/s", "needs 3 SMS", "10 messages a second"],
)
def test_other_ways_are_noticed(text: str):
    assert any(pattern.search(text) for pattern in WRONG.values())
