"""Names that people give to lists and campaigns."""

from core.domain.words.counting import count_of
from core.errors import InvalidInput

# The guide's rule for campaigns; lists follow it.
NAME_MIN, NAME_MAX = 3, 50


def check_name(name: str, what: str) -> str:
    """Return *name* with its spaces tidied; *what* ("campaign") is for the error. Raises: InvalidInput."""
    tidy = " ".join(name.split())
    if not NAME_MIN <= len(tidy) <= NAME_MAX or not tidy.isprintable():
        has = f"has {count_of(len(tidy), 'character', 'characters')}" if tidy else "is missing"
        raise InvalidInput(
            f"The {what} name {has}." if tidy.isprintable() else f"The {what} name has an invisible character.",
            hint=f"Use {NAME_MIN} to {NAME_MAX} characters.",
            field="name",
        )
    return tidy
