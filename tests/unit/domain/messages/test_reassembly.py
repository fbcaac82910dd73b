from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.reassembly import Joined, Part, Reassembler

NOW = datetime(2026, 11, 28, 16, 31, tzinfo=UTC)
PATIENCE = timedelta(minutes=10)


def make_part(number: int = 1, content: str = "", token: str = "", **overrides) -> Part[str]:
    values = {"source": "4915", "destination": "12345", "reference": 7, "total": 3, **overrides}
    return Part(number=number, content=content or f"part {number}", token=token or f"t{number}", **values)


def add_all(reassembler: Reassembler[str], *parts: Part[str]) -> list[Joined[str]]:
    return [joined for part in parts for joined in reassembler.add(part, NOW)]


def list_contents(joined: Joined[str]) -> list[str]:
    return [part.content for part in joined.parts]


def test_a_text_leaves_when_its_last_part_is_there_in_the_order_of_the_numbers():
    [joined] = add_all(Reassembler(), make_part(3), make_part(1), make_part(2))
    assert joined.is_whole
    assert list_contents(joined) == ["part 1", "part 2", "part 3"]
    assert joined.repeats == ()


def test_texts_of_two_people_or_two_references_are_kept_apart():
    reassembler = Reassembler()
    others = [{"source": "4916"}, {"destination": "99"}, {"reference": 8}, {"total": 2}]
    assert add_all(reassembler, make_part(1), *(make_part(2, **other) for other in others)) == []
    assert len(reassembler) == 5


def test_a_part_that_comes_twice_leaves_with_the_others():
    again = make_part(1, token="again")
    reassembler = Reassembler()
    [joined] = add_all(reassembler, make_part(1), again, make_part(2), make_part(3))
    assert joined.is_whole
    assert joined.repeats == (again,)
    assert len(reassembler) == 3


def test_a_part_that_comes_again_after_its_text_left_leaves_alone():
    reassembler = Reassembler()
    add_all(reassembler, make_part(1), make_part(2), make_part(3))
    again = make_part(2, token="again")
    assert reassembler.add(again, NOW) == [Joined((), (again,), is_whole=False)]


def test_a_reference_used_again_is_another_text():
    reassembler = Reassembler()
    add_all(reassembler, make_part(1), make_part(2), make_part(3))
    [joined] = add_all(reassembler, make_part(2, "b"), make_part(1, "a"), make_part(3, "c"))
    assert list_contents(joined) == ["a", "b", "c"]


def test_a_reference_used_again_too_early_lets_the_first_text_leave_as_it_is():
    reassembler = Reassembler()
    [first, second] = add_all(
        reassembler, make_part(1), make_part(2), make_part(1, "a"), make_part(2, "b"), make_part(3, "c")
    )
    assert (list_contents(first), first.is_whole) == (["part 1", "part 2"], False)
    assert (list_contents(second), second.is_whole) == (["a", "b", "c"], True)


def test_a_text_that_waited_too_long_leaves_as_it_is():
    reassembler = Reassembler(PATIENCE)
    add_all(reassembler, make_part(3), make_part(1))
    # The first part counts: another one does not begin the wait anew.
    reassembler.add(make_part(1, token="again"), NOW + PATIENCE / 2)
    assert reassembler.expire(NOW + PATIENCE - timedelta(seconds=1)) == []
    [joined] = reassembler.expire(NOW + PATIENCE)
    assert (list_contents(joined), joined.is_whole, len(joined.repeats)) == (["part 1", "part 3"], False, 1)
    assert len(reassembler) == 0


def test_a_text_that_left_is_forgotten_in_time_and_does_not_leave_twice():
    reassembler = Reassembler(PATIENCE)
    add_all(reassembler, make_part(1), make_part(2), make_part(3))
    assert len(reassembler) == 3
    assert reassembler.expire(NOW + PATIENCE) == []
    assert len(reassembler) == 0


def test_after_the_clock_was_set_back_nothing_waits_for_the_old_time():
    reassembler = Reassembler(PATIENCE)
    add_all(reassembler, make_part(1))
    back = NOW - timedelta(days=365)
    assert reassembler.expire(back) == []
    assert len(reassembler.expire(back + PATIENCE)) == 1


def test_what_is_kept_has_a_bound_and_the_oldest_leaves():
    reassembler = Reassembler(most_parts=4)
    leaving = add_all(reassembler, *(make_part(1, reference=reference) for reference in range(10)))
    assert [joined.parts[0].reference for joined in leaving] == [0, 1, 2, 3, 4, 5]
    assert len(reassembler) == 4


def test_a_text_longer_than_the_bound_leaves_in_pieces():
    reassembler = Reassembler(most_parts=2)
    leaving = add_all(reassembler, *(make_part(number) for number in (1, 2, 3)))
    assert [part.number for joined in leaving for part in joined.parts] == [1, 2, 3]


PARTS = st.tuples(
    st.sampled_from(["4915", "4916"]), st.integers(0, 1), st.integers(1, 3), st.integers(2, 3), st.sampled_from("ab")
).filter(lambda part: part[2] <= part[3])
MINUTES = st.integers(-20, 20)


@given(st.lists(st.tuples(PARTS, MINUTES), max_size=40), st.integers(1, 6))
def test_each_part_leaves_once_whatever_comes_and_however_the_clock_goes(arrivals, most_parts: int):
    reassembler, tokens, leaving, now = Reassembler[str](PATIENCE, most_parts), count(), [], NOW
    for (source, reference, number, total, content), minutes in arrivals:
        now += timedelta(minutes=minutes)
        leaving += reassembler.expire(now)
        leaving += reassembler.add(Part(source, "1", reference, number, total, content, str(next(tokens))), now)
        assert len(reassembler) <= most_parts
    leaving += reassembler.expire(now + PATIENCE)
    assert len(reassembler) == 0
    left = [part.token for joined in leaving for part in (*joined.parts, *joined.repeats)]
    assert sorted(left, key=int) == [str(token) for token in range(len(arrivals))]
    for joined in leaving:
        numbers = [part.number for part in joined.parts]
        assert numbers == sorted(set(numbers))
        assert joined.is_whole == (bool(numbers) and len(numbers) == joined.parts[0].total)
