"""Pages read and write their address by one module, so that no value passes by the rules for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.reports.addresses import is_known
from pages._ui import address

REPOSITORY = Path(__file__).parents[2]
DOOR = REPOSITORY / "pages" / "_ui" / "address.py"
UI = sorted({*(REPOSITORY / "pages").rglob("*.py"), REPOSITORY / "Home.py"} - {DOOR})


def find_ways_past(source: str) -> Iterator[int]:
    """Yield the lines that use Streamlit's own query parameters, or let a widget be bound to them."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr="query_params" | "experimental_get_query_params"):
                yield node.lineno
            case ast.ImportFrom(names=names) if any("query_params" in name.name for name in names):
                yield node.lineno
            case ast.Constant(value="query-params" | "query_params"):
                yield node.lineno


@pytest.mark.parametrize("path", UI, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_nobody_reads_the_address_past_its_door(path: Path) -> None:
    assert list(find_ways_past(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "st.query_params.get('id')",
        "streamlit.query_params['id'] = 'x'",
        "from streamlit import query_params",
        "getattr(st, 'query_params')",
        "st.text_input('a', bind='query-params')",
    ],
)
def test_the_guard_sees_every_way_past(source: str) -> None:
    assert list(find_ways_past(source)) == [1]


def test_a_page_s_own_query_for_another_page_is_no_way_past() -> None:
    assert not list(find_ways_past("st.switch_page(path, query_params=query)"))


@pytest.mark.parametrize("read", [address.get, address.find, address.get_all, address.drop, address.bound])
def test_a_name_without_a_rule_is_not_read(read) -> None:
    assert not is_known("anything")
    with pytest.raises(KeyError):
        read("anything")
