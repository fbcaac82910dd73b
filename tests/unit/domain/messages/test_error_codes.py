import pytest

from core.domain.messages.error_codes import (
    KINDS,
    ErrorClass,
    Stage,
    classify,
    find_meaning,
    read_command_status,
    write_command_status,
)
from core.gateways.simulator.profiles import FAILURES, REFUSALS

# Code, stage, and a word of the meaning that no other code of the kind has at that stage.
KNOWN = [
    ("simulator", "27", Stage.RECEIPT, "Absent", ErrorClass.TEMPORARY),
    ("simulator", "43", Stage.RECEIPT, "spam", ErrorClass.PERMANENT),
    ("simulator", "0x0000000B", Stage.SUBMIT, "destination", ErrorClass.PERMANENT),
    ("smpp", "0x00000008", Stage.SUBMIT, "System error", ErrorClass.TEMPORARY),
    ("smpp", "0x0000000A", Stage.SUBMIT, "sender ID", ErrorClass.ACCOUNT),
    ("smpp", "0x0000000D", Stage.SUBMIT, "Bind failed", ErrorClass.ACCOUNT),
    ("smpp", "0x0000000E", Stage.SUBMIT, "password", ErrorClass.ACCOUNT),
    ("smpp", "0x00000014", Stage.SUBMIT, "queue full", ErrorClass.TEMPORARY),
    ("smpp", "0x00000058", Stage.SUBMIT, "Throttled", ErrorClass.TEMPORARY),
    ("mitto", "1", Stage.SUBMIT, "Internal", ErrorClass.TEMPORARY),
    ("mitto", "6", Stage.SUBMIT, "sender", ErrorClass.ACCOUNT),
    ("mitto", "8", Stage.SUBMIT, "receiver", ErrorClass.PERMANENT),
    ("twilio", "20003", Stage.SUBMIT, "Permission", ErrorClass.ACCOUNT),
    ("twilio", "21610", Stage.SUBMIT, "STOP", ErrorClass.PERMANENT),
    ("twilio", "21610", Stage.RECEIPT, "STOP", ErrorClass.PERMANENT),
    ("twilio", "30003", Stage.RECEIPT, "Unreachable", ErrorClass.TEMPORARY),
    ("twilio", "30008", Stage.RECEIPT, "Unknown error", ErrorClass.UNKNOWN),
    ("vonage", "9", Stage.SUBMIT, "Credit", ErrorClass.ACCOUNT),
    ("vonage", "9", Stage.RECEIPT, "Illegal number", ErrorClass.PERMANENT),
    ("infobip", "12", Stage.SUBMIT, "Credit", ErrorClass.ACCOUNT),
    ("infobip", "12", Stage.RECEIPT, "equipment", ErrorClass.PERMANENT),
    # Providers differ: what the network calls final, this one tries again.
    ("infobip", "13", Stage.RECEIPT, "barred", ErrorClass.TEMPORARY),
]


@pytest.mark.parametrize(("kind", "code", "stage", "words", "error_class"), KNOWN)
def test_a_listed_code_has_words_and_a_class(kind, code, stage, words, error_class):
    found = find_meaning(kind, code, stage)
    assert found
    assert words in found.text
    assert found.is_certain
    assert classify(kind, code, stage) is error_class


def test_whatever_the_simulator_says_is_explained():
    said = [(code, Stage.RECEIPT) for _, code, _ in FAILURES] + [(code, Stage.SUBMIT) for code, _ in REFUSALS]
    meanings = [find_meaning("simulator", code, stage) for code, stage in said]
    assert all(meaning and meaning.is_certain for meaning in meanings)


@pytest.mark.parametrize("kind", ["smpp", "mitto", "acme", "gsm_map", "../codes/twilio"])
def test_receipts_of_a_kind_without_a_list_are_read_as_most_mean_them(kind):
    found = find_meaning(kind, "027", Stage.RECEIPT)
    assert found
    assert found.text.startswith("Absent subscriber")
    assert found.error_class is ErrorClass.TEMPORARY
    assert not found.is_certain


def test_nothing_is_done_on_a_guess():
    assert classify("acme", "1", Stage.RECEIPT) is ErrorClass.UNKNOWN
    assert classify("smpp", "27", Stage.RECEIPT) is ErrorClass.UNKNOWN


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("code", ["4711", "", " ", "0", "000", "²", "0x", "-1", "no such", "9" * 5_000])
@pytest.mark.parametrize("kind", [*KINDS, "acme"])
def test_a_code_nobody_knows_has_no_meaning(kind, code, stage):
    assert find_meaning(kind, code, stage) is None
    assert classify(kind, code, stage) is ErrorClass.UNKNOWN


def test_answers_of_a_kind_without_a_list_are_not_read_as_another_kinds():
    assert find_meaning("acme", "0x00000058", Stage.SUBMIT) is None
    assert find_meaning("acme", "absentSubscriber", Stage.SUBMIT) is None
    assert find_meaning("mitto", "30003", Stage.SUBMIT) is None


def test_a_list_of_its_own_is_not_mixed_with_the_common_one():
    assert find_meaning("simulator", "40", Stage.RECEIPT) is None
    assert find_meaning("vonage", "40", Stage.RECEIPT) is None


@pytest.mark.parametrize("code", ["REJECTED_DND", "rejected_dnd", " REJECTED_DND "])
def test_a_name_means_the_same_at_every_stage(code):
    found = [find_meaning("infobip", code, stage) for stage in Stage]
    assert found == [find_meaning("infobip", "10", Stage.SUBMIT)] * 2
    assert find_meaning("infobip", "10", Stage.RECEIPT) not in found


SPELLINGS = [
    ("0x58", "0x00000058"),
    ("0X58", "0x00000058"),
    (" 0x00000058 ", "0x00000058"),
    ("00000058", "0x00000058"),
    ("0000000b", "0x0000000B"),
    ("88", "0x00000058"),
    ("088", "0x00000058"),
    ("1099", "0x0000044B"),
    ("4294967295", "0xFFFFFFFF"),
    ("ESME_RTHROTTLED", "0x00000058"),
    ("esme_rthrottled", "0x00000058"),
    ("ESME_RSYSERR (0x00000008)", "0x00000008"),
    ("4294967296", None),
    ("0x100000000", None),
    ("58h", None),
    ("b", None),
    ("ESME_RNOSUCHNAME", None),
    ("٨٨", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "status"), SPELLINGS)
def test_a_command_status_is_read_however_it_is_written(text, status):
    assert read_command_status(text) == status


@pytest.mark.parametrize("code", ["0x58", "88", "ESME_RTHROTTLED", "0x00000058"])
def test_another_spelling_of_a_command_status_means_the_same(code):
    found = find_meaning("smpp", code, Stage.SUBMIT)
    assert found
    assert found.name == "ESME_RTHROTTLED"


@pytest.mark.parametrize("status", [0, 0x58, 0x44C, 0xFFFFFFFF])
def test_a_command_status_is_kept_in_one_form(status):
    kept = write_command_status(status)
    assert len(kept) == 10
    assert read_command_status(kept) == read_command_status(str(status)) == kept


def test_within_a_sentence_a_meaning_begins_small():
    found = find_meaning("simulator", "0x0000000B", Stage.SUBMIT)
    assert found
    assert found.inline == "invalid destination"
