"""The verdict: what the witness says against what the books say, claim by claim."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from core.domain.campaigns.campaigns import CampaignStatus, Reconciliation
from core.domain.messages.messages import DeliveryStatus, LedgerState
from core.domain.messages.receipts import parse_receipt_state
from core.domain.words.counting import count_of
from core.proving.witness import Evidence


@dataclass(frozen=True)
class Sent:
    """A row of the history."""

    receiver: str
    delivery_status: str
    gateway_message_id: str


@dataclass(frozen=True)
class Books:
    """
    What the installation says in the end.

    Args:
        reconciliation: Of the campaign; None if it never answered.
        status: Of the campaign, "" if it never answered; and why it does not go on, in *fault*, "" where nothing does.
        sent: The history's messages.
        unsent: (receiver, outcome) of everybody else, outcomes as `LedgerState` has them.
    """

    reconciliation: Reconciliation | None
    status: str
    sent: Collection[Sent]
    unsent: Collection[tuple[str, str]]
    fault: str = ""

    def whose(self, outcome: LedgerState) -> Counter[str]:
        """Return how often each receiver has that outcome."""
        return Counter(receiver for receiver, each in self.unsent if each == outcome)


@dataclass(frozen=True)
class Asked:
    """
    How often the reconciliation was asked, and did not add up; how often it gave no answer, and for how many seconds.

    *most_unanswered_s* is for how long stores were away when something was done to them.
    """

    count: int
    off_count: int
    unanswered_count: int = 0
    unanswered_s: float = 0.0
    most_unanswered_s: float = 0.0


@dataclass(frozen=True)
class Looked:
    """How often the history was looked at, and had a message twice or fewer than before."""

    count: int
    off_count: int


@dataclass(frozen=True)
class Claim:
    """What is claimed, what was to be seen for it, and what was."""

    words: str
    expected: str
    seen: str
    holds: bool
    # Some of those for whom it does not hold.
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """
    Everything the verdict is made of.

    *asked* is the reconciliation, *looked* the history itself; *most_unknown* is what was in flight when something was
    done.
    """

    recipients: frozenset[str]
    evidence: Evidence
    books: Books
    asked: Asked
    looked: Looked
    most_unknown: int

    def judge(self) -> list[Claim]:
        """Return every claim, the weightiest first."""
        return [*self._of_the_log(), *self._of_the_books(), *self._of_both()]

    def _of_the_log(self) -> Iterator[Claim]:
        taken = self.evidence.receivers
        yield _none("receivers with two messages or more", [key for key, count in taken.items() if count > 1])
        yield _none("receivers who were not asked for", set(taken) - self.recipients)

    def _of_the_books(self) -> Iterator[Claim]:
        books, found = self.books, self.books.reconciliation
        named = Counter(row.receiver for row in books.sent) + Counter(receiver for receiver, _ in books.unsent)
        yield _none("recipients in no book: lost", self.recipients - set(named))
        yield _none("recipients in two books", [key for key, count in named.items() if count > 1])
        parts = found and (found.sent_count + found.failed_count + found.excluded_count + found.unknown_count)
        yield _equal(
            "audience = sent + failed + excluded + unknown", found.audience_count if found else "?", parts or 0
        )
        yield _equal("recipients in the audience", len(self.recipients), found.audience_count if found else "?")
        yield _equal("pending at the end", 0, found.pending_count if found else "?")
        ended = CampaignStatus.COMPLETED
        why = (books.fault,) if books.fault else ()
        yield Claim("the campaign ended by itself", ended, books.status or "?", books.status == ended, why)
        asked, off = self.asked.count, self.asked.off_count
        words = f"reconciliations that did not add up, of {asked:,} asked"
        yield Claim(words, "0", f"{off:,}", asked > 0 and not off)
        silent_s, most_s = self.asked.unanswered_s, self.asked.most_unanswered_s
        words = f"seconds without an answer to {count_of(self.asked.unanswered_count, 'question', 'questions')}"
        yield Claim(words, f"<= {most_s:,.0f}", f"{silent_s:,.0f}", silent_s <= most_s)
        looks, off = self.looked.count, self.looked.off_count
        words = f"looks at the history with a message twice or missing, of {looks:,}"
        yield Claim(words, "0", f"{off:,}", looks > 0 and not off)

    def _of_both(self) -> Iterator[Claim]:
        books, taken = self.books, set(self.evidence.receivers)
        sent = {row.receiver for row in books.sent}
        unknown = books.whose(LedgerState.UNKNOWN)
        found = books.reconciliation
        yield _equal("messages in the history, as many as sent", found.sent_count if found else "?", len(books.sent))
        yield _none("sent by the books, not in the log", sent - taken)
        yield _none("in the log, neither sent nor unknown by the books", taken - sent - set(unknown))
        silent, most = self.evidence.silent_count, self.most_unknown
        count = unknown.total()
        yield Claim("unknown", f"<= {most + silent:,}", f"{count:,}", count <= most + silent)
        words = "messages whose receipts count otherwise than the log's"
        yield _none(words, list_misjudged(self.evidence, self.books))


def list_misjudged(evidence: Evidence, books: Books) -> list[str]:
    """Return the receivers whose message has another status than the receipts that the log saw acknowledged."""

    def status_of(row: Sent) -> str:
        state = evidence.states.get(row.gateway_message_id)
        return parse_receipt_state(state) if state else DeliveryStatus.SUBMITTED

    return [row.receiver for row in books.sent if status_of(row) != row.delivery_status]


def _none(words: str, found: Collection[str]) -> Claim:
    return Claim(words, "0", f"{len(found):,}", not found, tuple(sorted(found)[:5]))


def _equal(words: str, expected: int | str, seen: int | str) -> Claim:
    return Claim(words, _say(expected), _say(seen), expected == seen)


def _say(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
