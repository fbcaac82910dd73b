"""The JavaScript, CSS and HTML beside this file, read once."""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent


@cache
def read(*names: str) -> str:
    """Return the files *names* one after the other: components share code without a bundler."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
