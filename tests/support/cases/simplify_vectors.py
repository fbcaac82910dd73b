"""The shared cases of simplifying a text, and random texts full of what is replaced."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from core.domain.texts.simplifying import REPLACEMENTS
from tests.support.cases.segment_vectors import ASTRAL, BASIC, BMP, EXTENDED

PATH = Path(__file__).parents[2] / "data" / "simplify_vectors.json"

REPLACED = "".join(REPLACEMENTS)
# What must stay: joiners, marks of direction, accents that combine, selectors, half a family, controls, look-alikes.
KEPT = "\u200c\u200d\u200e\u200f\u202a\u202e\u2066\u2069\u0301\u036a\ufe0f👨👧🏽🇩\x01\x1b\x7f\u2025\u2e3a\u02bc\uff0d"


@dataclass(frozen=True)
class Vector:
    """A text, what it is simplified to, and the encoding and number of segments of that; worked out by hand."""

    name: str
    text: str
    simplified: str
    encoding: str
    segments: int


def load_vectors() -> list[Vector]:
    """Return the cases in file order."""
    return [Vector(**case) for case in json.loads(PATH.read_text("utf-8"))]


def random_texts(count: int, seed: int) -> list[str]:
    """Return *count* texts, each of up to four kinds of characters, around one to five segments of either encoding."""
    chance = random.Random(seed)
    return [_random_text(chance) for _ in range(count)]


def _random_text(chance: random.Random) -> str:
    kinds = chance.sample([REPLACED, "\u2026", "\u200b", KEPT, BASIC, "a", EXTENDED, BMP, ASTRAL], chance.randint(1, 4))
    shares = [chance.random() ** 3 / len(kind) for kind in kinds]
    weights = [share for kind, share in zip(kinds, shares, strict=True) for _ in kind]
    length = max(0, chance.choice((67, 70, 153, 160)) * chance.randint(0, 5) + chance.randint(-4, 4))
    return "".join(chance.choices("".join(kinds), weights, k=length))
