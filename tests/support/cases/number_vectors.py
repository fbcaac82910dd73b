"""
The shared cases of reading a phone number: what becomes a chip in the browser, and what the server makes of it.

They judge alike but for what only the server knows: a country's numbering plan (`PLAN_FAULTS`), and with it the zero
that is written after the country code and not dialled, and what a slash stands for. Such pieces stay as typed.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from core.domain.numbering.faults import MsisdnFault

PATH = Path(__file__).parents[2] / "data" / "number_vectors.json"

# What a number of a possible length can still be refused for.
PLAN_FAULTS = frozenset(
    {
        *(MsisdnFault.INVALID, MsisdnFault.TOO_SHORT, MsisdnFault.TOO_LONG, MsisdnFault.NO_COUNTRY),
        *(MsisdnFault.TWO_NUMBERS, MsisdnFault.TWO_READINGS),
    },
)


@dataclass(frozen=True)
class Vector:
    """One number as typed; *chip* and *msisdn* are None where it is refused, by the server for the reason *fault*."""

    name: str
    text: str
    chip: str | None
    msisdn: str | None
    fault: str | None


def load_vectors() -> list[Vector]:
    """Return the cases in file order."""
    return [Vector(**case) for case in json.loads(PATH.read_text("utf-8"))]


def random_numbers(count: int, seed: int) -> list[str]:
    """Return up to *count* texts that are nearly numbers; none is blank, none holds a separator of numbers."""
    chance = random.Random(seed)
    texts = [_random_number(chance) for _ in range(count)]
    return [text for text in texts if text.strip()]


def _random_number(chance: random.Random) -> str:
    start = chance.choice(
        ["", "", "+", "00", "+ ", "(+", "0", "++", "\uff0b", "\u202a+", "\u0660\u0660", "tel:", "Tel: +"]
    )
    code = chance.choice(["49179", "49", "490", "1541", "44(0)7", "881", "210", "0", ""])
    odd = chance.choice(
        [
            *(" ", " ", "-", ".", ".0", ".00", ".5", "/", " / ", "(0)", "(2)", "'", '="', "(0\ufeff)", "(2\ufeff)"),
            *("\u00a0", "\u2011", "\u200f", "\u0663", "\uff15", "a", "+", "*"),
        ]
    )
    digits = [chance.choice("0123456789") for _ in range(chance.choice([*range(13), 7, 8, 8, 9]))]
    for _ in range(chance.choice([0, 0, 1, 1, 2])):
        digits.insert(chance.randint(0, len(digits)), odd)
    # Copies from an address book end with marks that nobody sees, and a spreadsheet writes a minus.
    end = chance.choice(["", "", "", "", "\u202c", "\ufeff", "\x1c", ")", "-", " \u200b"])
    return chance.choice(["", "", "", "", "", "-", "\u200e", "\u2212"]) + start + code + "".join(digits) + end
