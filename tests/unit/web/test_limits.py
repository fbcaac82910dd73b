import pytest

from core.web.limits import FORM_MAX_BYTES
from tests.support.asgi import Browser
from tests.support.fake_sign_in import FakeSignIn

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/login", "/setup"])
@pytest.mark.parametrize("piece_count", [1, 10])
def test_oversized_form_is_refused_however_it_arrives(
    browser: Browser, sign_in: FakeSignIn, path: str, piece_count: int
) -> None:
    piece = b"x" * (FORM_MAX_BYTES // piece_count + 1)
    assert browser.ask("POST", path, FORM | {"content-length": "1"}, [piece] * piece_count).status == 413
    assert sign_in.addresses == []


def test_form_at_the_limit_is_read(browser: Browser) -> None:
    assert browser.ask("POST", "/login", FORM, [b"a=", b"x" * (FORM_MAX_BYTES - 2)]).status == 400


def test_other_paths_have_their_own_limits(browser: Browser) -> None:
    browser.html = False
    assert browser.ask("PUT", "/_stcore/upload_file/s/f", {}, [b"x" * (FORM_MAX_BYTES + 1)]).status == 401
