import pytest

from core.web.guard.next_page import safe_next


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "campaigns",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "https://evil.example/",
        "https:/evil.example",
        "javascript:alert(1)",
        "/./\\evil.example",
        "/.//evil.example",
        "/a/..//evil.example",
        "/x\x00",
        "/x\r\nSet-Cookie: a=b",
        "/x\u2028y",
        "/" + "a" * 3_000,
        "@evil.example",
        "/login",
        "/login?next=/login",
        "/login/",
        "/setup",
        "/session/ping",
        "/_stcore/metrics",
        "/static/js/index.js",
        "/assets/logo.svg",
        "/healthz",
    ],
)
def test_anything_but_a_page_of_ours_becomes_the_home_page(wanted: str) -> None:
    assert safe_next(wanted) == "/"


@pytest.mark.parametrize(
    "wanted", ["/", "/campaigns", "/campaign?id=42", "/campaign?url=https://x.example//y", "/logins", "/a%20b", "/a@b"]
)
def test_pages_of_ours_are_kept(wanted: str) -> None:
    assert safe_next(wanted) == wanted
