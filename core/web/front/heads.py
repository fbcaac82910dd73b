"""Which place a browser asks for, read from the head of its first request before anybody takes it."""

import re

from core.web.cookies import HOST_PREFIX

PLACE_COOKIE = "heliograph_place"
# No head that uvicorn would take is longer.
MOST_BYTES = 64 << 10
_COOKIE = re.compile(rb"\r\ncookie:[ \t]*([^\r\n]*)(?=\r\n)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,3}")


def place_cookie(*, secure: bool) -> str:
    """Return the name of the place's cookie."""
    return f"{HOST_PREFIX}{PLACE_COOKIE}" if secure else PLACE_COOKIE


def is_whole(head: bytes) -> bool:
    """Return whether nothing that comes after these first bytes changes whose connection it is."""
    return b"\r\n\r\n" in head or len(head) >= MOST_BYTES


def find_place(head: bytes, name: str) -> int | None:
    """Return the number of the place that the cookie *name* holds, None where there is none."""
    head = head.partition(b"\r\n\r\n")[0] + b"\r\n"
    values = [number_in(found.decode("latin-1"), name) for found in _COOKIE.findall(head)]
    return next((number for number in values if number is not None), None)


def number_in(cookies: str, name: str) -> int | None:
    """Return the number that the cookie *name* of a Cookie header holds, None where there is none."""
    for pair in cookies.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name and _NUMBER.fullmatch(value):
            return int(value)
    return None
