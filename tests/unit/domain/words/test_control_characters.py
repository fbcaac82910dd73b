import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.messages.messages import Receipt, SubmitOutcome, SubmitResult
from core.domain.words.control_characters import BREAKS, find_control, refuse_controls, replace_controls
from core.errors import InvalidInput

NOW = datetime(2026, 3, 1, tzinfo=UTC)
# Lone surrogates too, which st.text leaves out.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)


@given(TEXTS)
def test_what_is_refused_are_controls_and_halves_of_pairs(text: str):
    odd = [character for character in text if unicodedata.category(character) in {"Cc", "Cs"}]
    found = find_control(text)
    assert (found[0] if found else None) == (odd[0] if odd else None)
    of_prose = [character for character in odd if character not in BREAKS]
    found = find_control(text, is_prose=True)
    assert (found[0] if found else None) == (of_prose[0] if of_prose else None)


@given(TEXTS)
def test_what_is_replaced_passes_and_keeps_its_length(text: str):
    for is_prose in (False, True):
        replaced = replace_controls(text, is_prose=is_prose)
        assert find_control(replaced, is_prose=is_prose) is None
        assert len(replaced) == len(text)
        replaced.encode()


def test_the_sentence_says_what_and_where():
    with pytest.raises(InvalidInput, match=r"The message has .*: U\+0000 at position 3"):
        refuse_controls("ab\0", "The message", is_prose=True)
    with pytest.raises(InvalidInput, match="line break"):
        refuse_controls("a\nb", "The name")


def test_what_a_gateway_says_is_kept_without_its_control_characters():
    answer = SubmitResult("m", SubmitOutcome.ACCEPTED, NOW, gateway_message_id="ab\0c\ud800", error_code="\x1f1")
    receipt = Receipt("http", "ab\0c\ud800", "DELIV\x00RD", "0\n", NOW)
    assert answer.gateway_message_id == receipt.gateway_message_id == "ab\ufffdc\ufffd"
    assert (answer.error_code, receipt.receipt_state, receipt.error_code) == ("\ufffd1", "DELIV\ufffdRD", "0\ufffd")


def test_what_a_gateway_says_fits_and_tells_apart():
    ids = [f"{'x' * 5_000}{end}" for end in "ab"]
    said = [SubmitResult("m", SubmitOutcome.ACCEPTED, NOW, each, "e" * 5_000) for each in ids]
    told = [Receipt("simulator", each, "s" * 5_000, "e" * 5_000, NOW) for each in ids]
    assert [one.gateway_message_id for one in said] == [one.gateway_message_id for one in told]
    assert len({one.gateway_message_id for one in told}) == 2
    assert {(len(one.gateway_message_id), len(one.receipt_state), len(one.error_code)) for one in told} == {
        (64, 20, 40)
    }
    again = [Receipt("simulator", one.gateway_message_id, one.receipt_state, one.error_code, NOW) for one in told]
    assert again == told
