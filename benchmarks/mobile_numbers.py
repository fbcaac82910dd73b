"""Mobile numbers without end, for benchmarks that import lists."""

# Beginnings with how many digits a full number has, country code included. Several countries, so that the numbers
# engine meets more than one plan.
_RANGES = (
    ("49179", 12),
    ("33612", 11),
    ("447400", 12),
    ("34612", 11),
    ("48501", 11),
    ("39347", 12),
    ("905321", 12),
    ("43664", 12),
)


def mobile_number(index: int) -> str:
    """Return the digits of the *index*-th number, each once, from all ranges in turn."""
    start, length = _RANGES[index % len(_RANGES)]
    return start + str(index // len(_RANGES)).zfill(length - len(start))
