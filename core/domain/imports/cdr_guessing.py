"""
What the columns, words and times of a CDR file probably mean.

Providers agree on nothing, but their names resemble each other. What is found here is only a proposal: a person sees it
before anything is imported, and what is not clear is asked.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.imports.cdr import CLOCK_LEEWAY, EARLIEST, CdrField, CdrMapping, DateFormat, PriceUnit
from core.domain.imports.cdr_prices import find_currency
from core.domain.messages.messages import DeliveryStatus
from core.domain.messages.receipts import STATUS_BY_WORD

# The usual names, likeliest first, without capitals and signs. A header that only contains one is no match: "status
# date" is no status.
_ALIASES: dict[CdrField, str] = {
    CdrField.SENT_DATE: "sentdate senddate sentat sent senttime sendtime sentdatetime submitdate submittime submitat "
    "submitted submittedat submitteddate submitdatetime submissiondate submissiontime messagedate messagetime msgdate "
    "requestdate requesttime requestedat sendat sendingdatetime sendingdate publishtimeutc publishtime datesent "
    "datereceived createdat created createddate createddatetime datecreated createtime creationdate messagetimestamp "
    "acceptedat eventtime senton clientsubmittime networksubmittime timestamp datetime date time at",
    CdrField.RECEIVER: "receiver msisdn destination dest destaddr destinationaddress destaddress destinationaddr "
    "destnumber destinationnumber recipient recipientnumber receivernumber tonumber phonenumber phone mobile "
    "mobilenumber number subscriber bnumber bparty called callednumber cld destinationphonenumber da to",
    CdrField.DELIVERY_STATUS: "deliverystatus dlrstatus dlrstate dlr stat deliverystate messagestate messagestatus "
    "msgstatus finalstatus finalstate receiptstatus receiptstate smsstatus statusname statusgroupname statustext "
    "status state result",
    CdrField.MESSAGE_ID: "messageid msgid smsid gatewaymessageid externalmessageid externalid providermessageid "
    "providerid smscmessageid messagesid messageuuid umid apimessageid dlrid trackingid transactionid sid uuid guid id",
    CdrField.SENDER: "sender senderid sendername source sourceaddr sourceaddress srcaddr src originator orig oa "
    "fromnumber alphatag anumber aparty calling cli header from",
    CdrField.DELIVERY_DATE: "deliverydate deliveredat deliveredtime delivereddate deliverytime donedate donetime "
    "doneat dlrdate dlrtime dlrat dlrtimestamp receiptdate receipttime finaldate finaltime finalizedat statusdate "
    "statustime statusdatetime statusat datefinalized deliveredon completedat handsettime operatorstatusat updatedat "
    "dateupdated",
    CdrField.ERROR_CODE: "errorcode errcode err error dlrerror dlrerr dlrerrorcode networkerrorcode failurecode "
    "reasoncode errorid dlrcode statuserrorcode statuscode code",
    CdrField.PRICE: "priceeurc pricepermessageeurc priceeurcents pricecents priceeur priceineur price costeurcents "
    "costeur totalprice totalcharge totalamount totalcost pricepricepermessage pricepermessage priceinusd priceusd "
    "priceamount costamount cost costs amount charge chargedamount fee rate",
    CdrField.CURRENCY: "currency priceunit pricecurrency costcurrency currencycode",
    CdrField.SEGMENTS: "segments segmentcount segmentscount numsegments numberofsegments numberofmessageparts "
    "messagepartcount totalmessagepartcount messagescount parts partcount messageparts "
    "pducount fragments fragmentssent numparts totalparts smsparts messagecount msgcount smscount smspages pages units",
    CdrField.UNICODE: "unicode isunicode datacoding dcs encoding coding charset",
    CdrField.COUNTRY: "country countrycode countryiso iso iso2 countryname destcountry destinationcountry "
    "recipientcountry",
    CdrField.NETWORK: "networkname operatorname carriername network operator carrier mno destnetwork recipientoperator",
    # Who has a column for the name besides means the code by the other one.
    CdrField.MCCMNC: "mccmnc plmn networkcode imsiprefix mccmnccode network",
}
_RANKS = {field: {alias: rank for rank, alias in enumerate(aliases.split())} for field, aliases in _ALIASES.items()}

_SUBMITTED, _DELIVERED, _UNDELIVERED = DeliveryStatus.SUBMITTED, DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED
# Besides the words of receipts, what providers write. Numbers are left out: a 2 is delivered to some, failed to others.
_COMMON: dict[DeliveryStatus, str] = {
    _SUBMITTED: "SUBMITTED SENT PENDING QUEUED ACCEPTED TRANSMITTED SENDING WAITING PROCESSING "
    "IN_PROGRESS IN_TRANSIT SENT_TO_OPERATOR SUBMITTED_TO_NETWORK DELIVERED_TO_OPERATOR EN_ROUTE SCHEDULED "
    "DISPATCHED DELIVERED_TO_GATEWAY ESME_ROK MESSAGE_HAS_BEEN_ACCEPTED_BY_PHONE_CARRIER",
    _DELIVERED: "DELIVERED DELIVRD DLVRD DELIVERY_SUCCESS DELIVERED_TO_HANDSET DELIVERED_TO_RECIPIENT "
    "RECEIVED_BY_RECIPIENT SUCCESSFULLY_DELIVERED MESSAGE_HAS_BEEN_ACCEPTED_BY_PHONE",
    _UNDELIVERED: "UNDELIVERED UNDELIVERABLE UNDELIVRD NOT_DELIVERED FAILURE DELIVERY_FAILED DELIVERY_FAILURE "
    "FAIL EXPIRED REJECTED DELETED BLOCKED BOUNCED CANCELED CANCELLED UNDELIVERED_TO_HANDSET NO_ROUTE "
    "ABSENT_SUBSCRIBER DELIVERY_UNCONFIRMED SENDING_FAILED ABORTED BLOCKED_AS_SPAM_BY_PHONE_CARRIER "
    "INVALID_PHONE_NUMBER "
    "NO_QUOTA_LEFT_FOR_ACCOUNT DESTINATION_IS_ON_A_BLOCKED_LIST DESTINATION_IS_BLOCKED PHONE_HAS_BLOCKED_SMS "
    "PHONE_CARRIER_HAS_BLOCKED_THIS_MESSAGE PHONE_CARRIER_IS_CURRENTLY_UNREACHABLE/UNAVAILABLE "
    "PHONE_IS_CURRENTLY_UNREACHABLE/UNAVAILABLE UNKNOWN_ERROR_ATTEMPTING_TO_REACH_PHONE "
    "THIS_DELIVERY_WOULD_EXCEED_MAX_PRICE",
}


def status_key(word: str) -> str:
    """Return *word* as statuses are compared: capitals, and one underscore between its parts."""
    return re.sub(r"[\s_-]+", "_", word.strip()).upper()


# Whole families of words, by what they begin with: what no exact word above says. ESME_ROK is an answer to submit_sm.
_FAMILIES: dict[str, DeliveryStatus] = {
    "PENDING_": _SUBMITTED,
    "UNDELIVERABLE_": _UNDELIVERED,
    "EXPIRED_": _UNDELIVERED,
    "REJECTED_": _UNDELIVERED,
    "ESME_R": _UNDELIVERED,
}


def find_status(word: str, said: Mapping[str, DeliveryStatus] | None = None) -> DeliveryStatus | None:
    """Return what *word* means: as somebody *said* (by `status_key`), else as is usual; None when nobody knows."""
    key = status_key(word)
    known = (said or {}).get(key) or STATUS_WORDS.get(key)
    return known or next((status for start, status in _FAMILIES.items() if key.startswith(start)), None)


STATUS_WORDS: dict[str, DeliveryStatus] = {
    **{word: status for status, words in _COMMON.items() for word in words.split()},
    **STATUS_BY_WORD,
}

_YES = frozenset(["1", "true", "yes", "y", "t", "unicode", "ucs2", "ucs-2", "utf-16", "utf16", "8"])
_NO = frozenset(["0", "false", "no", "n", "f", "gsm", "gsm7", "gsm-7", "text", "7bit", "latin"])


@dataclass(frozen=True)
class Times:
    """
    How a date format is recognised and read.

    *shape* is a regular expression for the whole cell; *patterns* are for strptime, and read it in this order. Formats
    without patterns are read otherwise. A shorter cell is filled up with zeros to *digits*, because a pattern without
    seconds would read fewer digits elsewhere.
    """

    shape: str
    patterns: tuple[str, ...] = ()
    digits: int = 0


# A date and a time of day have a blank between them, and some a comma before it. Browsers set AM and PM apart by a
# narrow no-break space.
NARROW_SPACE = "\u202f"
_CLOCK = rf"(?:,? \d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,6}})?)?(?:[ {NARROW_SPACE}][AaPp][Mm])?)?"
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p")


def _dated(*days: str) -> Times:
    """Return a format of date and time of day, which may have seconds, a fraction, or AM and PM."""
    shapes = [_DAY_PART.sub(lambda part: _DAY_SHAPES[part[0]], day.replace(".", r"\.")) for day in days]
    patterns = (*(f"{day} {clock}" for day in days for clock in _CLOCKS), *days)
    return Times(rf"(?:{'|'.join(shapes)}){_CLOCK}", patterns)


_DAY_PART = re.compile("%[a-zA-Z]")
_DAY_SHAPES = {"%d": r"\d{1,2}", "%m": r"\d{1,2}", "%Y": r"\d{4}", "%y": r"\d{2}", "%b": "[A-Za-z]{3}"}
_OFFSETS = r"(?: ?(?:Z|UTC|GMT|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?))?"


# In order of preference: of two formats that fit, the first is likelier.
TIMES: dict[DateFormat, Times] = {
    DateFormat.ISO: Times(
        rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?{_OFFSETS})?"
    ),
    DateFormat.EPOCH_S: Times(r"\d{9,10}(?:\.\d{1,9})?"),
    DateFormat.EPOCH_MS: Times(r"\d{12,13}(?:\.\d{1,9})?"),
    DateFormat.DMY_SLASH: _dated("%d/%m/%Y"),
    DateFormat.MDY_SLASH: _dated("%m/%d/%Y"),
    DateFormat.DMY_DOT: _dated("%d.%m.%Y"),
    DateFormat.DMY_DASH: _dated("%d-%m-%Y"),
    DateFormat.YMD_SLASH: _dated("%Y/%m/%d"),
    DateFormat.DMY_NAMED: _dated("%d-%b-%Y", "%d %b %Y"),
    DateFormat.RFC_2822: Times(
        rf"[A-Za-z]{{3}}, \d{{1,2}} [A-Za-z]{{3}} \d{{4}} \d{{1,2}}:\d{{2}}(?::\d{{2}})?{_OFFSETS}",
        ("%d %b %Y %H:%M:%S", "%d %b %Y %H:%M"),
    ),
    DateFormat.DMY_SHORT: _dated("%d/%m/%y"),
    DateFormat.MDY_SHORT: _dated("%m/%d/%y"),
    DateFormat.YMD_SHORT: _dated("%y/%m/%d"),
    DateFormat.DMY_DOT_SHORT: _dated("%d.%m.%y"),
    # Seconds may be left out.
    DateFormat.COMPACT: Times(r"\d{12}(?:\d{2})?", ("%Y%m%d%H%M%S",), digits=14),
    DateFormat.SMPP: Times(r"\d{10}(?:\d{2})?", ("%y%m%d%H%M%S",), digits=12),
}


def signature_of(headers: Sequence[str], kind: str) -> str:
    """Return what files of the same form have in common: the same columns in the same order, and kind of file."""
    text = "\x1f".join([kind, *(header.casefold() for header in headers)])
    return hashlib.sha256(text.encode()).hexdigest()


# A header that says in which zone its times are: "Time (UTC)", "sent_at_utc", "PublishTimeUTC".
_IN_UTC = re.compile(r"(?:(?<=[a-z])(?:UTC|GMT)|(?:^|[\W_])(?:UTC|GMT|utc|gmt))(?: ?[+-]0{1,2}(?::?00)?)?\W*$")


def is_in_utc(header: str) -> bool:
    """Return whether the times below *header* are in UTC, as it says itself."""
    return _IN_UTC.search(header) is not None


def guess_columns(headers: Sequence[str]) -> dict[CdrField, str]:
    """Return for each field the column that is called like it, in the fields' order; none is taken twice."""
    offers = sorted(
        (rank, position, field, header)
        for field, ranks in _RANKS.items()
        for position, header in enumerate(headers)
        if (rank := ranks.get(_bare(header), ranks.get(_bare(_IN_UTC.sub("", header))))) is not None
    )
    found: dict[CdrField, str] = {}
    for _, _, field, header in offers:
        if field not in found and header not in found.values():
            found[field] = header
    return {field: found[field] for field in CdrField if field in found}


def guess_price_unit(header: str) -> PriceUnit | None:
    """Return what the header says the prices are counted in, whichever the currency; None when it does not say."""
    bare = _bare(header)
    if "cent" in bare or bare.endswith("eurc"):
        return PriceUnit.EUR_CENTS
    return PriceUnit.EUR if "eur" in bare or find_currency(header) else None


def list_date_formats(cells: Iterable[str], now: datetime) -> list[DateFormat]:
    """Return the formats in which most of *cells* can be read, at least half of them; empty cells do not matter."""
    wanted = Counter(text for cell in cells if (text := cell.strip()))
    fitting = {form: sum(count for cell, count in wanted.items() if _fits(cell, form, now)) for form in DateFormat}
    most = max(fitting.values())
    # A few cells may be wrong; that some do not fit a format still speaks for another one.
    return [form for form, count in fitting.items() if count == most and count * 2 >= wanted.total() > 0]


def guess_mapping(headers: Sequence[str], sent_dates: Sequence[str], time_zone: str, now: datetime) -> CdrMapping:
    """
    Return the likeliest mapping of a file.

    Args:
        headers: The file's columns.
        sent_dates: The first cells of the column that is probably the Sent Date.
        time_zone: That of the person who asks: most likely the file's, too, unless its header says UTC.
        now: Rules out formats in which the times would lie in the future.

    Returns: A mapping whose date format is None when several fit, or none does.
    """
    columns = guess_columns(headers)
    formats = list_date_formats(sent_dates, now)
    price = columns.get(CdrField.PRICE)
    return CdrMapping(
        columns=columns,
        date_format=formats[0] if len(formats) == 1 and not formats[0].is_short else None,
        time_zone="UTC" if is_in_utc(columns.get(CdrField.SENT_DATE, "")) else time_zone,
        price_unit=guess_price_unit(price) if price else None,
    )


def parse_moment(cell: str, form: DateFormat) -> datetime | None:
    """Return the time in *cell*: aware where it says so itself, else naive; None when it is not in that format."""
    times = TIMES[form]
    if not re.fullmatch(times.shape, cell, re.ASCII):
        return None
    if form is DateFormat.ISO:
        return _parse_iso(cell)
    if form is DateFormat.RFC_2822:
        return _parse_rfc(cell)
    if form.is_universal:
        seconds = Decimal(cell) / (1 if form is DateFormat.EPOCH_S else 1000)
        return datetime.fromtimestamp(float(seconds), UTC)
    text = cell.ljust(times.digits, "0") if times.digits else cell.replace(", ", " ").replace(NARROW_SPACE, " ")
    return _parse_patterns(text, times.patterns)


def _parse_patterns(text: str, patterns: Iterable[str]) -> datetime | None:
    for pattern in patterns:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - the file's own zone is applied by the caller
        except ValueError:
            continue
    return None


def _parse_rfc(cell: str) -> datetime | None:
    """Return a time as mails have it; the day of the week is not looked at."""
    said = re.search(rf"{_OFFSETS}$", cell)
    written = said[0].strip() if said else ""
    local = _parse_patterns(cell[5 : len(cell) - len(said[0]) if said else None], TIMES[DateFormat.RFC_2822].patterns)
    if local is None or not written:
        return local
    if written in {"Z", "UTC", "GMT"}:
        return local.replace(tzinfo=UTC)
    digits = written[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return (local - offset if written[0] == "+" else local + offset).replace(tzinfo=UTC)


def parse_unicode(cell: str) -> bool | None:
    """Return whether *cell* says yes; None when it says neither yes nor no. SMPP's data_coding counts (8 is UCS-2)."""
    word = cell.strip().lower()
    return True if word in _YES else False if word in _NO else None


def _bare(header: str) -> str:
    return re.sub(r"[\W_]", "", header.casefold())


def _parse_iso(cell: str) -> datetime | None:
    text = re.sub(r" ?(?:Z|UTC|GMT)$", "+00:00", cell).replace(",", ".")
    text = re.sub(r" ([+-])", r"\1", text)
    text = re.sub(r"([T ])(\d):", r"\g<1>0\2:", text)
    # Python reads six digits of a second.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _fits(cell: str, form: DateFormat, now: datetime) -> bool:
    moment = parse_moment(cell, form)
    if moment is None:
        return False
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # Zones differ by less than a day.
    return EARLIEST <= aware <= now + CLOCK_LEEWAY + timedelta(days=1)
