"""SQL kept beside the module that runs it: a `.sql` file of blocks, each under a `-- name: x` line."""

import re
from importlib import resources

_PACKAGE = "core.history"
_NAME = re.compile(r"^-- name: (?P<name>\w+)\s*$", re.MULTILINE)


def load_statements(file_name: str) -> dict[str, str]:
    """
    Read the named blocks of `<folder>/<name>.sql` in the history, in file order.

    Raises: ValueError: text stands above the first name, or a name is given twice.
    """
    return parse_statements(resources.files(_PACKAGE).joinpath(file_name).read_text("utf-8"))


def parse_statements(text: str) -> dict[str, str]:
    """
    Return the named blocks of *text* in order.

    Raises: ValueError: as `load_statements`.
    """
    preamble, *rest = _NAME.split(text)
    if any(line and not line.startswith("--") for line in preamble.splitlines()):
        raise ValueError("SQL stands above the first name")
    blocks: dict[str, str] = {}
    for name, sql in zip(rest[::2], rest[1::2], strict=True):
        if name in blocks:
            raise ValueError(f"{name} is given twice")
        blocks[name] = sql.strip()
    return blocks
