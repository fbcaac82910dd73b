"""Each claim, turned false, turns the verdict red, and no other claim with it."""

from collections import Counter
from dataclasses import replace

import pytest

from core.domain.campaigns.campaigns import Reconciliation
from core.proving.verdict import Asked, Books, Case, Looked, Sent
from core.proving.witness import Evidence

# Of ten: six sent, one refused, one left out, two unknown of whom one was taken.
ALL = frozenset(f"+49{number}" for number in range(10))
SENT = [Sent(f"+49{number}", "Delivered", f"id-{number}") for number in range(6)]
UNSENT = [("+496", "failed"), ("+497", "excluded"), ("+498", "unknown"), ("+499", "unknown")]
FOUND = Reconciliation(10, 6, {"suppressed": 1}, {"0x0B": 1}, 2, 0)
TAKEN = [row.receiver for row in SENT] + ["+498"]
LOG = Evidence(Counter(TAKEN), {row.gateway_message_id: "DELIVRD" for row in SENT}, silent_count=0, owed_count=0)
CASE = Case(ALL, LOG, Books(FOUND, "Completed", SENT, UNSENT), Asked(100, 0), Looked(90, 0), most_unknown=2)


def broken(case: Case) -> list[str]:
    return [claim.words for claim in case.judge() if not claim.holds]


def with_books(**changes: object) -> Case:
    return replace(CASE, books=replace(CASE.books, **changes))


def with_found(**changes: object) -> Case:
    return with_books(reconciliation=replace(FOUND, **changes))


def with_log(**changes: object) -> Case:
    return replace(CASE, evidence=replace(LOG, **changes))


def test_everything_holds_when_everything_adds_up():
    assert broken(CASE) == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (with_log(receivers=Counter([*TAKEN, "+490"])), ["receivers with two messages or more"]),
        # The second message of somebody unknown is one too many as well.
        (with_log(receivers=Counter([*TAKEN, "+498"])), ["receivers with two messages or more"]),
        (
            with_log(receivers=Counter([*TAKEN, "+1555"])),
            ["receivers who were not asked for", "in the log, neither sent nor unknown by the books"],
        ),
        (with_books(unsent=UNSENT[1:]), ["recipients in no book: lost"]),
        (with_books(unsent=[*UNSENT, ("+490", "failed")]), ["recipients in two books"]),
        (with_books(unsent=[*UNSENT, ("+496", "failed")]), ["recipients in two books"]),
        (with_found(unknown_count=1), ["audience = sent + failed + excluded + unknown"]),
        (
            with_found(audience_count=11, failed={"0x0B": 2}),
            ["recipients in the audience"],
        ),
        (
            with_found(unknown_count=1, pending_count=1),
            ["audience = sent + failed + excluded + unknown", "pending at the end"],
        ),
        (with_books(status="Paused"), ["the campaign ended by itself"]),
        (replace(CASE, asked=Asked(100, 1)), ["reconciliations that did not add up, of 100 asked"]),
        # Who was never answered has seen nothing.
        (replace(CASE, asked=Asked(0, 0)), ["reconciliations that did not add up, of 0 asked"]),
        # Whoever is not answered for long sees nothing for as long.
        (replace(CASE, asked=Asked(100, 0, 7, 25.5, 25.0)), ["seconds without an answer to 7 questions"]),
        (replace(CASE, looked=Looked(90, 2)), ["looks at the history with a message twice or missing, of 90"]),
        (replace(CASE, looked=Looked(0, 0)), ["looks at the history with a message twice or missing, of 0"]),
        (with_found(sent_count=7, unknown_count=1), ["messages in the history, as many as sent"]),
        (with_log(receivers=Counter(TAKEN[1:])), ["sent by the books, not in the log"]),
        # Said to be refused, and sent all the same.
        (with_log(receivers=Counter([*TAKEN, "+496"])), ["in the log, neither sent nor unknown by the books"]),
        (replace(CASE, most_unknown=1), ["unknown"]),
        (
            with_log(states=dict(LOG.states) | {"id-0": "UNDELIV"}),
            ["messages whose receipts count otherwise than the log's"],
        ),
        (with_log(states={}), ["messages whose receipts count otherwise than the log's"]),
        (
            with_books(sent=[replace(SENT[0], delivery_status="Submitted"), *SENT[1:]]),
            ["messages whose receipts count otherwise than the log's"],
        ),
    ],
)
def test_each_claim_can_be_broken(case: Case, words: list[str]):
    assert broken(case) == words


def test_what_is_taken_in_silence_may_be_unknown():
    assert broken(replace(with_log(silent_count=1), most_unknown=1)) == []


def test_somebody_for_whom_it_does_not_hold_is_named():
    (claim,) = [claim for claim in with_log(receivers=Counter([*TAKEN, "+490"])).judge() if not claim.holds]
    assert (claim.expected, claim.seen, claim.examples) == ("0", "1", ("+490",))


def test_books_that_cannot_be_read_prove_nothing():
    empty = Books(None, "", (), ())
    assert {"recipients in no book: lost", "pending at the end", "recipients in the audience"} <= set(
        broken(replace(CASE, books=empty))
    )


def test_a_campaign_that_does_not_go_on_says_why():
    case = with_books(status="Inactive", fault="The launch stopped unexpectedly.")
    (claim,) = [claim for claim in case.judge() if not claim.holds]
    assert (claim.expected, claim.seen, claim.examples) == (
        "Completed",
        "Inactive",
        ("The launch stopped unexpectedly.",),
    )
