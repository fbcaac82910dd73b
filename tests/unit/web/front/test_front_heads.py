import time

import pytest

from core.web.front.heads import MOST_BYTES, PLACE_COOKIE, find_place, find_refusal, is_whole, place_cookie


def head(*lines: str) -> bytes:
    return "\r\n".join(["GET / HTTP/1.1", "Host: a", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ((), None),
        (("Cookie: heliograph_place=1",), 1),
        (("cookie:heliograph_place=12; a=b",), 12),
        (("Cookie: a=b; heliograph_place=0; c=d",), 0),
        (("Cookie: a=b", "Cookie: heliograph_place=3"), 3),
        (("Cookie: xheliograph_place=1",), None),
        (("Cookie: heliograph_place=",), None),
        (("Cookie: heliograph_place=-1",), None),
        (("Cookie: heliograph_place=1x",), None),
        (("Cookie: heliograph_place=9999",), None),
        (("Cookie: heliograph_place=\u0661",), None),
        (("X-Note: heliograph_place=1",), None),
        (("Cookie: a=\xff; heliograph_place=1",), 1),
        (("Cookie: heliograph_place=1\nX-Note: a",), 1),
        (("X-Note: a\nCookie: heliograph_place=1",), 1),
    ],
)
def test_a_place_is_a_number_in_its_cookie_and_nothing_else(lines: tuple[str, ...], number: int | None):
    text = [line.encode("utf-8").decode("latin-1") for line in lines]
    assert find_place(head(*text), PLACE_COOKIE) == number


def test_what_a_body_says_is_no_place():
    assert find_place(head() + b"\r\nCookie: heliograph_place=1\r\n", PLACE_COOKIE) is None


def test_over_tls_the_cookie_is_bound_to_this_host():
    name = place_cookie(secure=True)
    assert name == "__Host-heliograph_place"
    assert find_place(head("Cookie: heliograph_place=1"), name) is None
    assert find_place(head("Cookie: __Host-heliograph_place=1"), name) == 1


def test_a_head_is_waited_for_until_its_end_and_no_longer_than_anybody_would_take():
    assert not is_whole(head()[:-1])
    assert is_whole(head())
    assert is_whole(head() + b"body")
    assert is_whole(b"x" * MOST_BYTES)


@pytest.mark.parametrize(
    ("hostile", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"\x00", 400),
        (head("Cookie: a=b;\r\n heliograph_place=1"), 400),
        (head("Cookie: a=b;\n\theliograph_place=1"), 400),
        (head("Host:\r\n a"), 400),
        (b"GET / HTTP/1.1\r\nCookie: " + b"x" * MOST_BYTES, 431),
    ],
    ids=["TLS", "nothing of a text", "folded", "folded by a tab", "folded elsewhere", "too long"],
)
def test_what_a_place_would_read_otherwise_than_the_front_is_refused_at_once(hostile: bytes, status: int):
    assert is_whole(hostile)
    refusal = find_refusal(hostile)
    assert refusal is not None
    answer, _, text = refusal.partition(b"\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Length: {len(text)}".encode() in answer
    assert b"Connection: close" in answer


def test_what_is_folded_after_the_head_and_empty_lines_before_it_may_pass():
    for passes in (head(), head() + b"body\r\n more", b"\r\n" + head("Cookie: a=b"), head("X-Note: a b\tc")):
        assert find_refusal(passes) is None


def test_a_head_ends_where_the_server_ends_it():
    bare = b"GET / HTTP/1.1\nCookie: heliograph_place=1\n\nCookie: heliograph_place=2\n"
    assert is_whole(bare)
    assert find_place(bare, PLACE_COOKIE) == 1


@pytest.mark.parametrize(
    "filling", [" ", "\t", "\r", "\n", ";", "=", ":", "\r\ncookie:", " \ncookie: ", "; heliograph_place="]
)
def test_no_head_holds_the_front_up(filling: str):
    # One loop looks at all heads: seconds of it would be everybody's.
    hostile = head("Cookie:" + filling * (MOST_BYTES // len(filling)) + "\nx")
    began = time.process_time()
    find_place(hostile, PLACE_COOKIE)
    find_refusal(hostile)
    assert time.process_time() - began < 0.5
