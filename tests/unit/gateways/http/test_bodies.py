"""Bodies of callbacks are read in the letters they are written in, whatever is said of them."""

from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from core.gateways.callbacks import CallbackRequest
from core.gateways.http.bodies import read_document

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def read(body: bytes, kind: str = FORM, query: str = "", method: str = "POST") -> object:
    headers = {"content-type": kind}
    return read_document(CallbackRequest(method, "", query, headers, body, "", datetime(2026, 11, 30, tzinfo=UTC)))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
@pytest.mark.parametrize("text", ["ARRÊT", "PARAR", "détenir çela ïci"])
def test_a_form_may_be_written_in_the_letters_of_windows(text: str, encoding: str):
    octets = text.encode(encoding)
    assert read(b"text=" + quote_plus(octets).encode()) == {"text": text}
    assert read(b"text=" + octets.replace(b" ", b"+")) == {"text": text}
    assert read(b"", query=f"text={quote_plus(octets)}", method="GET") == {"text": text}


@pytest.mark.parametrize("kind", [FORM, JSON, f"{JSON}; charset=iso-8859-1", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_json_may_be_written_in_the_letters_of_windows(kind: str, encoding: str):
    assert read('{"text": "ARRÊT"}'.encode(encoding), kind) == {"text": "ARRÊT"}


def test_a_text_cut_within_a_character_is_still_utf_8():
    assert read(b"text=" + quote_plus("é à 😀".encode()[:-2]).encode()) == {"text": "é à \ufffd"}


def test_a_body_of_line_ends_leaves_what_the_address_says():
    assert read(b"\r\n", query="id=1&status=delivered") == {"id": "1", "status": "delivered"}
