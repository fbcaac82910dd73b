"""
How networks behave: delays, errors, lost and repeated receipts.

Everything is a pure function of a seed and an identifier, so a run can be repeated: the same
message meets the same fate, whoever sends it and whenever.
"""

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

# Final states that are no delivery, with GSM-MAP style codes and how often each is the reason.
# The numbers are the simulator's own: providers number their errors as they like.
FAILURES = (
    ("UNDELIV", "27", 0.42),  # absent subscriber
    ("EXPIRED", "32", 0.20),  # delivery failed until the validity ran out
    ("UNDELIV", "1", 0.18),  # unknown subscriber
    ("UNDELIV", "31", 0.08),  # subscriber busy
    ("UNDELIV", "13", 0.07),  # call barred
    ("REJECTD", "43", 0.05),  # filtered
)
# submit_sm_resp codes (SMPP 3.4, 5.1.3) of a refused message: invalid destination, submit failed.
REFUSALS = (("0x0000000B", 0.7), ("0x00000045", 0.3))
# States on the way, and how often each is the one reported.
INTERMEDIATES = (("ENROUTE", 0.7), ("ACCEPTD", 0.3))

_MAX_U32 = 2**32
_WORDS = struct.Struct(">16I")


@dataclass(frozen=True)
class NetworkProfile:
    """
    One network. Rates are shares 0..1; the delay is log-normal with its median in seconds.

    *duplicate_rate* and *intermediate_rate* are of messages with receipts: those whose final receipt
    comes twice, and those that get an ENROUTE or ACCEPTD as well, which may come after the final one.
    """

    median_delay_s: float
    delay_sigma: float
    undelivered_rate: float
    refused_rate: float
    silent_rate: float
    lost_rate: float
    duplicate_rate: float
    intermediate_rate: float


@dataclass(frozen=True)
class Fate:
    """
    What happens to one message.

    *refusal* is a code, or "" when it is taken. *silent*: taken, but the answer is lost.
    *receipts* are (delay in seconds, state, error code), in no particular order.
    """

    refusal: str
    silent: bool
    receipts: tuple[tuple[float, str, str], ...]


@lru_cache(maxsize=4_096)
def profile_of(seed: int, mccmnc: str) -> NetworkProfile:
    """Return the network's profile: 1.5 to 12 s median delay, 1 to 7 % undelivered."""
    chances = _chances(f"{seed}/network/{mccmnc}")
    return NetworkProfile(
        median_delay_s=1.5 * 8 ** chances[0],
        delay_sigma=0.5 + 0.7 * chances[1],
        undelivered_rate=0.01 + 0.06 * chances[2],
        refused_rate=0.002 * chances[3],
        silent_rate=0.00002,
        lost_rate=0.01 + 0.04 * chances[4],
        duplicate_rate=0.01,
        intermediate_rate=0.05,
    )


def fate_of(seed: int, message_id: str, profile: NetworkProfile) -> Fate:
    """Return what happens to the message of that id on a network with *profile*."""
    chances = _chances(f"{seed}/message/{message_id}")
    if chances[0] < profile.refused_rate:
        return Fate(_pick(REFUSALS, chances[1]), silent=False, receipts=())
    silent = chances[2] < profile.silent_rate
    if chances[3] < profile.lost_rate:
        return Fate("", silent, ())
    delay_s = _log_normal(profile, chances[4], chances[5])
    state, error_code = "DELIVRD", ""
    if chances[6] < profile.undelivered_rate:
        state, error_code = _pick_failure(chances[7])
        delay_s *= 10
    receipts = [(delay_s, state, error_code)]
    if chances[8] < profile.duplicate_rate:
        receipts.append((delay_s * (1 + chances[9]), state, error_code))
    if chances[10] < profile.intermediate_rate:
        receipts.append((delay_s * 1.5 * chances[11], _pick(INTERMEDIATES, chances[12]), ""))
    return Fate("", silent, tuple(receipts))


def _chances(key: str) -> tuple[float, ...]:
    return tuple([word / _MAX_U32 for word in _WORDS.unpack(blake2b(key.encode(), digest_size=64).digest())])


def _log_normal(profile: NetworkProfile, one: float, two: float) -> float:
    # Box-Muller; 1 - one is above 0, as the logarithm needs.
    normal = math.sqrt(-2 * math.log(1 - one)) * math.cos(2 * math.pi * two)
    return profile.median_delay_s * math.exp(profile.delay_sigma * normal)


def _pick(weighted: tuple[tuple[str, float], ...], chance: float) -> str:
    for word, weight in weighted:
        chance -= weight
        if chance < 0:
            return word
    return weighted[-1][0]


def _pick_failure(chance: float) -> tuple[str, str]:
    for state, code, weight in FAILURES:
        chance -= weight
        if chance < 0:
            return state, code
    return FAILURES[-1][:2]
