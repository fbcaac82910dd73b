import pytest

from core.domain.campaigns.rates import Rates


@pytest.mark.parametrize(
    ("rates", "least_tps", "words"),
    [
        (Rates(100), 100, "Sends at most 100 segments per second: the account's limit."),
        (Rates(100, 50), 50, "Sends at most 50 segments per second: the gateway's limit."),
        (Rates(100, 50, 1), 1, "Sends at most 1 segment per second: the campaign's limit."),
        (Rates(100, 200, 3_000), 100, "Sends at most 100 segments per second: the account's limit."),
        (Rates(50, 50), 50, "Sends at most 50 segments per second: the account's and the gateway's limit."),
        (
            Rates(2_000, None, 2_000),
            2_000,
            "Sends at most 2\u202f000 segments per second: the campaign's and",
        ),
        (Rates(5, 5, 5), 5, "per second: the campaign's, the account's and the gateway's limit."),
    ],
)
def test_the_smallest_rate_is_in_force_and_says_whose_it_is(rates: Rates, least_tps: int, words: str):
    assert rates.least_tps == least_tps
    assert words in rates.in_words()
