"""A post office that keeps what it is given."""

import re
from dataclasses import dataclass, field

from core.errors import StorageError
from core.mail.post import Mail


@dataclass
class FakePost:
    """Follows `core.mail.post.Post`; *broken* as a mail server that does not answer."""

    mails: list[Mail] = field(default_factory=list)
    broken: bool = False
    detour: str = ""

    def send(self, mail: Mail) -> None:
        if self.broken:
            raise StorageError("The email could not be sent.", hint="Try again in a few minutes.")
        self.mails.append(mail)


def token_in(mail: Mail) -> str:
    """Return the token of the mail's one link."""
    [token] = re.findall(r"\?token=(\S+)", mail.text)
    return token
