from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.gateways.smsc.assembly import KEPT_FOR, Assembly, Whole
from core.gateways.smsc.submits import ALL, Part, Submit, digest_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def part(number: int, text: bytes = b"x", *, total: int = 2, reference: int = 7, msisdn: str = "+491") -> Submit:
    return Submit(msisdn, "HELIOGRAPH", text, 1, Part(reference, total, number), ALL)


def add(assembly: Assembly, submit: Submit, key: str, now: datetime = NOW, system_id: str = "me") -> Whole | None:
    return assembly.add(system_id, submit, key, now)[1]


@given(
    st.lists(st.binary(max_size=5), min_size=2, max_size=9).flatmap(
        lambda texts: st.permutations(list(enumerate(texts, 1)))
    )
)
def test_parts_in_any_order_make_the_message_with_the_last_of_them(parts: list[tuple[int, bytes]]):
    assembly = Assembly()
    wholes = [add(assembly, part(number, text, total=len(parts)), f"id{number}") for number, text in parts]
    text = b"".join(text for _, text in sorted(parts))
    assert wholes[:-1] == [None] * (len(parts) - 1)
    assert wholes[-1] == Whole(f"id{parts[0][0]}", digest_of("+491", text), len(parts))


def test_parts_of_others_are_never_mixed_in():
    assembly = Assembly()
    assert add(assembly, part(1), "a") is None
    assert add(assembly, part(2, reference=8), "b") is None
    assert add(assembly, part(2, msisdn="+492"), "c") is None
    assert add(assembly, part(2, total=3), "d") is None
    assert add(assembly, part(2), "e", system_id="other") is None
    assert add(assembly, part(2), "f") == Whole("a", digest_of("+491", b"xx"), 2)


def test_a_reference_that_comes_again_is_a_message_of_its_own():
    assembly = Assembly()
    for first, second in (("a", "b"), ("c", "d")):
        assert add(assembly, part(1), first) is None
        assert add(assembly, part(2), second) == Whole(first, digest_of("+491", b"xx"), 2)


def test_a_part_that_comes_twice_is_logged_twice_and_belongs_to_the_message():
    assembly = Assembly()
    logged = [assembly.add("me", part(1), key, NOW)[0] for key in ("a", "b")]
    assert [each.first_id for each in logged] == ["a", "a"]
    assert add(assembly, part(2), "c") == Whole("a", digest_of("+491", b"xx"), 2)


def test_what_was_given_up_is_not_mixed_with_what_comes_much_later():
    assembly = Assembly()
    add(assembly, part(1), "a")
    later = NOW + KEPT_FOR + timedelta(seconds=1)
    assert add(assembly, part(2), "b", later) is None
    assert add(assembly, part(1), "c", later) == Whole("b", digest_of("+491", b"xx"), 2)


def test_parts_from_the_log_are_put_together_with_new_ones_without_their_texts():
    before = Assembly()
    logged = [before.add("me", part(number, total=3), key, NOW)[0] for number, key in ((2, "a"), (1, "b"))]
    after = Assembly(logged)
    assert add(after, part(3, total=3), "c") == Whole("a", "unread a", 3)
