from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.imports.cdr import ROW_FAULTS, CdrField, DateFormat, PriceUnit, RowFault
from core.domain.imports.cdr_guessing import (
    STATUS_WORDS,
    TIMES,
    find_status,
    guess_columns,
    guess_mapping,
    guess_price_unit,
    list_date_formats,
    parse_moment,
    parse_unicode,
    signature_of,
    status_key,
)
from core.domain.imports.cdr_prices import find_currency, parse_price
from core.domain.messages.messages import DeliveryStatus
from core.domain.messages.receipts import RECEIPT_STATES

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SENT, RECEIVER, STATUS = CdrField.SENT_DATE, CdrField.RECEIVER, CdrField.DELIVERY_STATUS


@pytest.mark.parametrize(
    "headers",
    [
        ["submit_date", "msisdn", "dlr_status"],
        ["SubmitTime", "Destination Address", "STAT"],
        ["Sent Date", "Receiver", "Delivery Status"],
        ["date", "to", "status"],
        ["timestamp", "b_number", "final-state"],
    ],
)
def test_usual_names_are_known_whatever_their_case_and_signs(headers: list[str]):
    assert guess_columns(headers) == dict(zip((SENT, RECEIVER, STATUS), headers, strict=True))


def test_names_of_parts_and_recipients_are_known():
    assert guess_columns(["totalMessagePartCount", "recipientCountry", "recipientOperator", "Cost Amount"]) == {
        CdrField.PRICE: "Cost Amount",
        CdrField.SEGMENTS: "totalMessagePartCount",
        CdrField.COUNTRY: "recipientCountry",
        CdrField.NETWORK: "recipientOperator",
    }


def test_every_field_is_known_by_its_own_name():
    assert guess_columns([str(field) for field in CdrField]) == {field: str(field) for field in CdrField}


def test_the_likelier_name_wins_and_no_column_is_taken_twice():
    found = guess_columns(["id", "message_id", "date", "submit_date", "done_date", "from", "to", "status"])
    assert (found[CdrField.MESSAGE_ID], found[SENT], found[CdrField.DELIVERY_DATE]) == (
        "message_id",
        "submit_date",
        "done_date",
    )
    assert (found[CdrField.SENDER], found[RECEIVER]) == ("from", "to")


@pytest.mark.parametrize("header", ["status comment", "todo", "updated", "x", ""])
def test_a_name_that_only_contains_a_known_one_is_not_guessed(header: str):
    assert guess_columns([header]) == {}


@given(st.lists(st.text(max_size=12), max_size=20, unique=True))
def test_guesses_are_columns_of_the_file_each_once(headers: list[str]):
    found = guess_columns(headers)
    assert set(found.values()) <= set(headers)
    assert len(set(found.values())) == len(found)


def test_the_signature_depends_on_names_order_and_kind_only():
    assert signature_of(["A", "b"], "csv") == signature_of(["a", "B"], "csv")
    others = {signature_of(*each) for each in ((["b", "a"], "csv"), (["ab"], "csv"), (["a", "b"], "parquet"))}
    assert len(others | {signature_of(["a", "b"], "csv")}) == 4


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("Price [EUR c]", PriceUnit.EUR_CENTS),
        ("price_cents", PriceUnit.EUR_CENTS),
        ("Cost EUR", PriceUnit.EUR),
        ("Preis €", PriceUnit.EUR),
        ("price", None),
        ("cost", None),
    ],
)
def test_the_unit_of_a_price_is_only_taken_from_its_header(header: str, unit: PriceUnit | None):
    assert guess_price_unit(header) is unit


def test_every_smpp_word_means_what_it_means_in_a_receipt():
    for state in RECEIPT_STATES:
        assert STATUS_WORDS[state.word] is STATUS_WORDS[state.name] is state.delivery_status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("delivrd", DeliveryStatus.DELIVERED),
        (" Delivered ", DeliveryStatus.DELIVERED),
        ("not delivered", DeliveryStatus.UNDELIVERED),
        ("NOT-DELIVERED", DeliveryStatus.UNDELIVERED),
        ("Failed", DeliveryStatus.UNDELIVERED),
        ("sent", DeliveryStatus.SUBMITTED),
        ("delivered to operator", DeliveryStatus.SUBMITTED),
        ("2", None),
        ("ok", None),
        ("", None),
    ],
)
def test_common_words_are_known_and_doubtful_ones_are_not(word: str, status: DeliveryStatus | None):
    assert STATUS_WORDS.get(status_key(word)) is status


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2026-02-10T08:00:00Z", DateFormat.ISO),
        ("2026-02-10 08:00:00.123456", DateFormat.ISO),
        ("2026-02-10 08:00:00 +02:00", DateFormat.ISO),
        ("2026-02-10T08:00", DateFormat.ISO),
        ("1770710400", DateFormat.EPOCH_S),
        ("1770710400123", DateFormat.EPOCH_MS),
        ("25/02/2026 08:00", DateFormat.DMY_SLASH),
        ("02/25/2026 08:00:00 PM", DateFormat.MDY_SLASH),
        ("10.02.2026 08:00:00", DateFormat.DMY_DOT),
        ("10-02-2026 08:00", DateFormat.DMY_DASH),
        ("2026/02/10 08:00", DateFormat.YMD_SLASH),
        ("20260210080000", DateFormat.COMPACT),
        ("202602100800", DateFormat.COMPACT),
        ("02/25/2026, 8:00:00\u202fPM", DateFormat.MDY_SLASH),
        ("260210080000", DateFormat.SMPP),
        ("2602100800", DateFormat.SMPP),
        ("20/02/2026, 09:30:12", DateFormat.DMY_SLASH),
        ("20.02.2026, 09:30:12", DateFormat.DMY_DOT),
        ("2026-02-20 9:30:12", DateFormat.ISO),
        ("Fri, 20 Feb 2026 09:30:12 +0000", DateFormat.RFC_2822),
        ("20-Feb-2026 09:30:12", DateFormat.DMY_NAMED),
        ("20 Feb 2026, 09:30", DateFormat.DMY_NAMED),
    ],
)
def test_a_clear_time_has_one_format(cell: str, form: DateFormat):
    assert list_date_formats([cell, "", " "], NOW) == [form]
    found = parse_moment(cell, form)
    assert found is not None
    assert (found.year, found.month) == (2026, 2)


def test_day_and_month_that_could_be_exchanged_are_asked_and_one_clear_row_settles_it():
    assert list_date_formats(["03/02/2025 08:00"], NOW) == [DateFormat.DMY_SLASH, DateFormat.MDY_SLASH]
    assert guess_mapping(["date"], ["03/02/2025 08:00"], "UTC", NOW).date_format is None
    assert list_date_formats(["03/02/2025 08:00", "25/02/2026 08:00"], NOW) == [DateFormat.DMY_SLASH]


def test_a_few_bad_cells_do_not_hide_the_format_and_many_do():
    cells = ["2026-02-10 08:00:00"] * 6
    assert list_date_formats([*cells, "soon", "25/02/2026 08:00"], NOW) == [DateFormat.ISO]
    assert list_date_formats(["a", "b", "2026-02-10 08:00:00"], NOW) == []
    assert list_date_formats([], NOW) == []


@given(
    st.datetimes(datetime(2000, 1, 2), datetime(2026, 2, 28)).map(lambda each: each.replace(microsecond=0)),
    st.sampled_from([form for form in DateFormat if TIMES[form].patterns and not form.has_offset]),
)
def test_what_is_written_in_a_format_is_read_in_it(moment: datetime, form: DateFormat):
    written = moment.strftime(TIMES[form].patterns[0])
    assert parse_moment(written, form) == moment
    assert form in list_date_formats([written], NOW)


@given(st.datetimes(datetime(2002, 1, 1), datetime(2026, 2, 28)), st.integers(-14 * 4, 14 * 4))
def test_an_offset_is_kept(moment: datetime, quarters: int):
    offset = timedelta(minutes=15 * quarters)
    sign, minutes = ("-" if quarters < 0 else "+"), abs(15 * quarters)
    written = f"{moment.isoformat(' ', 'microseconds')}{sign}{minutes // 60:02}:{minutes % 60:02}"
    found = parse_moment(written, DateFormat.ISO)
    assert found is not None
    assert found.astimezone(UTC) == moment.replace(tzinfo=UTC) - offset


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_is_not(cell: str):
    for form in DateFormat:
        parse_moment(cell, form)
    parse_price(cell)
    parse_unicode(cell)


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("7.5", "7.5"),
        ("0,075", "0.075"),
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("7.5e-05", "0.000075"),
        (" 12 ", "12"),
        ("free", None),
        ("-1", "1"),
        ("nan", None),
        ("", None),
    ],
)
def test_prices_are_read_with_point_or_comma(cell: str, price: str | None):
    assert parse_price(cell) == (None if price is None else Decimal(price))


@pytest.mark.parametrize(
    ("cell", "is_unicode"), [("Yes", True), ("8", True), ("UCS2", True), ("0", False), ("x", None)]
)
def test_unicode_is_yes_or_no(cell: str, is_unicode: bool | None):
    assert parse_unicode(cell) is is_unicode


def test_every_fault_has_a_sentence():
    assert set(ROW_FAULTS) == set(RowFault)


def test_years_of_two_digits_are_always_asked():
    for cells in (["20/02/26 09:30"], ["31/01/26 09:30"], ["25.02.26 09:30"]):
        assert guess_mapping(["sent"], cells, "UTC", NOW).date_format is None
    assert parse_moment("20/02/26 09:30", DateFormat.DMY_SHORT) == datetime(2026, 2, 20, 9, 30)


def test_digits_of_other_scripts_are_no_time():
    """The history reads none either: a format for them would be proposed, and every row refused."""
    assert list_date_formats(["\u0662\u0660/02/2026 08:00", "177071040\u0660"], NOW) == []


def test_a_time_as_mails_have_it_keeps_its_offset():
    for cell in (
        "Fri, 20 Feb 2026 11:30:12 +0200",
        "Fri, 20 Feb 2026 09:30:12 GMT",
        "Fri, 20 Feb 2026 04:00:12 -05:30",
    ):
        assert parse_moment(cell, DateFormat.RFC_2822) == datetime(2026, 2, 20, 9, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("-0.00790", "0.0079"),
        ("\u22120.00790", "0.0079"),
        ("$0.0075", "0.0075"),
        ("-$0.0075", "0.0075"),
        ("0,05 €", "0.05"),
        (".05", "0.05"),
        ("+0.05", "0.05"),
        ("(0.0075)", "0.0075"),
        ("($0.0075)", "0.0075"),
        ("USD 0.0075", "0.0075"),
        ("0.0075 usd", "0.0075"),
        ("5.", "5"),
        ("--5", None),
        ("$", None),
        ("()", None),
        (".", None),
        ("٣", None),
    ],
)
def test_prices_have_no_sign_and_may_name_their_currency(cell: str, price: str | None):
    assert parse_price(cell) == (None if price is None else Decimal(price))


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("USD", "USD"),
        ("usd", "USD"),
        ("PriceInUSD", "USD"),
        ("price_usd", "USD"),
        ("Price [EUR c]", "EUR"),
        ("0.05 €", "EUR"),
        ("-£0.05", "GBP"),
        ("price", ""),
        ("NEUROTIC", ""),
        ("european", ""),
    ],
)
def test_a_currency_is_known_by_its_code_or_sign(text: str, currency: str):
    assert find_currency(text) == currency


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING_ENROUTE", DeliveryStatus.SUBMITTED),
        ("REJECTED_NETWORK", DeliveryStatus.UNDELIVERED),
        ("UNDELIVERABLE_NOT_DELIVERED", DeliveryStatus.UNDELIVERED),
        ("EXPIRED_DLR_UNKNOWN", DeliveryStatus.UNDELIVERED),
        ("ESME_ROK", DeliveryStatus.SUBMITTED),
        ("ESME_RINVDSTADR", DeliveryStatus.UNDELIVERED),
        ("DELIVERED_TO_OPERATOR", DeliveryStatus.SUBMITTED),
        ("DELIVERED_TO_SOMEWHERE", None),
        ("", None),
    ],
)
def test_families_of_words_are_known(word: str, status: DeliveryStatus | None):
    assert find_status(word) is status


def test_what_somebody_said_of_a_word_comes_first():
    said = {"PENDING_ENROUTE": DeliveryStatus.UNDELIVERED}
    assert find_status("pending enroute", said) is DeliveryStatus.UNDELIVERED
