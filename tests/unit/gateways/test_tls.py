import ssl

import pytest

from core.errors import InvalidInput
from core.gateways.tls import make_tls
from tests.support.processes.certificates import self_signed

CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----" + self_signed("127.0.0.1").decode().partition("-----BEGIN CERTIFICATE-----")[2]
)


@pytest.mark.parametrize("owner", ["", "# Issuer: NetLock Arany Főtanúsítvány\n", "発行者\n", "\ud83d\n"])
def test_only_the_given_authority_is_trusted_whatever_its_owner_is_called(owner: str):
    tls = make_tls(owner + CERTIFICATE)
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    assert len(tls.get_ca_certs()) == 1


@pytest.mark.parametrize("text", ["ü", "nope", "\x00", CERTIFICATE[:200], CERTIFICATE.replace("\n", "\nü", 3)])
def test_what_is_no_certificate_is_refused_with_its_field(text: str):
    with pytest.raises(InvalidInput) as refused:
        make_tls(text)
    assert refused.value.field == "ca"
