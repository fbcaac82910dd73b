"""What those without a session may ask is bounded by their address; nobody with one is held up."""

from datetime import UTC, datetime, timedelta

import pytest

from core.web.guard.visitors import AT_ONCE, MOST_ADDRESSES, PER_SECOND, Visitors
from tests.support.fakes.asgi import Browser

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def drain(visitors: Visitors, address: str, now: datetime = NOW) -> int:
    return next(count for count in range(AT_ONCE + 2) if not visitors.admits(address, now))


def test_so_much_at_once_and_then_so_much_a_second() -> None:
    visitors = Visitors()
    assert drain(visitors, "192.0.2.1") == AT_ONCE
    assert drain(visitors, "192.0.2.1", NOW + timedelta(seconds=2)) == 2 * PER_SECOND
    assert drain(visitors, "192.0.2.1", NOW + timedelta(days=2)) == AT_ONCE
    # A clock that is set back gives nothing and takes nothing.
    assert not visitors.admits("192.0.2.1", NOW)
    assert visitors.admits("192.0.2.1", NOW + timedelta(seconds=1))


def test_addresses_count_apart_and_those_of_one_ipv6_network_together() -> None:
    visitors = Visitors()
    drain(visitors, "2001:db8::1")
    assert not visitors.admits("2001:db8::ffff", NOW)
    assert visitors.admits("2001:db8:0:1::1", NOW)
    assert visitors.admits("192.0.2.1", NOW)


def test_counting_takes_no_more_memory_than_some() -> None:
    visitors = Visitors()
    for number in range(MOST_ADDRESSES + 10):
        visitors.admits(f"{number}", NOW)
    assert len(visitors._buckets) == MOST_ADDRESSES


@pytest.mark.parametrize("path", ["/login", "/healthz", "/", "/campaigns", "/media/x"])
def test_strangers_are_told_to_wait(browser: Browser, path: str) -> None:
    found = [browser.get(path).status for _ in range(AT_ONCE + 1)]
    assert 429 not in found[:AT_ONCE]
    assert found[-1] == 429
    assert browser.get(path).header("Retry-After")
    # What is the same for everybody, and costs nothing, is not counted; neither is another address.
    assert browser.get("/assets/none.js").status != 429
    browser.address = "203.0.113.8"
    assert browser.get(path).status != 429
