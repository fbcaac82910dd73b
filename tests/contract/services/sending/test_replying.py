"""STOP and START are followed in the transaction that keeps the reply, on both databases."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from core.domain.accounts.suppressions import SuppressionSource
from core.domain.campaigns.campaigns import CampaignStatus
from core.domain.messages.messages import Reply
from core.domain.messages.replies import Keyword
from core.errors import StorageError
from core.services.sending.hearing import Hearing
from core.services.sending.replying import keep_replies
from core.state.accounts import accounts
from core.state.campaigns import campaigns
from core.state.engine.store import State
from core.state.suppressions import suppressions
from tests.support.application.factories import NOW, make_account, make_campaign, make_origin, make_reply
from tests.support.stores.suppressed import list_suppressed

MSISDN, OTHER = "+491796000001", "+491796000002"
PATIENCE_S = 30


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        accounts.add_account(session, make_account(), NOW)
        accounts.add_account(session, make_account(account_id="account-2", name="service"), NOW)
        sent = make_campaign(status=CampaignStatus.COMPLETED, launched_at=NOW, lists=())
        campaigns.add_campaign(session, sent)
    return state


LIFTING = suppressions.Lifting("Ada", NOW, "A mistake")


def hear(store: State, *said: Reply, now: datetime = NOW) -> None:
    with store.write() as session:
        keep_replies(session, said, now)


def suppressed(store: State, account_id: str = "account-1") -> list[str]:
    with store.read() as session:
        return sorted(list_suppressed(session, account_id))


def at(minutes: int, **facts: object) -> Reply:
    return make_reply(received_at=NOW + timedelta(minutes=minutes), **facts)


def test_stop_suppresses_the_number_in_the_account_that_used_the_sender_id(store: State):
    hear(store, make_reply(text="Stop!"))
    assert (suppressed(store), suppressed(store, "account-2")) == ([MSISDN], [])


def test_stop_to_a_sender_id_nobody_has_used_counts_for_every_account_of_the_gateway(store: State):
    hear(store, make_reply(receiver="12345"))
    assert suppressed(store) == suppressed(store, "account-2") == [MSISDN]


def test_replies_to_many_receivers_ask_the_store_no_more_than_those_to_one(store: State):
    asked = []
    note = lambda *facts: asked.append(facts[2])  # noqa: E731 - it is taken away again
    event.listen(store._engine, "before_cursor_execute", note)
    hear(store, *(make_reply(text="Hello", receiver="12345") for _ in range(40)))
    count = len(asked)
    hear(store, *(make_reply(text="Hello", receiver=str(number)) for number in range(40)))
    event.remove(store._engine, "before_cursor_execute", note)
    assert len(asked) == 2 * count


def test_what_the_provider_has_understood_counts_but_never_against_a_stop(store: State):
    hear(store, at(0, text="No", keyword=Keyword.STOP))
    assert suppressed(store) == [MSISDN]
    hear(store, at(1, text="OK again", keyword=Keyword.START))
    assert suppressed(store) == []
    hear(store, at(2, text="stop", keyword=Keyword.HELP))
    assert suppressed(store) == [MSISDN]


@pytest.mark.parametrize("text", ["HELP", "STOP PLEASE", "Thank you", ""])
def test_nothing_else_suppresses_anybody(store: State, text: str):
    hear(store, make_reply(text=text))
    assert suppressed(store) == []


def test_a_sender_that_is_no_number_suppresses_nobody(store: State):
    hear(store, make_reply(sender="Vodafone"), make_reply(sender="0179 6000001"))
    assert suppressed(store) == []


def test_start_lifts_what_stop_has_set(store: State):
    hear(store, at(0), at(0, sender="491796000002"))
    hear(store, at(1, text="START"), now=NOW + timedelta(minutes=1))
    assert suppressed(store) == [OTHER]


def test_start_never_lifts_what_a_person_has_set(store: State):
    with store.write() as session:
        assert suppressions.add_suppressions(session, "account-1", [MSISDN], make_origin()) == 1
    hear(store, at(0), at(1, text="START"), now=NOW + timedelta(minutes=1))
    assert suppressed(store) == [MSISDN]


@pytest.mark.parametrize(("texts", "left"), [(("STOP", "START"), []), (("START", "STOP"), [MSISDN])])
def test_of_one_person_in_one_batch_the_last_counts(store: State, texts: tuple[str, ...], left: list[str]):
    # Received at the same moment, as a gateway whose times have whole seconds tells it.
    hear(store, *(make_reply(text=text) for text in texts))
    assert suppressed(store) == left


@pytest.mark.parametrize(("texts", "left"), [(("STOP", "START"), [MSISDN]), (("START", "STOP"), [])])
def test_it_is_the_gateway_s_time_that_says_which_was_last(store: State, texts: tuple[str, ...], left: list[str]):
    first, second = texts
    later = NOW + timedelta(minutes=5)
    hear(store, at(2, text=first), at(1, text=second), now=later)
    assert suppressed(store) == left
    # In a batch of its own, too: a provider may have had to tell it again.
    hear(store, at(0, text=second), now=later)
    assert suppressed(store) == left


def test_a_stop_told_again_after_a_start_asks_for_nothing_more(store: State):
    stop = at(0, reference="their-1")
    hear(store, stop, stop)
    assert suppressed(store) == [MSISDN]
    hear(store, at(1, text="START", reference="their-2"), now=NOW + timedelta(minutes=1))
    hear(store, stop, now=NOW + timedelta(minutes=2))
    assert suppressed(store) == []


def test_what_is_not_kept_suppresses_nobody(store: State):
    def keep_and_break(session: object, said: object, now: datetime) -> None:
        keep_replies(session, said, now)
        raise StorageError("The state store is full.")

    with pytest.raises(StorageError):
        Hearing(store, lambda: NOW, keep_and_break).store([], [make_reply()])
    assert suppressed(store) == []


def test_who_says_stop_to_several_processes_at_once_is_suppressed_once(store: State):
    start, faults = threading.Barrier(4), list[Exception]()

    def tell(number: int) -> None:
        start.wait(PATIENCE_S)
        try:
            # In another order each, as two callbacks of one batch may be.
            said = [make_reply(sender=sender) for sender in ("491796000001", "491796000002")]
            hear(store, *(said if number % 2 else reversed(said)))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            faults.append(error)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert (faults, suppressed(store)) == ([], [MSISDN, OTHER])


def test_the_reason_says_that_it_was_a_reply(store: State):
    hear(store, make_reply())
    with store.write() as session:
        suppressions.lift_suppressions(session, "account-1", [MSISDN], SuppressionSource.PERSON, LIFTING)
    assert suppressed(store) == [MSISDN]
    with store.write() as session:
        suppressions.lift_suppressions(session, "account-1", [MSISDN], SuppressionSource.STOP, LIFTING)
    assert suppressed(store) == []
