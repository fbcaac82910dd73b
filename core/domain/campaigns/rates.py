"""Rates: the segments per second that a campaign, its account and its gateway keep to, and which is in force."""

from dataclasses import dataclass

from core.domain.words.counting import count_of


@dataclass(frozen=True)
class Rates:
    """
    Segments per second at most, of all that limit a campaign; None for no limit.

    *account_tps* is for all campaigns of the account together, *gateway_tps* for all accounts that send by the gateway,
    *campaign_tps* for the campaign alone.
    """

    account_tps: int
    gateway_tps: int | None = None
    campaign_tps: int | None = None

    @property
    def least_tps(self) -> int:
        """The rate that is in force: the smallest."""
        return min(rate for rate in self._by_owner().values() if rate is not None)

    def in_words(self) -> str:
        """Return which rate is in force, and whose it is, in one sentence."""
        owners = [f"the {owner}'s" for owner, rate in self._by_owner().items() if rate == self.least_tps]
        *others, last = owners
        whose = f"{', '.join(others)} and {last}" if others else last
        return f"Sends at most {count_of(self.least_tps, 'segment', 'segments')} per second: {whose} limit."

    def _by_owner(self) -> dict[str, int | None]:
        return {"campaign": self.campaign_tps, "account": self.account_tps, "gateway": self.gateway_tps}
