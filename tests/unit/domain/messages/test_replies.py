# Letters that look like others are what is tested.
# ruff: noqa: RUF001
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.data_files import read_table
from core.domain.messages import replies
from core.domain.messages.replies import LONGEST, WORDS, Keyword, read_reply

ROWS = list(read_table(WORDS))
LISTED = [(row["word"], Keyword(row["keyword"])) for row in ROWS]
# ISO 639-1 codes of what is listed.
LANGUAGES = "ar bg cs da de el en es fi fr he hi hr hu it ja ko nb nl pl pt ro ru sk sv tr uk zh"

STOPS = [
    "STOP",
    "stop",
    "Stop.",
    "  stop ",
    "\tStop\r\n",
    "STOP!!!",
    '"STOP"',
    "«stop»",
    "(stop)",
    "<STOP>",
    "*stop*",
    "_stop_",
    "...stop",
    "stop?",
    "¡stop!",
    "停止。",
    "stop 😡",
    "🛑 STOP 🛑",
    "stop ❤\ufe0f",
    "ＳＴＯＰ",
    "Ｓｔｏｐ！",
    "ⓢⓣⓞⓟ",
    "𝐒𝐓𝐎𝐏",
    "s\u0336t\u0336o\u0336p\u0336",
    "STÓP",
    "S\u200bT\u200bO\u200bP",
    "\ufeffSTOP",
    "STOP\u2060",
    "\u202aSTOP\u202c",
    "ST\u00adOP",
    "\u00a0STOP\u00a0",
    "\u3000STOP\u3000",
    "\u2800STOP",
    "STOP\x00",
    "STOP\ufffc",
    "Stop all",
    "STOP ALL",
    "stop  all",
    "stop\nall",
    "STOP-ALL",
    "StopAll",
    "opt-out",
    "opt out",
    "OPT\u2011OUT",
    "opt－out",
    "OptOut",
    "ARRET",
    "ARRÊT",
    "arrêt",
    "ARRE\u0302T",
    "Arrêter !",
    "désabonner",
    "STOPP",
    "abmelden",
    "Cancelar",
    "baja",
    "rezygnuję",
    "REZYGNUJE",
    "rezygnuje\u0328",
    "odhlasit",
    "СТОП",
    "стоп",
    "отписаться",
    "στοπ",
    "διαγραφη",
    "iptal",
    "İPTAL",
    "IPTAL",
    "ıptal",
    "ايقاف",
    "إيقاف",
    "إيقـــاف",
    "إِيقَاف",
    "הסר",
    "रोकें",
    "बंद करें",
    "退订",
    "退訂",
    "TD",
    "ストップ",
    "ｽﾄｯﾌﾟ",
    "수신거부",
]
STARTS = ["START", "start!", "ＳＴＡＲＴ", "Unstop", "yes", "YES.", "Alta", "старт", "başlat", "BASLAT", "ابدأ", "開始"]
HELPS = ["HELP", "help?", "Info", "Hilfe", "aide", "HJÄLP", "hjalp", "помощь", "yardim", "मदद", "ヘルプ"]
NONES = [
    "",
    " ",
    "?!",
    "\u200b",
    "😡",
    "\x00",
    "STOP PLEASE",
    "please stop",
    "Please stop by tomorrow",
    "don't stop",
    "stop stop",
    "STOP1",
    "1 STOP",
    "STOP 2",
    "stopped",
    "S T O P",
    "s.t.o.p",
    "ST OP",
    "stop,all",
    "non-stop",
    "STOP\x00ALL",
    "yes please",
    "no",
    "No.",
    "oui",
    "ja",
    "sí",
    "да",
    "T",
    "R",
    "1",
    "ⓝⓞⓣ stop",
    "STOP™",
    "Fine",
    "fin",
    "seis",
    "dur",
    # Hindi for "later", which without its vowel would be "off"; kana without their marks.
    "बाद",
    "बाद करें",
    "ストッフ",
    # Letters that look alike.
    "SТOP",
    "ЅТОР",
    "STOP" * 30,
    "STOP" + "\u0301" * LONGEST,
]


@pytest.mark.parametrize(
    ("text", "keyword"),
    [(text, Keyword.STOP) for text in STOPS]
    + [(text, Keyword.START) for text in STARTS]
    + [(text, Keyword.HELP) for text in HELPS]
    + [(text, Keyword.NONE) for text in NONES],
)
def test_a_reply_is_read(text, keyword):
    assert read_reply(text) is keyword


@pytest.mark.parametrize(("word", "keyword"), LISTED)
def test_a_listed_word_is_read_however_it_is_typed(word, keyword):
    forms = [unicodedata.normalize(form, word) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    typed = [word.lower(), word.upper(), word.capitalize(), f" {word}. ", *forms]
    assert {read_reply(text) for text in typed} == {keyword}


def test_the_words_are_listed_once_in_order_with_language_and_source():
    keywords = [keyword for _, keyword in LISTED]
    assert [keyword for keyword, _ in Counter(keywords).most_common()] == [Keyword.STOP, Keyword.HELP, Keyword.START]
    assert [word for word, count in Counter(word for word, _ in LISTED).items() if count > 1] == []
    order = [(list(Keyword).index(Keyword(row["keyword"])), row["languages"].split()[0], row["word"]) for row in ROWS]
    assert order == sorted(order)
    assert sorted({language for row in ROWS for language in row["languages"].split()}) == LANGUAGES.split()
    sources = {row["source"] for row in ROWS}
    assert [name for name in sources if name != "common usage" and not name.startswith("https://")] == []


def test_a_word_is_of_more_than_one_letter_and_fits():
    assert [word for word, _ in LISTED if not 2 <= len(word) <= LONGEST // 4] == []


# Letters and digits of no listed word; none of them is another letter in another form.
OTHERS = st.sampled_from([*"0123456789", *map(chr, range(0x10D0, 0x10F1)), *map(chr, range(0x0E01, 0x0E2F))])
AROUND = st.text(st.sampled_from(" \t\n\u00a0\u3000\u200b\u200d\u2060\ufeff.,;:!?'\"()[]<>*_-+/|~…«»„“。！😡❤\ufe0f"))


@given(before=st.text(), other=OTHERS, after=st.text())
def test_a_reply_with_other_letters_is_for_a_person(before, other, after):
    assert read_reply(before + other + after) is Keyword.NONE


@given(listed=st.sampled_from(LISTED), at=st.integers(0, 20), other=OTHERS)
def test_a_word_with_another_letter_in_it_is_for_a_person(listed, at, other):
    word, _ = listed
    assert read_reply(word[:at] + other + word[at:]) is Keyword.NONE


@given(before=AROUND, listed=st.sampled_from(LISTED), after=AROUND)
def test_whatever_is_no_letter_may_stand_around_a_word(before, listed, after):
    word, keyword = listed
    assert read_reply(before + word + after) is keyword


@given(st.text())
def test_any_text_is_read(text):
    assert read_reply(text) in Keyword


LONG = 100_000


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("\u200b" * LONG + "STOP", Keyword.STOP),
        (" " * LONG + "STOP" + "!" * LONG, Keyword.STOP),
        ("STOP" + " " * LONG + "ALL", Keyword.STOP),
        ("STOP" + "\u0301" * LONG, Keyword.NONE),
        ("\u0327\u0301" * LONG, Keyword.NONE),
        ("STOP " * LONG, Keyword.NONE),
        ("\ufdfa" * LONG, Keyword.NONE),
        ("-" * LONG, Keyword.NONE),
        ("S-" * LONG, Keyword.NONE),
    ],
    ids=["unseen", "around", "between", "marks", "only marks", "words", "ligatures", "hyphens", "letters and hyphens"],
)
def test_a_long_reply_is_never_normalized(monkeypatch, text, keyword):
    lengths = []

    def watched(form, text):
        lengths.append(len(text))
        return unicodedata.normalize(form, text)

    monkeypatch.setattr(replies, "normalize", watched)
    assert read_reply(text) is keyword
    # As long as one character of a hundred may become.
    assert max(lengths, default=0) <= LONGEST * 18
