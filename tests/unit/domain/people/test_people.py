import pytest

from core.domain.people.people import check_email, check_name
from core.errors import InvalidInput


@pytest.mark.parametrize(
    "email",
    ["ada@example.com", " a.b+c@sub.example.co.uk ", "o'neill@example.com", "ü@exämple.de", "名@前.jp", "a=b@x-y.com"],
)
def test_emails_are_tidied(email: str) -> None:
    assert check_email(email) == email.strip()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b",
        "a@@b.com",
        "a b@c.de",
        "a@b.com\r\nBcc: x@evil.example",
        "a@b.com\nx@evil.example",
        "a@b.com, x@evil.example",
        "x@evil.example,a@b",
        "everybody,a@b.com",
        "a;b@c.de",
        "Ada <a@b.com>",
        "group:a@b.com",
        '"a\\"@b.com',
        "a@b.com\x00",
        "a\x7f@b.com",
        "a\u2028@b.com",
        "a\u202e@b.com",
        "a@" + "b" * 254 + ".com",
        # What the mail library cannot send to, or reads as another address: the first one is a@b.com to it.
        "=?utf-8?q?a=40b.com=2c?=@x.com",
        "a..b@x.com",
        ".a@x.com",
        "a.@x.com",
        "a@x..com",
        "a@.x.com",
        "a@-x.com",
        "a@x-.com",
        "a@x_y.com",
        "a@x.*",
        "a@x.com%0a",
        "a@1.2.3.4",
        "\U0001f600@x.com",
        "a@\U0001f600.com",
        "a@" + "b" * 64 + ".com",
        "a" * 65 + "@x.com",
    ],
)
def test_what_could_become_two_addresses_or_another_header_is_no_email(email: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_email(email)
    assert caught.value.field == "email"


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "a\u202eb"])
def test_names_are_short_and_visible(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_name(name)
    assert caught.value.field == "name"
