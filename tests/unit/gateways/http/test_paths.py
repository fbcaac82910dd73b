import pytest

from core.errors import InvalidInput
from core.gateways.http.paths import check_path, find, find_between

DOCUMENT = {"messages": [{"id": "a", "status": {"code": 0}}, {"id": "b"}], "a.b": 1, "0": "zero", "none": None}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", DOCUMENT),
        ("messages.0.id", "a"),
        ("messages.1.id", "b"),
        ("messages.0.status.code", 0),
        ("a.b", 1),
        ("0", "zero"),
        ("none", None),
        ("messages.2.id", None),
        ("messages.-1.id", None),
        ("messages.id", None),
        ("messages.0.id.0", None),
        ("messages.99999999999999999999.id", None),
        ("messages.\u0660.id", None),
        ("missing.0", None),
    ],
)
def test_a_path_finds_what_stands_there(path: str, found: object):
    assert find(DOCUMENT, path) == found


def test_in_what_is_no_document_there_is_nothing():
    for document in (None, "text", 5, True, []):
        assert find(document, "0") is None


@pytest.mark.parametrize("path", [".", "a.", ".a", "a..b", " ", ".".join("a" * 21)])
def test_what_is_no_path_is_refused(path: str):
    with pytest.raises(InvalidInput):
        check_path(path, "answer_id")
    check_path("", "answer_id")
    check_path("messages.0.message-id", "answer_id")


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("OK: 123 sent", "OK: {}", "123"),
        ("OK: 123", "OK: {}", "123"),
        ("<id>12 3</id>", "<id>{}</id>", "12 3"),
        ("<id>123", "<id>{}</id>", ""),
        ("123 rest", "{}", "123"),
        ("123|OK", "{}|", "123"),
        ("all OK here", "OK", "OK"),
        ("no", "OK", ""),
        ("OK: ", "OK: {}", ""),
        ("anything", "", ""),
    ],
)
def test_a_pattern_finds_what_stands_between(text: str, pattern: str, found: str):
    assert find_between(text, pattern) == found
