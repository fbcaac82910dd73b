from types import SimpleNamespace
from typing import cast

import pytest

from core.domain.campaigns.campaigns import CampaignStatus, Reconciliation
from core.errors import StorageError
from core.proving import observing
from core.proving.installation import Installation
from core.proving.observing import Looks, Observer, Tally

GOOD = Reconciliation(10, 6, {}, {}, 1, 3)


def test_answers_that_add_up_are_counted():
    tally = Tally()
    # Before the audience is frozen there is nobody in it.
    for found in (Reconciliation(0, 0, {}, {}, 0, 0), GOOD):
        tally.note(found, 10)
    assert (tally.asked, tally.off, tally.first_off) == (2, 0, "")


def test_an_answer_that_does_not_add_up_is_kept():
    tally = Tally()
    for pending_count in (2, 1, 3):
        tally.note(Reconciliation(10, 6, {}, {}, 1, pending_count), 10)
    assert (tally.asked, tally.off) == (3, 2)
    assert "pending_count=2" in tally.first_off


def test_an_audience_that_is_smaller_than_the_list_does_not_add_up():
    tally = Tally()
    tally.note(Reconciliation(9, 6, {}, {}, 1, 2), 10)
    assert tally.off == 1


class Away:
    """An application whose store is."""

    def __getattr__(self, name: str) -> object:
        raise StorageError("The store does not answer.")


def test_how_long_there_was_no_answer_is_counted(monkeypatch: pytest.MonkeyPatch):
    observer = Observer(cast("Installation", SimpleNamespace(app=Away(), viewer=None)), "campaign")
    monkeypatch.setattr(observing.time, "monotonic", iter([103.0, 110.0]).__next__)
    observer._asked_s = 100.0
    # From the end of the question before to the end of this one.
    observer._ask()
    observer._ask()
    assert (observer.tally.asked, observer.tally.unanswered, observer.tally.unanswered_s) == (0, 2, 10.0)


def test_looks_with_each_message_once_are_counted():
    looks = Looks()
    for count in (0, 400, 400, 1_500):
        looks.note(count, count)
    assert (looks.count, looks.off, looks.first_off) == (4, 0, "")


@pytest.mark.parametrize(("row_count", "message_count"), [(1_957, 1_500), (1_455, 1_455), (1_500, 1_499)])
def test_a_look_with_a_message_twice_or_missing_is_kept(row_count: int, message_count: int):
    looks = Looks()
    looks.note(1_500, 1_500)
    looks.note(row_count, message_count)
    looks.note(1_500, 1_500)
    looks.note(1_501, 1_500)
    assert (looks.count, looks.off) == (4, 2)
    assert looks.first_off == f"rows: {row_count:,}, messages in them: {message_count:,}, seen before: 1,500"


@pytest.mark.parametrize("status", CampaignStatus)
def test_a_campaign_that_waits_goes_on_and_one_that_failed_does_not(status: CampaignStatus):
    observer = Observer(cast("Installation", None), "campaign", status=status)
    ended = {CampaignStatus.COMPLETED, CampaignStatus.INACTIVE, CampaignStatus.CANCELED}
    assert observer.is_over == (status in ended)
