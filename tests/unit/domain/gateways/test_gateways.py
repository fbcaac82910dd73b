import pytest

from core.domain.gateways.gateways import Connection, check_gateway_name
from core.errors import InvalidInput


def test_a_name_is_tidied():
    assert check_gateway_name("  Mitto   Berlin ") == "Mitto Berlin"


@pytest.mark.parametrize("name", ["", "ab", "a" * 41, "bad\x00name"])
def test_a_name_that_cannot_be_used(name: str):
    with pytest.raises(InvalidInput) as caught:
        check_gateway_name(name)
    assert caught.value.field == "name"


def test_secrets_do_not_show_where_a_connection_is_printed():
    assert "hunter2" not in repr(Connection("smpp", {}, {"password": "hunter2"}))
