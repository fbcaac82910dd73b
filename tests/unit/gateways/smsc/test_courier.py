from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import smpp34

from core.gateways.smsc.behavior import Faults, SmscBehavior
from core.gateways.smsc.courier import Courier
from core.gateways.smsc.journal import Delivery

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(eq=False)
class FakeSession:
    """A bind that remembers what it is to send."""

    receives: bool = True
    is_writable: bool = True
    sent: dict[int, object] = field(default_factory=dict)
    texts: list[bytes] = field(default_factory=list)

    def number(self, token: int | None = None) -> int:
        if token is not None:
            self.sent[token] = object()
        return len(self.sent) + 1

    def write(self, data: bytes) -> None:
        while data:
            length = int.from_bytes(data[:4])
            self.texts.append(smpp34.decode(data[:length]).short_message)
            data = data[length:]


class FakeJournal:
    """Owes so many replies, all of them due; counts how often it is asked."""

    def __init__(self, count: int) -> None:
        self.owed = [
            Delivery("me", "", "+491", "1", 0, 0, text=f"{token}", token=token) for token in range(1, count + 1)
        ]
        self.asked_count = 0

    def list_due(self, system_id: str, limit: int, now: datetime) -> list[Delivery]:
        self.asked_count += 1
        return self.owed[:limit]


def courier(count: int, window: int = 3) -> tuple[Courier, FakeJournal]:
    journal = FakeJournal(count)
    return Courier("me", journal, SmscBehavior({}, deliver_window=window)), journal


def numbers(texts: list[bytes]) -> list[int]:
    return [int(text) for text in texts]


def test_binds_take_turns_as_far_as_their_windows_go():
    mine, _ = courier(10)
    first, second = FakeSession(), FakeSession()
    mine.join(first)
    mine.join(second)
    mine.pump(NOW, Faults())
    assert (numbers(first.texts), numbers(second.texts)) == ([1, 3, 5], [2, 4, 6])


@pytest.mark.parametrize("busy", [FakeSession(receives=False), FakeSession(is_writable=False)])
def test_who_cannot_receive_now_is_passed_over(busy: FakeSession):
    mine, _ = courier(10)
    free = FakeSession()
    mine.join(busy)
    mine.join(free)
    mine.pump(NOW, Faults())
    assert (busy.texts, numbers(free.texts)) == ([], [1, 2, 3])


def test_what_was_sent_is_sent_again_only_when_it_is_said_not_to_have_arrived():
    mine, journal = courier(4, window=4)
    session = FakeSession()
    mine.join(session)
    for _ in range(3):
        mine.look_again()
        mine.pump(NOW, Faults())
    assert numbers(session.texts) == [1, 2, 3, 4]
    session.sent.clear()
    mine.take_back([2])
    journal.owed = [each for each in journal.owed if each.token != 4]
    mine.settle([4])
    mine.pump(NOW, Faults())
    assert numbers(session.texts) == [1, 2, 3, 4, 2]


def test_the_log_is_not_read_again_before_somebody_says_that_more_is_due():
    mine, journal = courier(1)
    session = FakeSession()
    mine.join(session)
    for _ in range(5):
        mine.pump(NOW, Faults())
    assert journal.asked_count == 1


def test_without_anybody_to_receive_the_log_is_not_read():
    mine, journal = courier(1)
    mine.pump(NOW, Faults())
    assert journal.asked_count == 0


@pytest.mark.parametrize("count", [1, 499, 500, 501, 1_700])
def test_all_that_is_due_is_sent_once_however_much_it_is(count: int):
    mine, journal = courier(count, window=7)
    session = FakeSession()
    mine.join(session)
    while len(session.texts) < count:
        mine.look_again()
        mine.pump(NOW, Faults())
        arrived = list(session.sent)
        session.sent.clear()
        journal.owed = [each for each in journal.owed if each.token not in arrived]
        mine.settle(arrived)
    assert numbers(session.texts) == list(range(1, count + 1))
