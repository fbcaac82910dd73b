"""Providers' words for how far a message is, as SMPP's words, which the rest of the house knows."""

from collections.abc import Mapping

from core.domain.messages.receipts import RECEIPT_STATES

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
