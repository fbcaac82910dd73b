"""The shared cases of measuring a text, and random texts that come near every boundary."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from core.domain.texts.encoding import GSM7_ALPHABET, GSM7_EXTENSION

PATH = Path(__file__).parents[2] / "data" / "segment_vectors.json"

BASIC = "".join(sorted(set(GSM7_ALPHABET) - {"\x1b"}))
EXTENDED = "".join(GSM7_EXTENSION)
BMP = "яŁç\t\x00\x1b\u00a0\u200b\u200d\u200f\ufeff\ufffd\uffff好`"
ASTRAL = "🎉👩🇩𠮷\U00010000\U0010ffff"


@dataclass(frozen=True)
class Vector:
    """A text and its measure, worked out by hand from 3GPP TS 23.038 and 23.040."""

    name: str
    text: str
    encoding: str
    characters: int
    units: int
    segments: int


def load_vectors() -> list[Vector]:
    """Return the cases in file order."""
    return [Vector(**case) for case in json.loads(PATH.read_text("utf-8"))]


def random_texts(count: int, seed: int) -> list[str]:
    """
    Return *count* texts, each of up to four kinds of characters in a random mixture.

    Lengths gather around one to eleven segments of either encoding, where miscounting shows.
    """
    chance = random.Random(seed)
    return [_random_text(chance) for _ in range(count)]


def _random_text(chance: random.Random) -> str:
    kinds = chance.sample([BASIC, "a", EXTENDED, "€", BMP, ASTRAL, "🎉"], chance.randint(1, 4))
    shares = [chance.random() ** 3 / len(kind) for kind in kinds]
    weights = [share for kind, share in zip(kinds, shares, strict=True) for _ in kind]
    capacity = chance.choice((67, 70, 153, 160))
    length = max(0, capacity * chance.randint(0, 11) // chance.randint(1, 2) + chance.randint(-4, 4))
    return "".join(chance.choices("".join(kinds), weights, k=length))
