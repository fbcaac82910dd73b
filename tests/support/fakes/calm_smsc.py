"""The SMSC without its luck: it answers everything, takes everything, and delivers all of that a second later."""

from dataclasses import replace

from core.gateways.simulator.profiles import NetworkProfile
from core.gateways.smsc.behavior import SmscBehavior

CALM = NetworkProfile(
    median_delay_s=1.0,
    delay_sigma=0.0,
    undelivered_rate=0.0,
    refused_rate=0.0,
    silent_rate=0.0,
    lost_rate=0.0,
    duplicate_rate=0.0,
    intermediate_rate=0.0,
)


def calm_behavior(profile: dict[str, float] | None = None, **facts: object) -> SmscBehavior:
    """Return how a calm SMSC behaves, a thousand times as fast as life; *profile* and *facts* say what is otherwise."""
    network = replace(CALM, **(profile or {}))
    accounts = {"me": "secret", "other": "secret"}
    patient = {"enquire_s": 60.0, "bind_s": 60.0, "response_s": 60.0}
    given = {"accounts": accounts, "speed": 1_000.0, **patient}
    return SmscBehavior(profile_of=lambda _seed, _network: network, **(given | facts))
