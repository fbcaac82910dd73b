import ssl

import pytest

from core.gateways.network_faults import describe_fault


def error_of_tls(reason: str = "", verify_message: str = "") -> ssl.SSLError:
    error = ssl.SSLCertVerificationError() if verify_message else ssl.SSLError()
    error.reason, error.verify_message = reason, verify_message
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (error_of_tls("WRONG_VERSION_NUMBER"), "TLS with a.example, port 2775 failed: it does not speak TLS."),
        (error_of_tls("NO_CIPHERS_AVAILABLE"), "TLS with a.example, port 2775 failed: NO_CIPHERS_AVAILABLE."),
        (error_of_tls(), "TLS with a.example, port 2775 failed: it does not speak TLS."),
        (
            error_of_tls(verify_message="certificate is not valid for 'a.example'."),
            "The certificate of a.example, port 2775 is not trusted: certificate is not valid for 'a.example'.",
        ),
        (ConnectionResetError(), "The connection to a.example, port 2775 was closed by the other side."),
    ],
)
def test_a_fault_is_told_in_one_sentence(error: Exception, words: str) -> None:
    assert describe_fault(error, "a.example", 2775) == words
