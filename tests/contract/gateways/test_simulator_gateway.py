import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.messages.messages import SubmitOutcome, SubmitResult
from core.errors import BadCredentials, Unavailable
from core.gateways.base import Observed
from core.gateways.departing import DepartureSchedule
from core.gateways.simulator.gateway import Behavior, SimulatorGateway
from core.gateways.simulator.journal import Journal
from core.gateways.simulator.profiles import profile_of
from tests.contract.gateways.gateway_contract import (
    LATER,
    NOW,
    PATIENT_S,
    DepartingContract,
    FetchedReceiptsContract,
    GatewayContract,
    make_outbound,
)


def silent_network(seed: int, mccmnc: str):
    return replace(profile_of(seed, mccmnc), silent_rate=0.5)


@pytest.fixture
def simulator(tmp_path: Path) -> SimulatorGateway:
    return SimulatorGateway(tmp_path / "simulator.sqlite", Behavior(seed=1))


class TestSimulator(GatewayContract, DepartingContract, FetchedReceiptsContract):
    @pytest.fixture
    def gateway(self, simulator: SimulatorGateway) -> Observed:
        return Observed(simulator)

    @pytest.fixture
    def left(self, simulator: SimulatorGateway) -> Callable[[], list[str]]:
        return lambda: [accepted.msisdn[1:] for accepted in simulator.journal.list_accepted()]


def test_throttled_messages_were_not_taken(tmp_path: Path):
    gateway = SimulatorGateway(tmp_path / "simulator.sqlite", Behavior(seed=1, max_tps=100))
    messages = [make_outbound(number) for number in range(150)]
    results = gateway.submit(messages, NOW)
    throttled = [result for result in results if result.outcome is SubmitOutcome.THROTTLED]
    assert len(throttled) == 50
    assert all(result.retry_after_s > 0 for result in throttled)
    taken = {accepted.message_id for accepted in gateway.journal.list_accepted()}
    assert taken.isdisjoint(result.message_id for result in throttled)


def test_the_throttle_opens_again_with_time(tmp_path: Path):
    gateway = SimulatorGateway(tmp_path / "simulator.sqlite", Behavior(seed=1, max_tps=100))
    gateway.submit([make_outbound(number) for number in range(100)], NOW)
    refused = gateway.submit([make_outbound(200)], NOW)
    taken = gateway.submit([make_outbound(201)], NOW + timedelta(seconds=1))
    assert refused[0].outcome is SubmitOutcome.THROTTLED
    assert taken[0].outcome is not SubmitOutcome.THROTTLED


def test_long_messages_pass_a_throttle_smaller_than_they_are(tmp_path: Path):
    gateway = SimulatorGateway(tmp_path / "simulator.sqlite", Behavior(seed=1, max_tps=1))
    assert gateway.submit([make_outbound(segment_count=10)], NOW)[0].outcome is SubmitOutcome.ACCEPTED


def test_a_log_that_a_stopped_process_is_opening_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("core.gateways.simulator.accepted.OPEN_TIMEOUT_S", 0.05)
    path = tmp_path / "simulator.sqlite"
    with Journal(path)._alone(), pytest.raises(Unavailable, match="being opened"):
        Journal(path).count_accepted()


def test_no_owed_receipt_waits_for_the_old_time_after_the_clock_was_set_back(simulator: SimulatorGateway):
    messages = [make_outbound(number) for number in range(100)]
    simulator.submit(messages, NOW)
    owed = simulator.journal.list_due(1_000, LATER)
    back = NOW - timedelta(hours=3)
    # Only who fetches brings them forward, and is told to come.
    assert simulator.may_have_receipts(back)
    # Once, however often it is looked at.
    assert simulator.fetch_receipts(1_000, back) == simulator.fetch_receipts(1_000, back) == []
    assert not simulator.may_have_receipts(back)
    # Each is due as long after now as it was after then.
    assert [item.due_at for _, item in simulator.journal.list_due(1_000, LATER)] == [
        item.due_at - timedelta(hours=3) for _, item in owed
    ]


def test_a_lost_answer_is_unknown_and_stands_in_the_log_once(tmp_path: Path):
    gateway = SimulatorGateway(tmp_path / "simulator.sqlite", Behavior(seed=1, profile_of=silent_network))
    results = gateway.submit([make_outbound(number) for number in range(200)], NOW)
    unknown = {result.message_id for result in results if result.outcome is SubmitOutcome.UNKNOWN}
    assert 50 < len(unknown) < 150
    logged = [accepted.message_id for accepted in gateway.journal.list_accepted()]
    assert all(logged.count(message_id) == 1 for message_id in unknown)


def test_the_log_shows_a_message_that_was_sent_twice(simulator: SimulatorGateway):
    simulator.submit([make_outbound(1), make_outbound(2)], NOW)
    assert simulator.journal.list_repeated() == []
    simulator.submit([make_outbound(1)], NOW)
    assert simulator.journal.list_repeated() == [(make_outbound(1).message_id, 2)]


def test_the_log_shows_a_receiver_that_got_two_messages(simulator: SimulatorGateway):
    other = make_outbound(2, msisdn=make_outbound(1).msisdn)
    simulator.submit([make_outbound(1), make_outbound(3)], NOW)
    assert simulator.journal.list_repeated_receivers() == []
    simulator.submit([other], NOW + timedelta(hours=1))
    assert simulator.journal.list_repeated() == []
    assert simulator.journal.list_repeated_receivers() == [(other.msisdn, 2)]
    # What was sent to the same person earlier is another campaign's business.
    assert simulator.journal.list_repeated_receivers(NOW + timedelta(minutes=1)) == []


def test_nothing_has_left_when_it_is_unavailable(simulator: SimulatorGateway):
    simulator.faults.unavailable = True
    with pytest.raises(Unavailable):
        simulator.submit([make_outbound()], NOW)
    with pytest.raises(Unavailable):
        simulator.fetch_receipts(10, NOW)
    # Nobody would say so to the operator if nobody fetched.
    assert simulator.may_have_receipts(NOW)
    assert simulator.journal.count_accepted() == 0


@pytest.mark.parametrize("fault", ["unavailable", "bad_credentials"])
def test_what_has_not_left_when_it_fails_between_two_moments_is_given_back(simulator: SimulatorGateway, fault: str):
    messages, now_s = [make_outbound(number) for number in range(4)], time.monotonic()

    def fail(seconds: float) -> None:
        setattr(simulator.faults, fault, True)
        time.sleep(seconds)

    schedule = DepartureSchedule([now_s, now_s, now_s + 0.2, now_s + 0.2], PATIENT_S, sleep=fail)
    results = simulator.submit(messages, NOW, schedule)
    assert [(each.message_id, each.outcome.value) for each in results] == [
        (message.message_id, outcome)
        for message, outcome in zip(messages, ["accepted", "accepted", "throttled", "throttled"], strict=True)
    ]
    assert [each.msisdn for each in simulator.journal.list_accepted()] == [each.msisdn for each in messages[:2]]


def test_that_nothing_has_left_is_said_where_the_first_were_late(simulator: SimulatorGateway):
    now_s = time.monotonic()

    def fail(seconds: float) -> None:
        simulator.faults.unavailable = True
        time.sleep(seconds)

    schedule = DepartureSchedule([now_s - 1, now_s + 0.2], 0.01, sleep=fail)
    with pytest.raises(Unavailable):
        simulator.submit([make_outbound(1), make_outbound(2)], NOW, schedule)
    assert simulator.journal.count_accepted() == 0


def test_nothing_has_left_with_bad_credentials(simulator: SimulatorGateway):
    simulator.faults.bad_credentials = True
    with pytest.raises(BadCredentials):
        simulator.submit([make_outbound()], NOW)
    assert simulator.journal.count_accepted() == 0


def test_a_new_process_finds_everything(tmp_path: Path):
    path = tmp_path / "simulator.sqlite"
    SimulatorGateway(path, Behavior(seed=1)).submit([make_outbound(number) for number in range(50)], NOW)
    reopened = SimulatorGateway(path, Behavior(seed=1))
    assert reopened.journal.count_accepted() >= 49
    assert reopened.fetch_receipts(1_000, LATER)


def damaged(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


def folder(path: Path) -> None:
    path.mkdir()


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize("spoil", [damaged, folder, below_a_file])
def test_a_log_that_cannot_be_used_is_a_gateway_that_cannot_be_reached(tmp_path: Path, spoil: Callable[[Path], None]):
    path = tmp_path / "data" / "simulator.sqlite"
    path.parent.mkdir()
    spoil(path)
    gateway = SimulatorGateway(path, Behavior(seed=1))
    with pytest.raises(Unavailable):
        gateway.submit([make_outbound()], NOW)
    with pytest.raises(Unavailable):
        gateway.fetch_receipts(10, NOW)
    with pytest.raises(Unavailable):
        gateway.acknowledge(["1"])


# Every process opens the same new files at the same moment, half of them to read and half to write.
OPENING = """
import sys
from pathlib import Path
from core.gateways.simulator.gateway import Behavior, SimulatorGateway
from tests.contract.gateways.gateway_contract import NOW, make_outbound

number = int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for index in range(40):
    gateway = SimulatorGateway(Path(sys.argv[1]) / f"{index}.sqlite", Behavior(seed=1))
    gateway.fetch_receipts(1, NOW) if number % 2 else gateway.submit([make_outbound(number)], NOW)
"""


def test_processes_may_open_a_new_log_at_the_same_moment(tmp_path: Path):
    command = [sys.executable, "-c", OPENING, str(tmp_path)]
    pipe = subprocess.PIPE
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen([*command, str(number)], stdin=pipe, stdout=pipe, stderr=pipe))
            for number in range(6)
        ]
        for process in processes:
            process.stdout.readline()
        # Taken one after the other, the line would start them one after the other.
        for process in processes:
            process.stdin.write(b"go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, "".join(said)
    assert all(Journal(path).count_accepted() == 3 for path in tmp_path.glob("*.sqlite"))


def test_speed_brings_receipts_earlier(tmp_path: Path):
    messages = [make_outbound(number) for number in range(100)]
    due = {}
    for speed in (1.0, 100.0):
        gateway = SimulatorGateway(tmp_path / f"{speed}.sqlite", Behavior(seed=1, speed=speed))
        gateway.submit(messages, NOW)
        due[speed] = sorted(receipt.done_at - NOW for _, receipt in gateway.fetch_receipts(1_000, LATER))
    assert len(due[1.0]) == len(due[100.0])
    assert due[100.0][50] < due[1.0][50] / 50


def test_mixed_up_answers_are_a_defect_that_is_caught():
    class Mixed:
        name = "mixed"

        def submit(self, messages, now, *rest: object):
            results = [SubmitResult(item.message_id, SubmitOutcome.ACCEPTED, now, "x") for item in messages]
            return list(reversed(results))

    with pytest.raises(AssertionError, match=r"\+4"):
        Observed(Mixed()).submit([make_outbound(1), make_outbound(2)], NOW)


KILLED = """
import os, signal, sys
from pathlib import Path
from core.gateways.simulator.gateway import Behavior, SimulatorGateway
from tests.contract.gateways.gateway_contract import NOW, make_outbound

gateway = SimulatorGateway(Path(sys.argv[1]), Behavior(seed=1))
for window in range(1_000):
    results = gateway.submit([make_outbound(window * 100 + number) for number in range(100)], NOW)
    for result in results:
        if result.outcome == "accepted":
            print(result.message_id, flush=False)
    sys.stdout.flush()
    if window == 7:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_answered_before_a_kill_is_in_the_log(tmp_path: Path):
    path = tmp_path / "simulator.sqlite"
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    answered = process.stdout.split()
    assert process.returncode == -9, process.stderr
    assert len(answered) > 700
    assert set(answered) <= {accepted.message_id for accepted in Journal(path).list_accepted()}
