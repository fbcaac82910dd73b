"""
What the error codes of gateways mean, in words, and what to do about them.

Every kind of gateway has a table of its own, a CSV file in `codes`, because providers number their errors as they like.
Codes for success are not in the tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from core.domain.data_files import read_table

CODES = Path(__file__).with_name("codes")
# Written for a code that means the same in an answer and in a receipt.
BOTH = "both"
# The kinds of gateway that have a table.
KINDS = ("infobip", "mitto", "simulator", "smpp", "twilio", "vonage")
_GSM_MAP = "gsm_map"
# Their answers to a submit are SMPP's command_status.
_WITH_COMMAND_STATUS = ("simulator", "smpp")
# Source: SMPP 3.4, section 5.1.3: four bytes. Eight digits without a prefix are those bytes as they are often printed.
_COMMAND_STATUS = re.compile(r"0x(?P<hex>[0-9a-f]{1,8})|(?P<bare>[0-9a-f]{8})|(?P<decimal>[0-9]{1,10})", re.IGNORECASE)
# Some libraries write both: "ESME_RTHROTTLED (0x00000058)".
_NAME_AND_STATUS = re.compile(r"(?P<name>ESME_\w+)(?:\s*\(.*\))?", re.IGNORECASE)
_MOST_STATUS = 0xFFFFFFFF


class Stage(StrEnum):
    """When a code came. Most providers number the errors of answers and of receipts separately."""

    SUBMIT = "submit"
    RECEIPT = "receipt"


class ErrorClass(StrEnum):
    """What to do about an error."""

    # Send the message again, later.
    TEMPORARY = "temporary"
    # This message has failed for good, which says nothing about others.
    PERMANENT = "permanent"
    # Other messages would fail as well: credit, credentials, sender, limits, settings. Pause, and tell a person.
    ACCOUNT = "account"
    # Nobody can say: do not send again, and draw no conclusions.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ErrorMeaning:
    """
    A code in words.

    *text* is a phrase without a full stop; *name* is what the standard or the provider calls the code, "" without one.
    *is_certain* is False if the gateway's own list is not known and the code is read as most providers use it.
    """

    text: str
    error_class: ErrorClass
    name: str = ""
    is_certain: bool = True

    @property
    def inline(self) -> str:
        """The text as it stands within a sentence."""
        return self.text[0].lower() + self.text[1:]


def find_meaning(kind: str, code: str, stage: Stage) -> ErrorMeaning | None:
    """
    Return what *code* of a gateway of *kind* means at *stage*; None if nobody knows, or there is no code.

    The code may be written in other ways than in the table: with leading zeros, by its name, or as any command_status
    that `read_command_status` takes. Receipts of a kind without a list of their codes are read as GSM MAP, which is not
    certain.
    """
    own = _table(kind) if kind in KINDS else _NO_TABLE
    key = _key(kind, code, stage)
    if stage is Stage.SUBMIT or stage in own.stages:
        return own.find(stage, key)
    usual = _table(_GSM_MAP).find(stage, key)
    return replace(usual, is_certain=False) if usual else None


def classify(kind: str, code: str, stage: Stage) -> ErrorClass:
    """Return what to do about *code*: unknown if it is not listed, or if its meaning is not certain."""
    meaning = find_meaning(kind, code, stage)
    return meaning.error_class if meaning and meaning.is_certain else ErrorClass.UNKNOWN


def write_command_status(status: int) -> str:
    """Return the command_status of an SMPP answer (0 to 2**32 - 1) as it is kept as a message's error code."""
    return f"0x{status:08X}"


def read_command_status(text: str) -> str | None:
    """
    Return a command_status as `write_command_status` does; None if *text* is none.

    It may be hexadecimal ("0x58", "00000058"), decimal ("88") or one of the standard's names ("ESME_RTHROTTLED").
    """
    stripped = text.strip()
    if found := _COMMAND_STATUS.fullmatch(stripped):
        digits = found["hex"] or found["bare"]
        status = int(digits, 16) if digits else int(found["decimal"])
        return write_command_status(status) if status <= _MOST_STATUS else None
    named = _NAME_AND_STATUS.fullmatch(stripped)
    return _statuses().get(named["name"].upper()) if named else None


def _key(kind: str, code: str, stage: Stage) -> str:
    """Return *code* as the tables spell it."""
    if stage is Stage.SUBMIT and kind in _WITH_COMMAND_STATUS:
        return read_command_status(code) or code
    stripped = code.strip()
    if stripped.isdigit():
        return stripped.lstrip("0") or stripped
    return stripped.upper()


@dataclass(frozen=True)
class _Table:
    """A kind's meanings by stage and code, and by name: a name means the same at every stage."""

    stages: frozenset[Stage]
    by_code: Mapping[tuple[Stage, str], ErrorMeaning]
    by_name: Mapping[str, ErrorMeaning]

    def find(self, stage: Stage, key: str) -> ErrorMeaning | None:
        return self.by_code.get((stage, key)) or self.by_name.get(key)


_NO_TABLE = _Table(frozenset(), {}, {})


@cache
def _table(kind: str) -> _Table:
    by_code, by_name = {}, {}
    for row in read_table(CODES / f"{kind}.csv"):
        meaning = ErrorMeaning(row["meaning"], ErrorClass(row["class"]), row["name"])
        for stage in Stage if row["stage"] == BOTH else (Stage(row["stage"]),):
            by_code[stage, row["code"]] = meaning
        if meaning.name:
            by_name[meaning.name.upper()] = meaning
    return _Table(frozenset(stage for stage, _ in by_code), by_code, by_name)


@cache
def _statuses() -> Mapping[str, str]:
    return {row["name"]: row["code"] for row in read_table(CODES / "smpp.csv")}
