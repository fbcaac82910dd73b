"""What the mails say, and that a name cannot make them say something else."""

import re
import smtplib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from core.errors import AppError, InvalidInput, StorageError
from core.mail.post import Mail, SmtpPost, compose
from core.services.people.mailing import Mailing, digest, new_token
from tests.support.fakes.mail import FakePost

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
TO = "ada@example.com"
Write = Callable[[Mailing, str], None]

MAILS: dict[str, Write] = {
    "invitation": lambda mailing, name: mailing.send_invitation(TO, name, name, "token-1", NOW),
    "reset": lambda mailing, name: mailing.send_reset(TO, name, "token-1", NOW),
    "confirmation": lambda mailing, name: mailing.send_email_confirmation(TO, name, "token-1", NOW),
    "password": lambda mailing, name: mailing.tell_password_changed(TO, name, NOW),
    "email": lambda mailing, name: mailing.tell_email_changed(TO, name, "new@example.com", NOW),
}
PATHS = {"invitation": "/invitation", "reset": "/reset", "confirmation": "/confirm-email"}


def written(name: str, mail: str, address: str = "https://sms.example.com/") -> tuple[str, str]:
    post = FakePost()
    MAILS[mail](Mailing(post, address), name)
    [found] = post.mails
    # It can be sent, too.
    assert compose(found, "Heliograph <heliograph@example.com>")["To"] == TO
    return found.subject, found.text


@pytest.mark.parametrize(("mail", "path"), PATHS.items())
def test_a_link_leads_to_its_page_and_the_mail_says_how_long(mail: str, path: str) -> None:
    _, text = written("Ada", mail)
    [line] = [line for line in text.splitlines() if line.startswith("https://")]
    parts = urlsplit(line)
    assert (parts.netloc, parts.path, parse_qs(parts.query)) == ("sms.example.com", path, {"token": ["token-1"]})
    assert "04 March 2026, 09:30 UTC" in text
    assert text.startswith("Hello Ada,\n")


@pytest.mark.parametrize("mail", ["password", "email"])
def test_news_hold_no_token(mail: str) -> None:
    _, text = written("Ada", mail)
    assert "token" not in text


@pytest.mark.parametrize("mail", MAILS)
def test_a_name_adds_no_header_no_line_and_no_link(mail: str) -> None:
    plain_subject, plain_text = written("Ada", mail)
    for name in (
        "Ada\r\nBcc: x@evil.example",
        "Ada\n\nClick https://evil.example",
        "Ada\x00\x1b[31m\u202e\u2028x",
        "www.evil.example",
        "<img src=//evil.example>",
    ):
        subject, text = written(name, mail)
        assert subject == plain_subject
        assert text.count("\n") == plain_text.count("\n")
        assert text.count("//") == plain_text.count("//")
        assert "www." not in text
        assert text.replace("\n", " ").isprintable()


# What mail programs look for when they make links: a host or a path after a dot, a mailbox, a scheme.
_LINKED = re.compile(r"[^\s.]\.[^\s.]|@|www\.|\w:\w|//", re.IGNORECASE)


@pytest.mark.parametrize(
    "name",
    [
        "evil.com",
        "Click evil.com/now",
        "WWW.evil",
        "Www.Evil.Com",
        "www",
        "a@evil.com",
        "mailto:a",
        "tel:112",
        "evil\uff0ecom",
        "evil。com",
        "evil｡com",
        "evil\u2024com",
        "https:\\\\evil.com",
        "\uff57\uff57\uff57\uff0eevil",
        "1.2.3.4",
        "J.R.R. Tolkien",
    ],
)
def test_no_mail_program_makes_a_link_of_a_name(name: str) -> None:
    greeting = written(name, "invitation")[1].splitlines()[0]
    inviter = written(name, "invitation")[1].splitlines()[2].partition(" invites you")[0]
    assert not _LINKED.search(greeting)
    assert not _LINKED.search(inviter)


def test_an_ordinary_name_is_left_alone() -> None:
    for name in ("Dr. Ada Lovelace", "O'Neill", "Žluťoučký Kůň", "Anne-Marie J. R. Smith"):
        assert written(name, "invitation")[1].startswith(f"Hello {name},\n")


@pytest.mark.parametrize("to", ["=?utf-8?q?a=40b.com=2c?=@x.com", "a@x..com", "a@b.com, c@d.com", ""])
def test_nothing_is_sent_to_an_address_the_library_reads_as_another(to: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compose(Mail(to, "Subject", "Text"), "Heliograph <heliograph@example.com>")
    assert caught.value.field == "email"


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (smtplib.SMTPRecipientsRefused({TO: (550, b"unknown")}), InvalidInput),
        (smtplib.SMTPRecipientsRefused({TO: (450, b"later")}), StorageError),
        (smtplib.SMTPServerDisconnected("gone"), StorageError),
        (OSError("away"), StorageError),
    ],
)
def test_a_refusal_for_good_is_told_from_one_for_now(
    refusal: Exception, kind: type[AppError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_post: SmtpPost) -> smtplib.SMTP:
        raise refusal

    monkeypatch.setattr(SmtpPost, "_connect", refuse)
    with pytest.raises(kind):
        SmtpPost("smtp://localhost", "Heliograph <h@localhost>").send(Mail(TO, "Subject", "Text"))


def test_nobody_without_a_name_is_greeted_oddly() -> None:
    assert written("", "reset")[1].startswith("Hello,\n")


def test_tokens_are_long_different_and_kept_as_a_digest() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(len(token) for token in tokens) == 43
    assert digest("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_a_mail_with_odd_characters_is_written_down_all_the_same():
    mail = Mail("ada@example.com", "To A\x00\ud800", "Hello \ud800\x00,\n\tthere.")
    written = compose(mail, "Heliograph <heliograph@example.com>")
    assert written.as_bytes()
    assert written.get_content() == "Hello \ufffd\ufffd,\n\tthere.\n"
