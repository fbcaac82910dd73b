"""Whoever sends a mail is told where it is, when no mail server is set."""

from pathlib import Path

from core.mail.post import OutboxPost, SmtpPost
from core.services.people.mailing import Mailing


def test_without_a_mail_server_the_sentence_names_the_folder(tmp_path: Path):
    told = Mailing(OutboxPost(tmp_path / "outbox", "heliograph@example.com"), "http://localhost").detour
    assert "No mail server is set" in told
    assert "outbox" in told
    assert str(tmp_path) not in told


def test_with_a_mail_server_there_is_nothing_to_say():
    assert Mailing(SmtpPost("smtp://mail.example.com", "heliograph@example.com"), "http://localhost").detour == ""
