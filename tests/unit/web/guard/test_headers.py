import re

import pytest

from core.web.guard.headers import FILES_POLICY, OWN_PAGES_POLICY, STREAMLIT_POLICY
from core.web.guard.next_page import ENTRANCE
from tests.support.fakes.asgi import Browser
from tests.support.fakes.fake_sign_in import LINK, FakeSignIn

LINKS = [f"{path}?token={LINK}" for path in ("/reset", "/invitation", "/confirm-email")]
OWN_SOURCES = {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:", "sandbox"}


@pytest.mark.parametrize("path", ["/login", "/", "/healthz", "/static/x.js", "/assets/logo.svg", "/favicon.ico"])
def test_every_answer_carries_the_headers(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "same-origin"
    assert answer.header("permissions-policy").startswith("camera=()")
    assert answer.header("content-security-policy")


@pytest.mark.parametrize("policy", [OWN_PAGES_POLICY, STREAMLIT_POLICY, FILES_POLICY])
def test_no_policy_allows_another_host(policy: str) -> None:
    for directive in policy.split("; "):
        assert set(directive.split(" ")[1:]) <= OWN_SOURCES, directive
    assert policy.startswith("default-src")


def test_login_page_allows_no_inline_script_and_no_frame(browser: Browser, sign_in: FakeSignIn) -> None:
    answer = browser.get("/login")
    assert "unsafe" not in answer.header("content-security-policy")
    assert answer.header("x-frame-options") == "DENY"


@pytest.mark.parametrize("path", ["/login?ended=idle", "/setup", "/forgot", *LINKS, *(f"{path}x" for path in LINKS)])
def test_own_pages_hold_nothing_their_policy_forbids(browser: Browser, sign_in: FakeSignIn, path: str) -> None:
    if path == "/setup":
        sign_in.viewers.clear()
    text = browser.get(path).text
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=)", text)
    assert all(
        link == "/" or link.startswith(("/assets/", *ENTRANCE))
        for link in re.findall(r'(?:src|href|action)="([^"#]*)', text)
    )


def test_people_s_files_are_never_run(browser: Browser) -> None:
    assert browser.get("/media/x.svg").header("content-security-policy") == FILES_POLICY


def test_every_asset_a_page_names_exists(browser: Browser) -> None:
    for path in set(re.findall(r'"(/assets/[^"]+)"', browser.get("/login").text)):
        answer = browser.get(path)
        assert answer.status == 200
        assert "immutable" in answer.header("cache-control")
    assert browser.get("/assets/nothing.js").status == 404
    assert browser.get("/assets/logo.svg").header("cache-control") == ""
