"""
Sending email.

With a mail server it is sent; without one, each message becomes a file in a folder, and the log says where: whoever
runs the installation can then hand the link on.
"""

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from core.domain.words.control_characters import replace_controls
from core.errors import AppError, ConfigurationError, InvalidInput, StorageError
from core.identifiers import new_id

_log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
_FOR_GOOD = 500
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Mail:
    """A message to one person. Line breaks in *to* or *subject* are refused, not sent."""

    to: str
    subject: str
    text: str


class Post(Protocol):
    """Who takes mail."""

    @property
    def detour(self) -> str:
        """Where mails lie until somebody passes them on, in words; "" where they go to the people themselves."""
        ...

    def send(self, mail: Mail) -> None:
        """
        Hand the mail over.

        Raises: StorageError: it was not taken; try again later. InvalidInput: it never will be, to this address.
        """
        ...


class SmtpPost:
    """
    A mail server.

    *url* is smtp://user:password@host:587 (STARTTLS, which must succeed unless it ends in ?plain=1) or
    smtps://user:password@host:465. Raises: ConfigurationError: it is neither.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._parts = urlsplit(url)
        self._sender = sender
        if self._parts.scheme not in _DEFAULT_PORTS or not self._parts.hostname:
            raise ConfigurationError(
                "HELIOGRAPH_SMTP_URL is not the address of a mail server.",
                hint="Write it as smtp://user:password@host:587 or smtps://user:password@host:465.",
            )
        self._port = self._parts.port or _DEFAULT_PORTS[self._parts.scheme]

    detour = ""

    def send(self, mail: Mail) -> None:
        """Hand the mail over. Raises: StorageError: the server did not take it. InvalidInput: nor will it."""
        message = compose(mail, self._sender)
        try:
            with self._connect() as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            # Not the error's own words: they may quote what the server was told.
            _log.warning("mail_not_sent", extra={"host": self._parts.hostname, "reason": type(error).__name__})
            raise _why(error, mail.to) from error
        _log.info("mail_sent", extra={"host": self._parts.hostname})

    def _connect(self) -> smtplib.SMTP:
        host = self._parts.hostname or ""
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if self._parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, self._port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, self._port, timeout=TIMEOUT_S)
        try:
            if self._parts.scheme == "smtp" and "plain=1" not in self._parts.query:
                server.starttls(context=context)
            if self._parts.username:
                server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server


class OutboxPost:
    """A folder: each mail is a file, readable by its owner only, since links in it open doors."""

    # Not its whole path: strangers read it on Forgot Password.
    detour = "the outbox folder of Heliograph's data"

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Write the mail down. Raises: StorageError: no room, or no such folder."""
        path = self._folder / f"{new_id()}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_bytes(compose(mail, self._sender).as_bytes())
        except OSError as error:
            raise StorageError("The email could not be saved.", hint="Check that the data folder has room.") from error
        # On purpose where whoever runs it looks: without a mail server nobody else can pass it on.
        _log.warning("mail_written", extra={"path": str(path)})


def compose(mail: Mail, sender: str) -> EmailMessage:
    """
    Return the message as it is sent.

    Raises: ValueError: a line break where it would start another header. InvalidInput: no single address to send to.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    # What the library reads is what it sends to: it may find another address in it, or several, or none.
    if [address.addr_spec for address in message["To"].addresses] != [mail.to]:
        raise _impossible(mail.to)
    message["Subject"] = replace_controls(mail.subject, is_prose=True)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    # Half a surrogate pair cannot be written down, and a mail must not fail over it again and again.
    message.set_content(replace_controls(mail.text, is_prose=True))
    return message


def _why(error: Exception, to: str) -> AppError:
    """Return what a server's refusal means: some will be the same tomorrow."""
    if isinstance(error, smtplib.SMTPNotSupportedError) and not to.isascii():
        return InvalidInput(
            f"The mail server cannot send to {to}: the address has letters beyond A to Z.",
            hint="Use an address without them.",
            field="email",
        )
    # 5xx is for good, 4xx for now (RFC 5321, 4.2.1).
    codes = [code for code, _ in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else []
    if codes and all(code >= _FOR_GOOD for code in codes):
        return InvalidInput(
            f"The mail server does not accept email for {to}.", hint="Check the address.", field="email"
        )
    return StorageError("The email could not be sent.", hint="Try again in a few minutes.")


def _impossible(to: str) -> InvalidInput:
    return InvalidInput(
        f"No mail can be sent to {to!r}.", hint="Enter one address, such as ada@example.com.", field="email"
    )
