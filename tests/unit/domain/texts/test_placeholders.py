from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.texts.placeholders import (
    Literal,
    Placeholder,
    check_placeholder_name,
    find_column,
    list_doubled_braces,
    parse_template,
    render,
)
from core.errors import InvalidInput


def test_a_template_is_cut_at_its_placeholders():
    parts = parse_template("Hi {First name}, code {Code}!", {"First name", "Code"})
    assert parts == (Literal("Hi "), Placeholder("First name"), Literal(", code "), Placeholder("Code"), Literal("!"))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", ()),
        ("{A}", (Placeholder("A"),)),
        ("{A}{A}", (Placeholder("A"), Placeholder("A"))),
        ("{B} { A } {a} {A", (Literal("{B} { A } {a} {A"),)),
        ("{{A}}", (Literal("{"), Placeholder("A"), Literal("}"))),
        ("x}\n{A}", (Literal("x}\n"), Placeholder("A"))),
    ],
)
def test_braces_that_form_no_defined_placeholder_are_text(message: str, expected: tuple[object, ...]):
    assert parse_template(message, ["A"]) == expected


def test_without_names_everything_is_text():
    assert parse_template("{A}", []) == (Literal("{A}"),)
    assert parse_template("", []) == ()


def test_a_name_may_begin_with_another():
    assert parse_template("{Name2}{Name}", ["Name", "Name2"]) == (Placeholder("Name2"), Placeholder("Name"))


def test_dots_in_names_are_dots():
    assert parse_template("{aXb}", ["a.b"]) == (Literal("{aXb}"),)


def test_values_are_put_in_as_they_are():
    parts = parse_template("{A} and {B}", ["A", "B"])
    assert render(parts, {"A": "{B}", "B": r"\1 {A}"}) == r"{B} and \1 {A}"


def test_an_empty_value_leaves_nothing():
    assert render(parse_template("[{A}]", ["A"]), {"A": ""}) == "[]"


def test_a_placeholder_without_a_value_is_an_error():
    with pytest.raises(InvalidInput, match=r"\{A\} has no value"):
        render(parse_template("{A}", ["A"]), {"B": "x"})


@given(st.lists(st.sampled_from(["{", "}", "A", "B", "{A}", "{B}", "{C}", " "])).map("".join))
def test_each_placeholder_filled_with_itself_gives_the_message_back(message: str):
    parts = parse_template(message, {"A", "B"})
    assert render(parts, {"A": "{A}", "B": "{B}"}) == message
    # Simple text replacement agrees as long as values hold no braces.
    assert render(parts, {"A": "1", "B": "2"}) == message.replace("{A}", "1").replace("{B}", "2")
    literals = [index for index, part in enumerate(parts) if isinstance(part, Literal)]
    assert all(later - earlier > 1 for earlier, later in pairwise(literals))


@pytest.mark.parametrize("name", ["A", "FirstName", "First name", "order-no.1", "Größe", "名前", "_x1", "a" * 30])
def test_names_that_can_stand_between_braces(name: str):
    check_placeholder_name(name)
    assert parse_template(f"{{{name}}}", [name]) == (Placeholder(name),)


@pytest.mark.parametrize("name", ["", " ", " A", "A ", "{A}", "A}", "A\nB", "A\n", "-A", "A.", "a" * 31])
def test_names_that_cannot_stand_between_braces(name: str):
    with pytest.raises(InvalidInput) as caught:
        check_placeholder_name(name)
    assert caught.value.field == "placeholders"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("message", "doubled"),
    [
        ("Hi {{Name}}, {{Name}}", [("{{Name}}", "{…}")]),
        ("Hi {{{Name}}}", [("{{{Name}}}", "{{…}}")]),
        ("Hi {{Name} and {Name}}", [("{{Name}", "{…"), ("{Name}}", "…}")]),
        ("Hi {Name}{Name}, { Name } {{Other}}", []),
    ],
)
def test_a_placeholder_in_more_than_its_own_braces_is_found(message: str, doubled: list[tuple[str, str]]):
    assert list_doubled_braces(message, ["Name"]) == doubled
    assert list_doubled_braces(message, []) == []


@pytest.mark.parametrize(
    ("name", "columns", "found"),
    [
        ("First Name", ["PhoneNumber", "FirstName"], "FirstName"),
        ("first_name", ["PhoneNumber", "First-Name", "City"], "First-Name"),
        ("FirstName", ["first name", "FIRSTNAME", "FirstName"], "FirstName"),
        ("firstname", ["first name", "FIRSTNAME"], "FIRSTNAME"),
        ("First Name", ["First-Name", "First_Name"], None),
        ("Town", ["PhoneNumber", "City"], None),
        ("Town", [], None),
    ],
)
def test_a_column_is_only_taken_when_it_is_surely_meant(name: str, columns: list[str], found: str | None):
    assert find_column(name, columns) == found
