"""A number stands before its noun by `counting.count_of` only: "1 rows" is what everything else says of one row."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOUNS = (
    "accounts|batches|campaigns|cells|characters|columns|contacts|copies|days|duplicates|entries|files|hours|lists|"
    "messages|minutes|months|numbers|people|placeholders|receipts|recipients|rows|seconds|segments|tables|times|tries"
)
_FOLLOWS = re.compile(rf"\*{{0,2}} (?:more )?(?:{NOUNS})\b")
# What is said of these is never said of one: two columns of one name, half of several.
SEVERAL = {
    ("core/files/imports/header.py", "len(phone)"),
    ("core/files/imports/header.py", "count"),
    # "None of the 2 rows"; of one row, `agree` says it otherwise.
    ("core/services/lists/importing_lists.py", "counts.read_count"),
    ("core/services/traffic/importing_traffic.py", "counts.read"),
    # More than a bound, which is more than one.
    ("core/domain/gateways/forms.py", "most"),
    # A constant of more than one.
    ("pages/_ui/screens/gateways/stray_panel.py", "KEPT_FOR.days"),
    ("core/domain/gateways/gateways.py", "len(tidy)"),
    ("core/domain/texts/placeholders.py", "len(name)"),
    ("core/files/imports/cdr.py", "len(name)"),
    ("core/files/imports/cdr.py", "len(names)"),
    ("core/files/tables/delimited.py", "len(cells)"),
    ("core/files/tables/delimited.py", "len(line)"),
    ("core/files/imports/header.py", "len(columns)"),
    ("core/files/imports/header.py", "len(name)"),
    ("core/services/campaigns/composing.py", "len(found) + len(left_out)"),
    ("core/services/campaigns/composing.py", "len(message)"),
    ("core/services/campaigns/composing.py", "segment_count"),
    ("core/services/campaigns/composing.py", "len(text)"),
    # None or more than a bound.
    ("core/services/campaigns/composing.py", "len(draft.placeholders)"),
    ("core/services/campaigns/quick_sending.py", "len(order.numbers)"),
    # 0 or less; for who wrote the code.
    ("core/gateways/simulator/throttling.py", "rate_tps"),
    ("core/gateways/simulator/throttling.py", "capacity"),
    ("core/gateways/base.py", "len(asked)"),
    ("core/gateways/http/submission.py", "len(part)"),
    # The errors, which the domain knows, do not know it.
    ("core/errors.py", "retry_after_s"),
    # Of one, the other words are said.
    ("pages/_ui/screens/quick_send/quick_form.py", "each"),
    # Not a number: a word for what became of them.
    ("pages/campaign_rows.py", "outcome"),
}


def find_counts(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield the numbers that a text of *path* puts before a noun as they are; bounds in capitals are never one."""
    name = str(path.relative_to(ROOT))
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, behind in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(behind, ast.Constant):
                continue
            # In groups of three digits it is the same number.
            said = ast.unparse(value.value).removeprefix("grouped(").removesuffix(")")
            said += ")" * (said.count("(") - said.count(")"))
            if _FOLLOWS.match(str(behind.value)) and not re.fullmatch(r"(\w+\.)?_?[A-Z][A-Z_]+", said):
                yield name, said, node.lineno


@pytest.mark.parametrize("folder", ["core", "jobs", "pages"])
def test_no_text_puts_a_number_before_a_noun_by_itself(folder: str):
    found = [
        f"{name}:{line} {said}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name, said, line in find_counts(path)
        if (name, said) not in SEVERAL
    ]
    assert found == []
