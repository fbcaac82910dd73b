"""What every gateway must do, whoever provides it. Inherit the contracts that apply and give them a gateway."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from core.domain.messages.messages import OutboundMessage, SubmitOutcome
from core.gateways.base import Gateway
from core.gateways.departing import DepartureSchedule

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=5)
# However busy the machine is, nobody is so late.
PATIENT_S = 60.0


def make_outbound(number: int = 0, **overrides: object) -> OutboundMessage:
    facts = {
        "message_id": f"018f0000-0000-7000-8000-{number:012d}",
        "msisdn": f"+4917960{number:05d}",
        "sender_id": "HELIOGRAPH",
        "text": "Hello",
        "encoding": "gsm7",
        "segment_count": 1,
        "mccmnc": "26201",
    }
    return OutboundMessage(**(facts | overrides))


class GatewayContract:
    """Subclasses provide the fixture `gateway`, one that can be reached and accepts nearly everything."""

    def test_one_result_for_each_message_in_order(self, gateway: Gateway):
        messages = [make_outbound(number) for number in range(300)]
        results = gateway.submit(messages, NOW)
        assert [result.message_id for result in results] == [message.message_id for message in messages]

    def test_nothing_in_nothing_out(self, gateway: Gateway):
        assert gateway.submit([], NOW) == []

    def test_accepted_messages_have_distinct_ids(self, gateway: Gateway):
        results = gateway.submit([make_outbound(number) for number in range(300)], NOW)
        ids = [result.gateway_message_id for result in results if result.outcome is SubmitOutcome.ACCEPTED]
        assert len(ids) > 250
        assert all(ids)
        assert len(set(ids)) == len(ids)

    def test_refused_messages_say_why(self, gateway: Gateway):
        results = gateway.submit([make_outbound(number) for number in range(3_000)], NOW)
        refused = [result for result in results if result.outcome is SubmitOutcome.REJECTED]
        assert all(result.error_code and not result.gateway_message_id for result in refused)

    def test_threads_share_it_and_each_gets_its_own_answers(self, gateway: Gateway):
        windows = [[make_outbound(window * 50 + number) for number in range(50)] for window in range(24)]
        with ThreadPoolExecutor(max_workers=6) as threads:
            answers = list(threads.map(lambda window: gateway.submit(window, NOW), windows))
        for window, results in zip(windows, answers, strict=True):
            assert [result.message_id for result in results] == [message.message_id for message in window]
        ids = [result.gateway_message_id for results in answers for result in results if result.gateway_message_id]
        assert len(ids) > 1_100
        assert len(set(ids)) == len(ids)


class DepartingContract:
    """
    What every gateway must do with a schedule.

    Subclasses provide the same fixture, and `left`, which returns the numbers, without "+", that the other side was
    asked to send to, each as often as it was.
    """

    def test_what_is_late_does_not_leave(self, gateway: Gateway, left: Callable[[], Sequence[str]]):
        messages = [make_outbound(number) for number in range(6)]
        late = gateway.submit(messages, NOW, DepartureSchedule([time.monotonic() - 1] * 6, 0.01))
        assert [(each.message_id, each.outcome) for each in late] == [
            (message.message_id, SubmitOutcome.LATE) for message in messages
        ]
        assert list(left()) == []

    def test_exactly_those_stay_that_are_late_and_nobody_is_sent_to_twice(
        self, gateway: Gateway, left: Callable[[], Sequence[str]]
    ):
        messages, now_s = [make_outbound(number) for number in range(6)], time.monotonic()
        schedule = DepartureSchedule([now_s - 2 * PATIENT_S] * 2 + [now_s] * 4, PATIENT_S)
        outcomes = [result.outcome for result in gateway.submit(messages, NOW, schedule)]
        assert [outcome is SubmitOutcome.LATE for outcome in outcomes] == [True] * 2 + [False] * 4
        assert sorted(left()) == [message.msisdn[1:] for message in messages[2:]]
        gateway.submit(messages[:2], NOW, DepartureSchedule([time.monotonic()] * 2, PATIENT_S))
        assert sorted(left()) == [message.msisdn[1:] for message in messages]

    def test_nothing_leaves_before_its_moment(self, gateway: Gateway, left: Callable[[], Sequence[str]]):
        messages, seen = [make_outbound(number) for number in range(6)], []

        def sleep(seconds: float) -> None:
            time.sleep(seconds)
            seen.append(len(left()))

        now_s = time.monotonic()
        moments_s = [now_s + 0.2] * 2 + [now_s + 0.4] * 4
        results = gateway.submit(messages, NOW, DepartureSchedule(moments_s, PATIENT_S, sleep=sleep))
        assert [result.message_id for result in results] == [message.message_id for message in messages]
        # A machine that is busy comes to the second moment too late for a nap.
        assert seen[0] == 0
        assert all(count <= 2 for count in seen)
        assert sorted(left()) == [message.msisdn[1:] for message in messages]


class FetchedReceiptsContract:
    """What every gateway must do, besides, that is asked for receipts. Subclasses provide the same fixture."""

    def test_receipts_are_of_accepted_messages_and_not_before_them(self, gateway: Gateway):
        results = gateway.submit([make_outbound(number) for number in range(300)], NOW)
        accepted = {result.gateway_message_id for result in results}
        receipts = [receipt for _, receipt in gateway.fetch_receipts(10_000, LATER)]
        assert len(receipts) > 200
        assert all(receipt.gateway_message_id in accepted for receipt in receipts)
        assert all(receipt.done_at >= NOW and receipt.gateway == gateway.name for receipt in receipts)

    def test_receipts_come_again_until_they_are_acknowledged(self, gateway: Gateway):
        gateway.submit([make_outbound(number) for number in range(50)], NOW)
        first = gateway.fetch_receipts(10_000, LATER)
        assert gateway.fetch_receipts(10_000, LATER) == first
        gateway.acknowledge([token for token, _ in first[:10]])
        assert gateway.fetch_receipts(10_000, LATER) == first[10:]
        gateway.acknowledge([token for token, _ in first])
        assert gateway.fetch_receipts(10_000, LATER) == []

    def test_acknowledging_twice_is_harmless(self, gateway: Gateway):
        gateway.submit([make_outbound()], NOW)
        tokens = [token for token, _ in gateway.fetch_receipts(10, LATER)]
        gateway.acknowledge(tokens)
        gateway.acknowledge(tokens)
        assert gateway.fetch_receipts(10, LATER) == []

    def test_fetching_keeps_to_the_limit(self, gateway: Gateway):
        gateway.submit([make_outbound(number) for number in range(300)], NOW)
        assert len(gateway.fetch_receipts(7, LATER)) == 7

    def test_receipts_do_not_come_before_they_are_due(self, gateway: Gateway):
        gateway.submit([make_outbound(number) for number in range(300)], NOW)
        everything = gateway.fetch_receipts(10_000, LATER)
        half_way = sorted(receipt.done_at for _, receipt in everything)[len(everything) // 2]
        early = gateway.fetch_receipts(10_000, half_way)
        assert 0 < len(early) < len(everything)
        assert all(receipt.done_at <= half_way for _, receipt in early)

    def test_it_never_says_there_are_none_when_there_are(self, gateway: Gateway):
        gateway.submit([make_outbound(number) for number in range(300)], NOW)
        everything = gateway.fetch_receipts(10_000, LATER)
        first = min(receipt.done_at for _, receipt in everything)
        assert gateway.may_have_receipts(first)
        assert gateway.may_have_receipts(LATER)
        gateway.acknowledge([token for token, _ in everything[1:]])
        assert gateway.may_have_receipts(LATER)
