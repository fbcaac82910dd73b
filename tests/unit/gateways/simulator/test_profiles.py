import pytest

from core.gateways.simulator.profiles import fate_of, profile_of
from tests.contract.gateways.gateway_contract import make_outbound

COUNT = 20_000
ON_THE_WAY = {"ENROUTE", "ACCEPTD"}


def fates(seed: int = 1, mccmnc: str = "26201"):
    profile = profile_of(seed, mccmnc)
    return profile, [fate_of(seed, make_outbound(number).message_id, profile) for number in range(COUNT)]


def test_the_same_seed_brings_the_same_fate():
    assert fates()[1][:500] == fates()[1][:500]


def test_another_seed_brings_another_fate():
    assert fates(seed=1)[1][:500] != fates(seed=2)[1][:500]


def test_networks_differ():
    medians = {profile_of(1, f"26{number:03d}").median_delay_s for number in range(50)}
    assert len(medians) == 50
    assert all(1.5 <= median <= 12 for median in medians)


@pytest.mark.parametrize("mccmnc", ["26201", "23415", ""])
def test_shares_are_roughly_those_of_the_profile(mccmnc: str):
    profile, found = fates(mccmnc=mccmnc)
    taken = [fate for fate in found if not fate.refusal]
    reported = [fate for fate in taken if fate.receipts]
    failed = [fate for fate in reported if fate.receipts[0][1] != "DELIVRD"]
    repeated = [fate for fate in reported if sum(state not in ON_THE_WAY for _, state, _ in fate.receipts) > 1]
    assert 1 - len(taken) / COUNT == pytest.approx(profile.refused_rate, abs=0.002)
    assert 1 - len(reported) / len(taken) == pytest.approx(profile.lost_rate, abs=0.01)
    assert len(failed) / len(reported) == pytest.approx(profile.undelivered_rate, abs=0.01)
    assert len(repeated) / len(reported) == pytest.approx(profile.duplicate_rate, abs=0.005)


def test_delays_have_the_median_and_a_long_tail():
    profile, found = fates()
    delays = sorted(fate.receipts[0][0] for fate in found if fate.receipts and fate.receipts[0][1] == "DELIVRD")
    assert delays[len(delays) // 2] == pytest.approx(profile.median_delay_s, rel=0.1)
    assert delays[-1] > 4 * profile.median_delay_s
    assert delays[0] > 0


def test_some_receipts_come_out_of_order():
    _, found = fates()
    early = [fate for fate in found if any(state in ON_THE_WAY for _, state, _ in fate.receipts)]
    late = [fate for fate in early if fate.receipts[-1][0] > fate.receipts[0][0]]
    assert {state for fate in early for _, state, _ in fate.receipts if state in ON_THE_WAY} == ON_THE_WAY
    assert 0 < len(late) < len(early)


def test_failures_carry_a_code_and_deliveries_none():
    _, found = fates()
    for fate in found:
        for _, state, code in fate.receipts:
            assert bool(code) is (state not in ON_THE_WAY | {"DELIVRD"})
