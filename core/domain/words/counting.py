"""Numbers with their words: one of a thing is said otherwise than several."""


def agree(count: int, one: str, several: str) -> str:
    """Return the word that goes with *count*: "has" with 1, "have" with 0 and 2."""
    return one if count == 1 else several


def count_of(count: int, one: str, several: str) -> str:
    """Return the number with its noun: "1 row", "2,000 rows"."""
    return f"{count:,} {agree(count, one, several)}"
