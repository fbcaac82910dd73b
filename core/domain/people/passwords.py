"""Passwords: the guide's rule, and a refusal of those that everybody tries first."""

import re
from importlib import resources

from core.domain.people.disguises import is_about, words_about
from core.errors import InvalidInput

RULES = (
    (r".{8,}", "at least 8 characters"),
    (r"[A-Z]", "an upper case letter"),
    (r"[a-z]", "a lower case letter"),
    (r"\d", "a number"),
    (r"[^A-Za-z0-9]", "a special character"),
)
MAX = 200

# Words behind the passwords that are found most often in leaked collections. The rule makes people write them with a
# capital, a digit and a mark, as in "P@ssw0rd1!"; so what is compared is the word behind that.
_COMMON = frozenset(resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8").split())
_LOOK_ALIKES = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t"})
_ROWS = ("0123456789", "9876543210", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")


def check_password(password: str, *about: str) -> str:
    """
    Return the password unchanged.

    Args:
        password: As typed.
        about: What others know of the person, such as name and email: a password must not be made of it.

    Raises: InvalidInput: it breaks the rule (says which part), or is one of the first that anybody would try.
    """
    missing = [words for pattern, words in RULES if not re.search(pattern, password, re.DOTALL)]
    if missing:
        raise InvalidInput("The password is too weak.", hint=f"It needs {', '.join(missing)}.", field="password")
    if len(password) > MAX:
        raise InvalidInput(
            f"The password is longer than {MAX} characters.", hint="Choose a shorter one.", field="password"
        )
    if not _is_text(password):
        raise InvalidInput("The password contains an invalid character.", hint="Type another one.", field="password")
    if is_common(password, *about):
        raise InvalidInput(
            "This password is one of the first that an attacker would try.",
            hint="Use several words that have nothing to do with each other or with you.",
            field="password",
        )
    return password


def is_common(password: str, *about: str) -> bool:
    """Return whether *password* is a common word, a row of keys, or made of what is known of the person, disguised."""
    return any(_is_made_of(core, _COMMON) for core in _cores(password)) or is_about(
        password, words_about(*about), _COMMON
    )


def _is_text(password: str) -> bool:
    """Whether it can be written down: half of a surrogate pair, as a terminal gives it, cannot."""
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cores(password: str) -> set[str]:
    """Return what may be behind *password*: without decoration at its ends, look-alikes read as letters or not."""
    lowered = password.lower()
    found = set()
    for text in (lowered, lowered.translate(_LOOK_ALIKES)):
        found |= {re.sub(r"[^a-z]", "", text), re.sub(r"^[^a-z]+|[^a-z]+$", "", text)}
        found.add(re.sub(r"^[^a-z]+|[^a-z]+$", "", lowered).translate(_LOOK_ALIKES))
    return found


def _is_made_of(core: str, known: frozenset[str]) -> bool:
    """Whether nothing but one known word, written once or twice, a repeated character or a row of keys is left."""
    if len(set(core)) <= 1 or core in known:
        return True
    half = core[: len(core) // 2]
    return (half + half == core and half in known) or any(core in row for row in _ROWS)
