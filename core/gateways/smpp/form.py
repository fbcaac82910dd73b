"""What a person is asked about an SMSC, and what becomes of the answers."""

from dataclasses import dataclass

from core.domain.gateways.forms import Field, FieldKind
from core.domain.gateways.gateways import Connection
from core.gateways.receipt_times import MAX_OFFSET_MIN, MIN_OFFSET_MIN
from core.gateways.smpp.pdu import Bind, Command
from core.gateways.smpp.session.link import Target
from core.gateways.smpp.settings import MAX_VALIDITY_MIN, Alphabet, Ids, LongReceipts, LongTexts, SmppSettings
from core.gateways.states import parse_states, states_field
from core.gateways.tls import make_tls

_STATES = "states"
_TLS, _SPEED, _MESSAGES, _RECEIPTS = "Encryption", "Connections", "Messages", "Receipts"

FORM = (
    Field("host", "Host", required=True, help="Name or address of the SMSC, such as smpp.example.com."),
    Field("port", "Port", FieldKind.NUMBER, 2775, least=1, most=65_535),
    Field("system_id", "System ID", required=True, help="The user name. Your provider gives it to you."),
    Field(
        "password",
        "Password",
        FieldKind.SECRET,
        required=True,
        help="SMPP 3.4 has at most 8 characters. A longer one is sent as it is, which many providers allow.",
    ),
    Field("system_type", "System type", help="Only if your provider names one."),
    Field("tls", "Use TLS", FieldKind.SWITCH, default=False, section=_TLS),
    Field(
        "ca",
        "Certificate authority",
        FieldKind.LONG_TEXT,
        section=_TLS,
        help="PEM certificates to trust instead of those of the system.",
    ),
    Field(
        "mode",
        "Binds",
        FieldKind.CHOICE,
        "transceiver",
        choices={
            "transceiver": "Transceiver: one bind sends and receives",
            "separate": "A transmitter and a receiver",
        },
        section=_SPEED,
    ),
    Field(
        "binds",
        "Number of binds",
        FieldKind.NUMBER,
        1,
        least=1,
        most=10,
        section=_SPEED,
        help="Per worker. They share the gateway's rate; the provider says how many it allows.",
    ),
    Field(
        "window",
        "Window",
        FieldKind.NUMBER,
        10,
        least=1,
        most=1_000,
        section=_SPEED,
        help="Messages per bind that may wait for an answer. What has none when a connection breaks is unknown.",
    ),
    Field(
        "response_s",
        "Response timer, seconds",
        FieldKind.NUMBER,
        30,
        least=1,
        most=300,
        section=_SPEED,
        help="A message without an answer after this time is unknown, until one comes after all.",
    ),
    Field(
        "enquire_s",
        "Enquire link, seconds",
        FieldKind.NUMBER,
        30,
        least=1,
        most=600,
        section=_SPEED,
        help="After so long without a word the SMSC is asked whether it is still there.",
    ),
    Field(
        "long_texts",
        "Long messages",
        FieldKind.CHOICE,
        LongTexts.UDH8.value,
        choices={
            LongTexts.UDH8.value: "User data header, 8-bit reference",
            LongTexts.UDH16.value: "User data header, 16-bit reference",
            LongTexts.SAR.value: "SAR parameters",
            LongTexts.PAYLOAD.value: "message_payload: the SMSC cuts them",
        },
        section=_MESSAGES,
    ),
    Field(
        "alphabet",
        "Default alphabet",
        FieldKind.CHOICE,
        Alphabet.GSM7.value,
        choices={
            Alphabet.GSM7.value: "GSM 7-bit, one octet a character",
            Alphabet.LATIN1.value: "Latin-1 (ISO 8859-1)",
            Alphabet.ASCII.value: "ASCII",
        },
        section=_MESSAGES,
        help="How GSM texts are written, and replies of data coding 0 read. If @ or é come out as other signs, it is "
        "another one. Segments are counted the same. A text with a sign that it lacks, such as €, goes as Unicode if "
        "that takes no more of them, and fails otherwise.",
    ),
    Field("gsm7_data_coding", "Data coding of GSM texts", FieldKind.NUMBER, 0, most=255, section=_MESSAGES),
    Field("ucs2_data_coding", "Data coding of Unicode texts", FieldKind.NUMBER, 8, most=255, section=_MESSAGES),
    Field(
        "validity_min",
        "Validity, minutes",
        FieldKind.NUMBER,
        0,
        most=MAX_VALIDITY_MIN,
        section=_MESSAGES,
        help="How long delivery is tried; 0 leaves it to the SMSC.",
    ),
    Field(
        "ids",
        "Message IDs in receipts",
        FieldKind.CHOICE,
        Ids.AS_THEY_ARE.value,
        choices={
            Ids.AS_THEY_ARE.value: "The same as in the response",
            Ids.ANY_CASE.value: "The same, in upper or lower case",
            Ids.RESPONSE_HEX.value: "Hexadecimal in the response, decimal in the receipt",
            Ids.RECEIPT_HEX.value: "Decimal in the response, hexadecimal in the receipt",
        },
        section=_RECEIPTS,
    ),
    Field(
        "long_receipts",
        "Receipts of long messages",
        FieldKind.CHOICE,
        LongReceipts.LAST_PART.value,
        choices={
            LongReceipts.LAST_PART.value: "For every part: the last one asks",
            LongReceipts.ANY_PART.value: "For one part only: all parts ask",
        },
        section=_RECEIPTS,
        help="Choose the second if long messages stay Submitted while short ones do not. The IDs of all parts are then "
        "kept for two weeks, and whatever is reported of any part counts for the message.",
    ),
    Field(
        "receipt_offset_min",
        "Receipt times ahead of UTC, minutes",
        FieldKind.NUMBER,
        0,
        least=MIN_OFFSET_MIN,
        most=MAX_OFFSET_MIN,
        section=_RECEIPTS,
        help="60 for a provider whose receipts are in Central European winter time.",
    ),
    states_field(
        _STATES,
        _RECEIPTS,
        "Whoever says nothing after ACCEPTD needs ACCEPTD = DELIVRD. What has a line counts before message_state.",
    ),
)


@dataclass(frozen=True)
class Plan:
    """How an SMSC is bound to, and how it is spoken to."""

    targets: tuple[Target, ...]
    settings: SmppSettings
    system_id: str


def read_form(connection: Connection) -> Plan:
    """Return what the answers come to. Raises: InvalidInput: a certificate that is none, a line that says nothing."""
    # One that was set up before a field was added has its default.
    values = {each.name: each.default for each in FORM} | dict(connection.settings)
    modes = {
        "transceiver": (Command.BIND_TRANSCEIVER,),
        "separate": (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER),
    }[str(values["mode"])]
    tls = make_tls(str(values["ca"])) if values["tls"] else None
    targets = tuple(
        Target(
            host=str(values["host"]),
            port=int(values["port"]),
            bind=Bind(
                mode,
                str(values["system_id"]),
                connection.secrets.get("password", ""),
                str(values["system_type"]),
            ),
            window=int(values["window"]),
            tls=tls,
            response_s=float(values["response_s"]),
            enquire_s=float(values["enquire_s"]),
        )
        for mode in modes
        for _ in range(int(values["binds"]))
    )
    settings = SmppSettings(
        gsm7_data_coding=int(values["gsm7_data_coding"]),
        ucs2_data_coding=int(values["ucs2_data_coding"]),
        alphabet=Alphabet(str(values["alphabet"])),
        long_texts=LongTexts(str(values["long_texts"])),
        ids=Ids(str(values["ids"])),
        long_receipts=LongReceipts(str(values["long_receipts"])),
        receipt_offset_min=int(values["receipt_offset_min"]),
        states=parse_states(str(values[_STATES]), _STATES),
        validity_min=int(values["validity_min"]),
    )
    return Plan(targets, settings, str(values["system_id"]))
