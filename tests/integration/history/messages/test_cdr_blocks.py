"""Times and offsets as DuckDB reads them, against Python reading them one by one."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.imports.cdr import CdrField, CdrMapping, DateFormat
from core.domain.imports.cdr_guessing import TIMES, parse_moment
from core.domain.times.periods import Period
from core.history.engine.door import Instance
from core.history.messages.cdr_blocks import BlockReader, CdrSpec, Reading, local_offsets
from core.history.numbers.kept_ranges import KeptRanges

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADERS = ("when", "to", "status")
COLUMNS = dict(zip((CdrField.SENT_DATE, CdrField.RECEIVER, CdrField.DELIVERY_STATUS), HEADERS, strict=True))
MOMENTS = st.datetimes(datetime(2000, 1, 3), datetime(2026, 2, 27)).map(lambda each: each.replace(microsecond=0))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])


def read(cells: list[str], form: DateFormat, zone: str) -> list[datetime | None]:
    """Return for each cell the moment that was read, None where its row was refused."""
    mapping = CdrMapping(COLUMNS, form, zone)
    count = len(cells)
    block = pa.table(
        {"row_no": list(range(count)), "c0": cells, "c1": ["491796000000"] * count, "c2": ["sent"] * count}
    )
    with closing(Instance()) as instance, instance.cursor() as connection:
        BlockReader(connection, CdrSpec("account", mapping, HEADERS, NOW), KeptRanges()).read(block)
        found = dict(connection.execute("SELECT row_no, sent_at FROM cdr_understood").fetchall())
    return [found[number].replace(tzinfo=UTC) if number in found else None for number in range(count)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(MOMENTS, min_size=1, max_size=20),
    ZONES,
    st.sampled_from([f for f in DateFormat if TIMES[f].patterns and not f.has_offset]),
)
def test_local_times_are_those_of_the_zone(moments: list[datetime], zone: str, form: DateFormat):
    cells = [moment.strftime(TIMES[form].patterns[0]) for moment in moments]
    assert read(cells, form, zone) == [moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in moments]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.integers(-48, 56)), min_size=1, max_size=20), ZONES)
def test_iso_times_keep_their_own_offset(times: list[tuple[datetime, int]], zone: str):
    cells = []
    for moment, quarters in times:
        minutes = abs(quarters) * 15
        cells.append(f"{moment.isoformat()}{'-' if quarters < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}")
    assert read(cells, DateFormat.ISO, zone) == [
        moment.replace(tzinfo=UTC) - timedelta(minutes=15 * quarters) for moment, quarters in times
    ]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-02-10",
        "2026-02-10 08:00",
        "2026-02-10T08:00:00Z",
        "2026-02-10 08:00:00 UTC",
        "2026-02-10 08:00:00.123456",
        "2026-02-10 08:00:00,5",
        "2026-02-10 08:00:00.123456789",
        "2026-02-10 08:00:00.000000000+0100",
        "2026-02-10 08:00:00+02",
        "2026-02-10 08:00:00 -0530",
        "2026-02-30 08:00:00",
        "2026-02-10 25:00:00",
        "10/02/2026 08:00",
        "soon",
        "'; DROP TABLE x --",
    ],
)
def test_iso_is_read_as_python_reads_it(cell: str):
    expected = parse_moment(cell, DateFormat.ISO)
    if expected is not None:
        expected = (expected if expected.tzinfo else expected.replace(tzinfo=ZoneInfo("Europe/Berlin"))).astimezone(UTC)
    assert read([cell], DateFormat.ISO, "Europe/Berlin") == [expected]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("1770710400", DateFormat.EPOCH_S),
        ("1770710400.25", DateFormat.EPOCH_S),
        ("1770710400250", DateFormat.EPOCH_MS),
        ("2602100800", DateFormat.SMPP),
        ("260210080012", DateFormat.SMPP),
        ("202602100800", DateFormat.COMPACT),
        ("02/20/2026, 9:30:12\u202fPM", DateFormat.MDY_SLASH),
        ("02/10/2026 08:00 PM", DateFormat.MDY_SLASH),
        ("1/2/2026 8:05", DateFormat.DMY_SLASH),
        ("20/02/2026, 09:30:12", DateFormat.DMY_SLASH),
        ("20.02.2026, 09:30:12", DateFormat.DMY_DOT),
        ("2026-02-20 9:30:12", DateFormat.ISO),
        ("20/02/26 09:30", DateFormat.DMY_SHORT),
        ("20-Feb-2026 09:30:12", DateFormat.DMY_NAMED),
        ("20 Feb 2026 09:30", DateFormat.DMY_NAMED),
        ("Fri, 20 Feb 2026 09:30:12", DateFormat.RFC_2822),
    ],
)
def test_other_formats_are_read_as_python_reads_them(cell: str, form: DateFormat):
    expected = parse_moment(cell, form)
    assert expected is not None
    assert read([cell], form, "UTC") == [expected.replace(tzinfo=UTC)]


@pytest.mark.parametrize("offset", ["+0000", "+02:00", "-0530", "GMT"])
def test_times_as_mails_have_them_keep_their_offset(offset: str):
    cell = f"Fri, 20 Feb 2026 09:30:12 {offset}"
    expected = parse_moment(cell, DateFormat.RFC_2822)
    assert expected is not None
    assert read([cell], DateFormat.RFC_2822, "Europe/Berlin") == [expected]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_hours_that_come_twice_or_never_are_read_as_python_does(zone: str):
    start = datetime(2025, 1, 1)
    moments = [start + timedelta(minutes=30 * number) for number in range(2 * 24 * 365)]
    period = Period(datetime(2024, 12, 30, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
    expression, values = local_offsets(period, zone)
    readings = [f"moment - {expression('moment', reading)}" for reading in ("first", "second")]
    with closing(Instance()) as instance, instance.cursor() as connection:
        connection.register("moments", pa.table({"moment": pa.array(moments, pa.timestamp("us"))}))
        found = connection.execute(f"SELECT {', '.join(readings)} FROM moments", dict(values)).fetchall()
    for number, reading in enumerate(("first", "second")):
        aware = [each.replace(tzinfo=ZoneInfo(zone), fold=_fold(each, zone, reading)) for each in moments]
        expected = [each.astimezone(UTC).replace(tzinfo=None) for each in aware]
        assert [row[number] for row in found] == expected


def _fold(moment: datetime, zone: str, reading: Reading) -> int:
    """Return Python's fold for the reading; a time that never comes has only the first."""
    first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1))
    return 1 if reading == "second" and first > second else 0


@pytest.mark.parametrize(
    ("zone", "sent", "delivered", "seconds"),
    [
        ("Europe/Berlin", "2025-10-26 02:59:30", "2025-10-26 02:00:10", 40),
        ("Europe/Berlin", "2025-10-26 01:59:30", "2025-10-26 02:00:10", 40),
        ("Europe/Berlin", "2025-10-26 02:10:00", "2025-10-26 02:10:05", 5),
        ("Europe/Berlin", "2025-03-30 01:59:50", "2025-03-30 03:00:05", 15),
        # Lord Howe puts its clocks back by half an hour at two.
        ("Australia/Lord_Howe", "2025-04-06 01:59:30", "2025-04-06 01:30:10", 40),
        ("UTC", "2026-02-10 08:00:00.5", "2026-02-10 08:00:00", 0),
    ],
)
def test_a_delivery_lies_behind_its_sent_date(zone: str, sent: str, delivered: str, seconds: int):
    columns = COLUMNS | {CdrField.DELIVERY_DATE: "done"}
    spec = CdrSpec("account", CdrMapping(columns, DateFormat.ISO, zone), (*HEADERS, "done"), NOW)
    row = {"row_no": [1], "c0": [sent], "c1": ["491796000000"], "c2": ["delivered"], "c3": [delivered]}
    with closing(Instance()) as instance, instance.cursor() as connection:
        assert BlockReader(connection, spec, KeptRanges()).read(pa.table(row)).rejected.num_rows == 0
        (found,) = connection.execute("SELECT epoch(delivered_at - sent_at) FROM cdr_understood").fetchone()
    assert found == seconds


@pytest.mark.parametrize(
    ("network", "mccmnc", "expected"),
    [
        ("26203", "", ("O2", "26203")),
        ("262-03", "", ("O2", "26203")),
        ("26203", "26202", ("Vodafone", "26202")),
        ("O2", "26203", ("O2", "26203")),
        ("Elsewhere", "", ("Elsewhere", "")),
    ],
)
def test_a_code_in_the_column_of_networks_is_one(network: str, mccmnc: str, expected: tuple[str, str]):
    columns = COLUMNS | {CdrField.NETWORK: "network", CdrField.MCCMNC: "code"}
    spec = CdrSpec("account", CdrMapping(columns, DateFormat.ISO, "UTC"), (*HEADERS, "network", "code"), NOW)
    cells = ["2026-02-10 08:00:00", "491796000000", "delivered", network, mccmnc]
    block = pa.table({"row_no": [1], **{f"c{number}": [cell] for number, cell in enumerate(cells)}})
    with closing(Instance()) as instance, instance.cursor() as connection:
        BlockReader(connection, spec, KeptRanges()).read(block)
        assert connection.execute("SELECT network, mccmnc FROM cdr_understood").fetchone() == expected
