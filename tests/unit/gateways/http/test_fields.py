import pytest

from core.errors import ConfigurationError, InvalidInput
from core.gateways.callbacks import SignatureRefused
from core.gateways.http.fields import Answers, check_url, parse_networks, refuse_strangers
from core.gateways.infobip.form import FORM
from tests.contract.gateways.http.http_gateways import callback, connect

NETWORKS = parse_networks("192.0.2.0/24, 2001:db8::/32,198.51.100.7")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "198.51.100.7", "::ffff:192.0.2.7"])
def test_the_provider_s_networks_are_let_in(address: str):
    refuse_strangers(callback(address=address), NETWORKS)


@pytest.mark.parametrize("address", ["192.0.3.7", "2001:db9::1", "198.51.100.8", "", "unknown"])
def test_strangers_are_refused(address: str):
    with pytest.raises(SignatureRefused):
        refuse_strangers(callback(address=address), NETWORKS)
    refuse_strangers(callback(address=address), ())


@pytest.mark.parametrize("text", ["everywhere", "192.0.2.1/24", "192.0.2.0/99", "1.2.3.4;5.6.7.8"])
def test_what_is_no_network_is_refused(text: str):
    with pytest.raises(InvalidInput):
        parse_networks(text)


def test_an_address_is_kept_without_its_last_slash():
    assert check_url("https://api.example.com/") == "https://api.example.com"
    assert check_url("http://[::1]:8080/sms") == "http://[::1]:8080/sms"


def test_a_missing_secret_is_said_with_its_name():
    answers = Answers(FORM, connect(FORM, {"url": "https://x.api.infobip.com", "api_key": "k"}))
    assert answers.secret("api_key") == "k"
    connection = answers._connection
    object.__setattr__(connection, "secrets", {})
    with pytest.raises(ConfigurationError, match="API key of Test provider is missing"):
        answers.secret("api_key")


def test_a_field_that_was_added_later_has_its_default():
    connection = connect(FORM, {"url": "https://x.api.infobip.com", "api_key": "k"})
    object.__setattr__(connection, "settings", {"url": "https://x.api.infobip.com"})
    assert Answers(FORM, connection).limits().connections == 10
