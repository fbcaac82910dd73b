import pytest

from core.domain.people.browsers import describe_agent, network_of, tidy_address

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {CHROME}", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/150.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI}", "Safari on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) {SAFARI}", "Safari on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME}", "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Windows"),
        ("curl/8.5.0", "curl"),
        ("Something (Windows NT 10.0)", "A browser on Windows"),
        ("<script>alert(1)</script>", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named_as_their_owners_know_them(agent: str, words: str) -> None:
    assert describe_agent(agent) == words


@pytest.mark.parametrize(
    ("address", "kept", "network"),
    [
        ("203.0.113.11", "203.0.113.11", "203.0.113.11"),
        # As it was: the audit kept "::ffff:cb00:710b" when a proxy listened on IPv6.
        ("::ffff:203.0.113.11", "203.0.113.11", "203.0.113.11"),
        ("::ffff:cb00:710b", "203.0.113.11", "203.0.113.11"),
        ("2001:DB8:0:0::3", "2001:db8::3", "2001:db8::/64"),
        ("fe80::1%" + "x" * 200, "fe80::1", "fe80::/64"),
        ("unknown", "unknown", "unknown"),
        ("un\x00kno\nwn", "unknown", "un\x00kno\nwn"),
        ("x" * 200, "x" * 64, "x" * 200),
        ("", "", ""),
    ],
)
def test_an_address_is_kept_in_one_spelling(address: str, kept: str, network: str) -> None:
    assert (tidy_address(address), network_of(address)) == (kept, network)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"])
def test_the_network_of_an_address_is_found_once(address: str):
    assert network_of("".join(address)) is network_of("".join(address))
