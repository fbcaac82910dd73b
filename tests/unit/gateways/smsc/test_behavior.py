import pytest

from core.errors import InvalidInput
from core.gateways.smsc.behavior import Faults, change_faults, is_chosen, parse_fault


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("answer_s=0.2", ("answer_s", 0.2)),
        ("drop_every=100", ("drop_every", 100)),
        ("bind_status=0x0D", ("bind_status", 13)),
        ("deaf=yes", ("deaf", True)),
        ("silent=no", ("silent", False)),
    ],
)
def test_a_fault_is_read(text: str, parsed: tuple[str, object]):
    assert parse_fault(text) == parsed
    assert change_faults(Faults(), dict([parsed])) == Faults(**dict([parsed]))


@pytest.mark.parametrize("text", ["", "deaf", "deaf=", "deaf=perhaps", "answer_s=1,5"])
def test_what_is_no_fault_is_said(text: str):
    with pytest.raises(InvalidInput, match="is no fault"):
        parse_fault(text)


def test_what_is_not_named_stays():
    before = Faults(deaf=True, answer_s=1.0)
    assert change_faults(before, {"answer_s": 2}) == Faults(deaf=True, answer_s=2)
    assert change_faults(before, {}) == before


def test_a_share_of_keys_is_chosen_and_always_the_same():
    keys = [f"key {number}" for number in range(5_000)]
    chosen = [key for key in keys if is_chosen(0.3, key)]
    assert len(chosen) == pytest.approx(1_500, abs=100)
    assert chosen == [key for key in keys if is_chosen(0.3, key)]
    assert not any(is_chosen(0.0, key) for key in keys)
    assert all(is_chosen(1.0, key) for key in keys)
