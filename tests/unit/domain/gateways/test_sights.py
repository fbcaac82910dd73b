"""What is said of a gateway: never that it works where nobody has tried."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.domain.gateways.gateways import GatewaySetup, GatewayStatus
from core.domain.gateways.sights import (
    NEWS,
    GatewaySight,
    LinkState,
    LinkStatus,
    SeenFault,
    Standing,
    find_fault,
    judge,
)
from tests.contract.gateways.gateway_contract import NOW

NEW = GatewaySetup("Berlin", "smpp")
TRIED = replace(NEW, proven_at=NOW)
TEST_FAILED = replace(NEW, fault="The password is wrong.", fault_at=NOW)
FAILING = replace(TRIED, status=GatewayStatus.FAILING, fault="Nothing listens.")
UP = LinkState(1, LinkStatus.BOUND, NOW, fault="It was silent once.")
DOWN = LinkState(2, LinkStatus.WAITING, NOW, fault="Nothing listens.")
BEGINNING = LinkState(1, LinkStatus.CONNECTING, NOW)


@pytest.mark.parametrize(
    ("setup", "links", "standing"),
    [
        (NEW, [], Standing.NEW),
        (NEW, [BEGINNING], Standing.NEW),
        (TEST_FAILED, [], Standing.TEST_FAILED),
        (TEST_FAILED, [DOWN], Standing.UNCONNECTED),
        (replace(TEST_FAILED, proven_at=NOW), [], Standing.WORKING),
        (NEW, [DOWN], Standing.UNCONNECTED),
        (TRIED, [], Standing.WORKING),
        (TRIED, [UP, DOWN], Standing.WORKING),
        (TRIED, [DOWN], Standing.UNCONNECTED),
        (FAILING, [UP], Standing.FAILING),
    ],
)
def test_what_is_said_of_a_gateway(setup: GatewaySetup, links: list[LinkState], standing: Standing):
    assert judge(setup, [GatewaySight(tuple(links))]) is standing


def test_one_worker_that_is_connected_will_do():
    assert judge(TRIED, [GatewaySight((DOWN,)), GatewaySight((UP,))]) is Standing.WORKING


@pytest.mark.parametrize(
    ("refused", "worked", "tested", "standing"),
    [
        (5, None, None, Standing.REFUSING),
        (5, 6, None, Standing.WORKING),
        (5, 5, None, Standing.WORKING),
        (5, 4, 4, Standing.REFUSING),
        (5, 4, 6, Standing.WORKING),
        (None, 4, None, Standing.WORKING),
    ],
)
def test_one_that_took_nothing_last_does_not_work(
    refused: int | None, worked: int | None, tested: int | None, standing: Standing
):
    def at(minute: int | None) -> datetime | None:
        return None if minute is None else NOW + timedelta(minutes=minute)

    # One worker was refused; another one, or a person's test, may have seen it work since.
    seen = [GatewaySight((UP,), refused_at=at(refused)), GatewaySight((UP,), worked_at=at(worked))]
    assert judge(replace(TRIED, tested_at=at(tested)), seen) is standing
    assert judge(replace(NEW, tested_at=at(tested)), seen[:1]) is not Standing.WORKING
    assert judge(replace(FAILING, tested_at=at(tested)), seen) is Standing.FAILING


def refusing(text: str, ago: timedelta) -> GatewaySight:
    return GatewaySight((UP,), faults=(SeenFault(text, NOW - timedelta(hours=1), NOW - ago),))


@pytest.mark.parametrize(
    ("setup", "sights", "fault"),
    [
        (FAILING, [GatewaySight((UP,))], "Nothing listens."),
        (NEW, [], ""),
        (TRIED, [GatewaySight((UP, DOWN))], ""),
        (TRIED, [GatewaySight((BEGINNING,))], ""),
        (TRIED, [GatewaySight((DOWN,))], "Nothing listens."),
        (TRIED, [refusing("It said no.", NEWS)], "It said no."),
        (TRIED, [refusing("It said no.", NEWS + timedelta(seconds=1))], ""),
        (TRIED, [refusing("First.", NEWS), refusing("Last.", timedelta(seconds=2))], "Last."),
    ],
)
def test_why_nothing_can_be_sent_just_now(setup: GatewaySetup, sights: list[GatewaySight], fault: str):
    assert find_fault(setup, sights, NOW) == fault
