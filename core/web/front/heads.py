"""Which place a browser asks for, read from the head of its first request before anybody takes it."""

import re

from core.web.guard.cookies import HOST_PREFIX

PLACE_COOKIE = "heliograph_place"
# No head that uvicorn would take is longer.
MOST_BYTES = 64 << 10
# As h11 takes it, which takes a bare line feed for the end of a line.
_END = re.compile(rb"\n\r?\n")
_NUMBER = re.compile(r"[0-9]{1,3}")


def place_cookie(*, secure: bool) -> str:
    """Return the name of the place's cookie."""
    return f"{HOST_PREFIX}{PLACE_COOKIE}" if secure else PLACE_COOKIE


def is_whole(head: bytes) -> bool:
    """Return whether nothing that comes after these first bytes changes whose connection it is."""
    return _END.search(head) is not None or len(head) >= MOST_BYTES


def find_place(head: bytes, name: str) -> int | None:
    """Return the number of the place that the cookie *name* holds, None where there is none."""
    end = _END.search(head)
    # Cut apart rather than searched for: a stranger's line must not cost more the longer it is.
    lines = (line.partition(b":") for line in head[: end.start() if end else None].split(b"\n"))
    values = (number_in(value.decode("latin-1"), name) for key, _, value in lines if key.lower() == b"cookie")
    return next((number for number in values if number is not None), None)


def number_in(cookies: str, name: str) -> int | None:
    """Return the number that the cookie *name* of a Cookie header holds, None where there is none."""
    for pair in cookies.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name and _NUMBER.fullmatch(value):
            return int(value)
    return None
