"""Providers' words for how far a message is, as SMPP's words, which the rest of the house knows."""

from collections.abc import Mapping

from core.domain.gateways.forms import Field, FieldKind
from core.domain.messages.receipts import RECEIPT_STATES
from core.errors import InvalidInput

_WORDS = {name: state.word for state in RECEIPT_STATES for name in (state.word, state.name)}
WORDS = tuple(state.word for state in RECEIPT_STATES)


def read_state(word: str, table: Mapping[str, str]) -> str:
    """
    Return SMPP's word for *word*: by *table*, whose keys are in lower case, or because it is one itself.

    Any other stays as it came: it is kept and shown, and proves nothing.
    """
    return table.get(word.lower()) or _WORDS.get(word.upper()) or word


def read_error_code(code: str) -> str:
    """Return an error code as it came, "" where it is the provider's number for none."""
    return "" if not code.strip("0") else code


def states_field(name: str, section: str, more_help: str = "") -> Field:
    """Return the field that asks what a provider's own words mean; what is filled in is for `parse_states`."""
    words = (
        f"One a line: delivered = DELIVRD. There are {', '.join(WORDS)}; those need no line. "
        "Words without a line are kept as they come, and neither deliver nor fail a message."
    )
    return Field(name, "Words for states", FieldKind.LONG_TEXT, section=section, help=f"{words} {more_help}".strip())


def parse_states(text: str, field: str) -> Mapping[str, str]:
    """Return SMPP's words by a provider's, those in lower case. Raises: InvalidInput, with the *field*."""
    table = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        theirs, mark, word = (part.strip() for part in line.rpartition("="))
        if not mark or not theirs or word.upper() not in WORDS:
            raise InvalidInput(
                f"The line {line[:40]!r} cannot be read.",
                hint=f"Write a word, = and one of {', '.join(WORDS)}.",
                field=field,
            )
        table[theirs.lower()] = word.upper()
    return table
