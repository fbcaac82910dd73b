"""Which place a browser asks for, read from the head of its first request before anybody takes it."""

import re

from core.web.guard.cookies import HOST_PREFIX

PLACE_COOKIE = "heliograph_place"
# No head that uvicorn would take is longer.
MOST_BYTES = 64 << 10
# As h11 takes it, which takes a bare line feed for the end of a line.
_END = re.compile(rb"\n\r?\n")
# A line that goes on in the next one, which RFC 9112 lets nobody send any more.
_FOLDED = re.compile(rb"\n[ \t]")
_NUMBER = re.compile(r"[0-9]{1,3}")


def place_cookie(*, secure: bool) -> str:
    """Return the name of the place's cookie."""
    return f"{HOST_PREFIX}{PLACE_COOKIE}" if secure else PLACE_COOKIE


def is_whole(head: bytes) -> bool:
    """Return whether nothing that comes after these first bytes changes whose connection it is."""
    return _END.search(head) is not None or len(head) >= MOST_BYTES or _is_no_request(head)


def find_refusal(head: bytes) -> bytes | None:
    """
    Return the answer to a whole head that no place is to see; None for one that may pass.

    A place would read another place's cookie out of it than is found here, and send the browser back for ever.
    """
    if _is_no_request(head):
        return _answer("400 Bad Request", "This is no HTTP. If it was TLS: it ends before Heliograph, in a proxy.")
    end = _END.search(head)
    if end is None:
        return _answer("431 Request Header Fields Too Large", "What the request says about itself is too long.")
    if _FOLDED.search(head, 0, end.start() + 1):
        return _answer("400 Bad Request", "The request has a header on several lines.")
    return None


def _is_no_request(head: bytes) -> bool:
    # As h11 has it: no method begins with such a byte, but a TLS hello does. Empty lines may come first.
    return head[:1] < b"!" and head[:1] not in {b"\r", b"\n"}


def _answer(status: str, text: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(text)}\r\n"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n{text}".encode()


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
