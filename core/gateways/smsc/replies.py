"""What people answer: STOP in some languages among it, and what no list of words foresees."""

from zlib import crc32

from core.domain.texts.encoding import choose_encoding
from core.domain.texts.segments import split_into_segments
from core.gateways.smsc.behavior import is_chosen

# Four in ten end it, in their own words; the others are somebody's to read.
TEXTS = (
    "STOP",
    "stop",
    "Stop.",
    "STOPP",
    "ARRET",
    "BAJA",
    "Διαγραφή",
    "СТОП",
    "START",
    "HELP",
    "Thanks!",
    "Who is this?",
    "Please stop calling me, I will come by tomorrow",
    "Non-stop flights only, please",
    "Ich hätte gern 2 Karten für Samstag",
    "👍",
    (
        "Is this still valid? I was away all week, found the message only today, and would like to know whether I may"
        " bring a friend along, or whether each of us needs an invitation of our own."
    ),
    "",
    "1",
    "Ok",
)
# From a second to half a minute after the message is there.
_FASTEST_S, _SLOWEST_S = 1.0, 30.0
_STEPS = 1_000


def split_reply(text: str, key: str) -> list[tuple[bytes, str]]:
    """Return (user data header, text) of what a phone sends for *text*: one message, or parts; *key* decides which."""
    segments = split_into_segments(text, choose_encoding(text))
    if len(segments) <= 1:
        return [(b"", text)]
    # Source: 3GPP TS 23.040, 9.2.3.24.1: length of the header, element, its length, reference, parts, number.
    reference = crc32(f"reference {key}".encode()) % 256
    return [
        (bytes((5, 0, 3, reference, len(segments), number)), segment.text)
        for number, segment in enumerate(segments, start=1)
    ]


def reply_of(share: float, msisdn: str, message_id: str) -> tuple[float, str] | None:
    """Return (seconds after the delivery, text) of the receiver's reply; None of one who does not answer."""
    if not is_chosen(share, f"reply {msisdn}"):
        return None
    chance = crc32(f"{message_id} {msisdn}".encode())
    delay_s = _FASTEST_S + (_SLOWEST_S - _FASTEST_S) * (chance // len(TEXTS) % _STEPS) / _STEPS
    return delay_s, TEXTS[chance % len(TEXTS)]
