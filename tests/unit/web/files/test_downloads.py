from pathlib import Path

import pytest

from core.domain.reports.exports import ExportFormat
from core.services.reports.exporting import Download
from core.web.guard.cookies import SESSION_COOKIE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.clock import StoppedClock
from tests.support.fakes.fake_sign_in import ADA, BEN, FakeApplication, FakeSignIn

EXPORT = "0197f000-0000-7000-8000-000000000001"


@pytest.fixture
def signed_in(browser: Browser, sign_in: FakeSignIn, clock: StoppedClock) -> Browser:
    browser.cookies[SESSION_COOKIE] = sign_in.start(ADA, clock())
    browser.html = False
    return browser


@pytest.fixture
def file(application: FakeApplication, tmp_path: Path) -> bytes:
    path = tmp_path / "x.export"
    path.write_bytes(b"some rows")
    for viewer, export_id in ((ADA, EXPORT), (BEN, EXPORT.replace("1", "2"))):
        name = "Messages 2026-03-01.csv"
        application.reports.exporting.files[viewer.user_id, export_id] = Download(path, name, ExportFormat.CSV)
    return path.read_bytes()


def test_the_owner_gets_the_file_under_its_name(signed_in: Browser, file: bytes) -> None:
    answer = signed_in.get(f"/downloads/{EXPORT}")
    assert (answer.status, answer.body) == (200, file)
    assert answer.header("content-type") == "text/csv; charset=utf-8"
    assert "attachment" in answer.header("content-disposition")
    assert "Messages%202026-03-01.csv" in answer.header("content-disposition")
    assert answer.header("cache-control") == "no-store"


def test_anybody_elses_file_is_not_there(signed_in: Browser, file: bytes) -> None:
    foreign, missing = (signed_in.get(f"/downloads/{EXPORT.replace('1', digit)}") for digit in "29")
    assert (foreign.status, foreign.body) == (missing.status, missing.body)
    assert foreign.status == 404
    assert file not in foreign.body


def test_a_stranger_gets_nothing(browser: Browser, file: bytes) -> None:
    browser.html = False
    assert browser.get(f"/downloads/{EXPORT}").status == 401


@pytest.mark.parametrize("path", ["/downloads/", "/downloads/..%2f..%2fstate.sqlite", "/downloads/x.export"])
def test_only_an_id_names_a_file(signed_in: Browser, file: bytes, path: str) -> None:
    # What is no download is Streamlit's.
    assert signed_in.get(path).body == b"inside"
