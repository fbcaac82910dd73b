from core.domain.messages.replies import Keyword, read_reply
from core.domain.texts.encoding import choose_encoding
from core.domain.texts.octets import encode_octets
from core.gateways.smsc.replies import TEXTS, reply_of, split_reply


def test_everybody_answers_or_nobody_as_the_share_says():
    numbers = [f"+4917960{index:05}" for index in range(1_000)]
    assert not any(reply_of(0.0, each, "m") for each in numbers)
    assert all(reply_of(1.0, each, "m") for each in numbers)
    assert 50 < sum(reply_of(0.1, each, "m") is not None for each in numbers) < 150


def test_all_texts_come_within_half_a_minute_and_the_same_message_gets_the_same():
    answers = [reply_of(1.0, "+491", f"message {index}") for index in range(2_000)]
    assert {text for _, text in answers} == set(TEXTS)
    assert all(1 <= delay_s <= 30 for delay_s, _ in answers)
    assert answers == [reply_of(1.0, "+491", f"message {index}") for index in range(2_000)]


def test_four_in_ten_ask_to_stop_as_the_guide_says():
    assert 10 * sum(read_reply(text) is Keyword.STOP for text in TEXTS) == 4 * len(TEXTS)


def test_a_text_that_fits_is_sent_as_it_is_and_a_longer_one_in_parts():
    for text in TEXTS:
        parts = split_reply(text, "key")
        assert "".join(part for _, part in parts) == text
        fits = all(len(header + encode_octets(part, choose_encoding(part))) <= 160 for header, part in parts)
        assert fits
        if len(parts) > 1:
            assert [header[3:] for header, _ in parts] == [bytes((parts[0][0][3], 2, number)) for number in (1, 2)]
        else:
            assert parts[0][0] == b""
