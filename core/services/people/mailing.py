"""The mails Heliograph writes, and the tokens in their links."""

import hashlib
import re
import secrets
from datetime import UTC, datetime

from core.domain.words.characters import normalize
from core.mail.post import Mail, Post

INVITATION_PATH = "/invitation"
RESET_PATH = "/reset"
CONFIRM_EMAIL_PATH = "/confirm-email"

PRODUCT = "Heliograph"
_NAME_MAX = 100


def new_token() -> str:
    """Return 256 random bits that fit into an address."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Return what the store keeps of a token: SHA-256 in hex. A token is random, so no slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Mailing:
    """
    Words for each occasion, in plain text.

    Every method raises StorageError when the mail was not taken. Names were written by people: they lose line
    breaks, control characters and what would make a link of them.
    """

    def __init__(self, post: Post, address: str) -> None:
        """Take who carries the mail, and where people reach Heliograph (`Settings.address`)."""
        self._post = post
        self._address = address.rstrip("/")

    @property
    def detour(self) -> str:
        """
        Say where a mail is when no mail server is set, one sentence; "" where it is on its way.

        Whoever is told "the link goes to …" would wait for it in vain.
        """
        where = self._post.detour
        return f"No mail server is set: the email is in {where}, for whoever runs it to pass on." if where else ""

    def send_invitation(self, email: str, name: str, inviter: str, token: str, expires_at: datetime) -> None:
        """Ask *name* to come in; the link is good until *expires_at*."""
        self._send(
            email,
            f"Your invitation to {PRODUCT}",
            _hello(name),
            f"{_shown(inviter) or 'An administrator'} invites you to {PRODUCT}, where SMS campaigns are written, sent "
            "and followed. Choose a password here:",
            self._link(INVITATION_PATH, token),
            f"The link works once, until {_moment(expires_at)}. If it has expired, ask for another one.",
            "If you did not expect an invitation, ignore this email.",
        )

    def send_reset(self, email: str, name: str, token: str, expires_at: datetime) -> None:
        """Send the link by which *name* chooses a new password until *expires_at*."""
        self._send(
            email,
            f"Choose a new password for {PRODUCT}",
            _hello(name),
            "somebody, probably you, asked for a new password. Choose it here:",
            self._link(RESET_PATH, token),
            f"The link works once, until {_moment(expires_at)}.",
            "If it was not you, ignore this email: your password stays as it is.",
        )

    def tell_password_changed(self, email: str, name: str, now: datetime) -> None:
        """Tell *name* that there is a new password since *now*."""
        self._send(
            email,
            f"Your password for {PRODUCT} was changed",
            _hello(name),
            f"your password was changed on {_moment(now)}.",
            f"If it was not you, choose another one immediately and tell your administrator:\n{self._address}/forgot",
        )

    def send_email_confirmation(self, new_email: str, name: str, token: str, expires_at: datetime) -> None:
        """Ask at *new_email* whether *name* reads mail there; the link is good until *expires_at*."""
        self._send(
            new_email,
            f"Confirm your new email for {PRODUCT}",
            _hello(name),
            "you asked to log in with this email from now on. Confirm it here:",
            self._link(CONFIRM_EMAIL_PATH, token),
            f"The link works once, until {_moment(expires_at)}. Until you confirm, your email stays as it is.",
            "If it was not you, ignore this email.",
        )

    def tell_email_taken(self, email: str) -> None:
        """Tell whoever reads mail at *email* that somebody else wanted to log in with it, which cannot be."""
        self._send(
            email,
            f"Your email for {PRODUCT}",
            "Hello,",
            f"somebody wants to log in to {PRODUCT} with this email. It already belongs to an account, so nothing was "
            "changed.",
            f"If it was you, log in with it, or choose a new password:\n{self._address}/forgot",
            "If it was not you, ignore this email.",
        )

    def tell_email_changed(self, old_email: str, name: str, new_email: str, now: datetime) -> None:
        """Tell *name* at *old_email* that *new_email* has taken its place."""
        self._send(
            old_email,
            f"Your email for {PRODUCT} was changed",
            _hello(name),
            f"since {_moment(now)}, you log in with {new_email} instead of this address.",
            "If it was not you, tell your administrator immediately.",
        )

    def _link(self, path: str, token: str) -> str:
        return f"{self._address}{path}?token={token}"

    def _send(self, to: str, subject: str, *paragraphs: str) -> None:
        self._post.send(Mail(to, subject, "\n\n".join((*paragraphs, PRODUCT)) + "\n"))


def _shown(name: str) -> str:
    """
    Return *name* so that no mail program makes a link of it: the link would not be ours.

    They look for addresses: evil.com, WWW.evil, a@evil.com, tel:112, //evil, and the dots of other scripts, which NFKC
    turns into ours. A dot that ends a word ("Dr.") is none.
    """
    visible = "".join(character if character.isprintable() else " " for character in name)
    plain = normalize("NFKC", visible)
    harmless = re.sub(r"[.\u3002](?=\S)", ". ", re.sub(r"[/\\@:]", " ", plain))
    return " ".join(re.sub(r"\bwww\b\.?", "www", harmless, flags=re.IGNORECASE).split())[:_NAME_MAX]


def _hello(name: str) -> str:
    return f"Hello {_shown(name)},".replace(" ,", ",")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %B %Y, %H:%M} UTC"
