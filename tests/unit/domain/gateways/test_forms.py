import pytest

from core.domain.gateways.forms import Field, FieldKind, check_form
from core.errors import InvalidForm, InvalidInput

FORM = (
    Field("host", "Host", required=True),
    Field("port", "Port", FieldKind.NUMBER, 2775, least=1, most=65_535),
    Field("password", "Password", FieldKind.SECRET, required=True),
    Field("tls", "TLS", FieldKind.SWITCH, default=False),
    Field("long", "Long messages", FieldKind.CHOICE, "udh", choices={"udh": "User data header", "sar": "SAR"}),
    Field("ca", "Certificate", FieldKind.LONG_TEXT),
)
GIVEN = {"host": "smpp.example.com", "password": "p"}


def test_what_is_left_empty_is_the_default():
    filled = check_form(FORM, GIVEN)
    assert filled.settings == {"host": "smpp.example.com", "port": 2775, "tls": False, "long": "udh", "ca": ""}
    assert filled.secrets == {"password": "p"}


def test_secrets_are_no_settings_and_show_nowhere():
    filled = check_form(FORM, GIVEN | {"password": "hunter2"})
    assert "password" not in filled.settings
    assert "hunter2" not in repr(filled)


def test_a_secret_that_is_kept_need_not_be_said_again():
    filled = check_form(FORM, {"host": "h"}, kept=frozenset({"password"}))
    assert filled.secrets == {}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"password": "p"}, "host"),
        ({"host": "  ", "password": "p"}, "host"),
        ({"host": "h"}, "password"),
        (GIVEN | {"port": 0}, "port"),
        (GIVEN | {"port": "many"}, "port"),
        (GIVEN | {"port": float("inf")}, "port"),
        (GIVEN | {"port": float("nan")}, "port"),
        (GIVEN | {"port": 65_536}, "port"),
        (GIVEN | {"long": "fax"}, "long"),
        (GIVEN | {"host": "a\x00b"}, "host"),
        (GIVEN | {"host": "a\nb"}, "host"),
        (GIVEN | {"host": "h" * 501}, "host"),
        (GIVEN | {"ca": "c" * 10_001}, "ca"),
        (GIVEN | {"password": "a\rb"}, "password"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_field(values: dict[str, object], field: str):
    with pytest.raises(InvalidInput) as caught:
        check_form(FORM, values)
    assert caught.value.field == field


def test_only_a_long_text_has_lines():
    assert check_form(FORM, GIVEN | {"ca": "BEGIN\nEND"}).settings["ca"] == "BEGIN\nEND"


def test_there_are_no_other_fields():
    with pytest.raises(InvalidInput, match="no field"):
        check_form(FORM, GIVEN | {"is_admin": "1"})


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(InvalidForm) as caught:
        check_form(FORM, {"port": 0, "ca": "\x07"})
    assert [(fault.field, fault.message) for fault in caught.value.faults] == [
        ("host", "Host is missing."),
        ("port", "Port is out of bounds."),
        ("password", "Password is missing."),
        ("ca", "Certificate cannot be used."),
    ]
    assert caught.value.message.startswith("Host is missing. Port is")


def test_what_may_be_left_empty_is_known():
    assert {each.name for each in FORM if each.may_be_empty} == {"ca"}
