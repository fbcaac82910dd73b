from core.domain.campaigns.campaigns import Reconciliation
from core.proving.observing import Tally

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
