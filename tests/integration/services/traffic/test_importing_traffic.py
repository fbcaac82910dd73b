"""Outside traffic: no message twice, no final state back, and history, statistics and rollups that agree."""

import gzip
import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.imports.cdr import CdrField, DateFormat, PriceUnit, TrafficCounts, TrafficImportStatus
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.paging import PageRequest
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period
from core.errors import Conflict, Forbidden, InvalidFile, InvalidInput, NotFound, StorageError
from core.history.messages.outside_traffic import OutsideTraffic
from core.history.numbers.kept_ranges import KeptRanges
from core.services.reports.reporting import StatisticsRequest
from tests.support.application.cdr import START, begin, csv, imported, line, open_outside, records, upload
from tests.support.application.house import House

DAY = timedelta(days=1)
COMPLETED, FAULTED = TrafficImportStatus.COMPLETED, TrafficImportStatus.FAULTED


@pytest.fixture
def account(house: House) -> Account:
    return open_outside(house)


def messages(house: House) -> list[dict]:
    query = MessageQuery(frozenset(), house.everything())
    found = house.app.reports.reporting.messages(house.viewer, query, 1, 10_000).table.to_pylist()
    return sorted(found, key=lambda row: (row["sent_at"], row["receiver"]))


def states(house: House) -> Counter:
    return Counter(row["delivery_status"] for row in messages(house))


def counts(read: int, **others: int) -> TrafficCounts:
    return TrafficCounts(read=read, **others)


def assert_consistent(house: House) -> None:
    """Compare the rollups with their messages, and statistics with the history."""
    house.app.upkeep.rolling_up.refresh()
    assert [
        found for found in house.app.upkeep.rolling_up.verify(house.viewer, repair=False) if found.difference_count
    ] == []
    asked = StatisticsRequest(house.everything(), (GroupBy.ACCOUNT,))
    table = house.app.reports.reporting.statistics(house.viewer, asked).table.to_pylist()
    found = states(house)
    assert sum(row["sent"] for row in table) == found.total()
    assert sum(row["delivered"] for row in table) == found["Delivered"]
    assert sum(row["undelivered"] for row in table) == found["Undelivered"]


def rejected(house: House, import_id: str) -> list[str]:
    text = house.app.traffic.rejected_csv(house.viewer, import_id).decode("utf-8-sig")
    return text.splitlines()


def test_a_file_becomes_messages_of_the_account(house: House, account: Account):
    ended = imported(house, account, csv(line(0, "DELIVRD"), line(1, "UNDELIV"), line(2)))
    assert (ended.status, ended.fault) == (COMPLETED, "")
    assert ended.counts == counts(3, added=3)
    first, second, third = messages(house)
    sent = START.replace(tzinfo=UTC)
    assert (
        first
        | {
            "sent_at": sent,
            "account": "Booking",
            "source": "import",
            "campaign_id": "",
            "receiver": "+491796000000",
            "sender": "ACME",
            "country": "Germany",
            "delivery_status": "Delivered",
            "error_code": "",
            "delivered_at": sent + timedelta(seconds=5),
            "price_eur_cents": Decimal("7.5000"),
            "segment_count": 1,
            "unicode": False,
            "gateway": "import",
            "gateway_message_id": "id-0",
        }
        == first
    )
    assert first["mccmnc"].startswith("262")
    assert (second["delivery_status"], second["error_code"]) == ("Undelivered", "27")
    assert (third["delivery_status"], third["delivered_at"]) == ("Submitted", None)
    assert_consistent(house)


def test_the_same_file_twice_adds_nothing(house: House, account: Account):
    content = records(300, "DELIVRD")
    imported(house, account, content)
    before = messages(house)
    again = imported(house, account, content)
    assert again.counts == counts(300, unchanged=300)
    assert messages(house) == before
    assert_consistent(house)


def test_overlapping_files_add_each_message_once(house: House, account: Account):
    imported(house, account, records(200))
    second = imported(house, account, records(200, first=150))
    assert second.counts == counts(200, added=150, unchanged=50)
    assert len(messages(house)) == 350
    assert_consistent(house)


def test_a_later_file_brings_final_states(house: House, account: Account):
    imported(house, account, records(100))
    house.app.upkeep.rolling_up.refresh()
    later = imported(house, account, records(60, "DELIVRD") + records(40, "UNDELIV", first=60).partition(b"\n")[2])
    assert later.counts == counts(100, updated=100)
    assert states(house) == {"Delivered": 60, "Undelivered": 40}
    delays = {row["delivered_at"] - row["sent_at"] for row in messages(house) if row["delivered_at"]}
    assert delays == {timedelta(seconds=5)}
    assert_consistent(house)


def test_each_day_that_a_file_changes_or_adds_to_is_told_anew(house: House, account: Account):
    imported(house, account, csv(line(0)))
    days = [Period(start, start + DAY) for start in (START.replace(tzinfo=UTC), START.replace(tzinfo=UTC) + DAY)]

    def told() -> list[Counter]:
        tables = [
            house.app.reports.reporting.messages(house.viewer, MessageQuery(frozenset(), day), 1, 10).table
            for day in days
        ]
        return [Counter(table["delivery_status"].to_pylist()) for table in tables]

    assert told() == [{"Submitted": 1}, {}]
    imported(house, account, csv(line(0, "DELIVRD"), line(1, sent=START + DAY)))
    assert told() == [{"Delivered": 1}, {"Submitted": 1}]


def test_an_older_file_takes_no_final_state_back(house: House, account: Account):
    imported(house, account, records(50, "DELIVRD"))
    older = imported(house, account, records(50))
    assert older.counts == counts(50, unchanged=50)
    assert states(house) == {"Delivered": 50}


def test_delivered_outranks_undelivered_whichever_came_first(house: House, account: Account):
    imported(house, account, csv(line(0, "UNDELIV"), line(1, "DELIVRD")))
    imported(house, account, csv(line(0, "DELIVRD"), line(1, "UNDELIV")))
    assert states(house) == {"Delivered": 2}


def test_rows_about_one_message_in_one_file_are_one_message(house: House, account: Account):
    ended = imported(house, account, csv(line(0), line(1, "DELIVRD"), line(0, "DELIVRD"), line(0, "UNDELIV")))
    assert ended.counts == counts(4, added=2, repeated=2)
    assert states(house) == {"Delivered": 2}


def test_files_that_disagree_about_the_time_by_hours_mean_the_same_message(house: House, account: Account):
    imported(house, account, csv(line(0)))
    shifted = START + timedelta(hours=2)
    ended = imported(house, account, csv(line(0, "DELIVRD", sent=shifted)))
    assert ended.counts == counts(1, updated=1)
    assert messages(house)[0]["sent_at"] == START.replace(tzinfo=UTC)


def test_ids_that_come_again_after_a_while_are_other_messages(house: House, account: Account):
    later = START + timedelta(days=9)
    both = csv(line(0, key="7"), line(0, key="7", sent=later))
    assert imported(house, account, both).counts == counts(2, added=2)
    assert imported(house, account, both).counts == counts(2, unchanged=2)


def test_an_id_shared_by_several_receivers_is_no_reason_to_lose_messages(house: House, account: Account):
    ended = imported(house, account, csv(*(line(number, key="bulk-1") for number in range(20))))
    assert ended.counts == counts(20, added=20)


def test_two_accounts_may_use_the_same_ids(house: House, account: Account):
    other = open_outside(house, "otp", AccountType.SMPP)
    imported(house, account, records(10))
    assert imported(house, other, records(10)).counts == counts(10, added=10)
    assert Counter(row["account"] for row in messages(house)) == {"Booking": 10, "Otp": 10}


PLAIN = "sent_at,to,from,status"


def plain(number: int, status: str) -> str:
    return f"{START + timedelta(seconds=number)},49179{6_000_000 + number},ACME,{status}"


def test_without_ids_identical_rows_are_counted_not_lost(house: House, account: Account):
    content = csv(plain(0, "delivered"), plain(0, "sent"), plain(0, "sent"), plain(1, "sent"), header=PLAIN)
    assert imported(house, account, content).counts == counts(4, added=4)
    assert imported(house, account, content).counts == counts(4, unchanged=4)
    newer = csv(plain(1, "failed"), *[plain(0, word) for word in ("failed", "delivered", "delivered")], header=PLAIN)
    assert imported(house, account, newer).counts == counts(4, updated=3, unchanged=1)
    assert states(house) == {"Delivered": 2, "Undelivered": 2}
    assert_consistent(house)


def test_message_ids_are_uuids_of_version_7_whose_time_is_the_sent_date(house: House, account: Account):
    imported(house, account, records(3))
    for row in messages(house):
        digits = row["message_id"].replace("-", "")
        assert (digits[12], digits[16]) == ("7", "8")
        assert datetime.fromtimestamp(int(digits[:12], 16) / 1000, UTC) == row["sent_at"]


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_chunks_are_cut_anywhere_with_the_same_result(house: House, account: Account, size: int):
    house.app.traffic._traffic = OutsideTraffic(house.app.lake, KeptRanges(), size)
    content = csv(
        *(line(number % 30, ("ENROUTE", "DELIVRD", "UNDELIV")[number % 3]) for number in range(40)),
        *(line(number, key="") for number in (3, 3, 5)),
    )
    ended = imported(house, account, content)
    assert ended.counts == counts(43, added=33, repeated=10)
    assert imported(house, account, content).counts == counts(43, unchanged=33, repeated=10)
    assert_consistent(house)


class Killed(BaseException):
    """Stands for a worker that is no more."""


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_worker_killed_in_the_middle_loses_and_repeats_nothing(house: House, account: Account, chunks: int):
    traffic = house.app.traffic
    traffic._traffic = dying = OutsideTraffic(house.app.lake, KeptRanges(), 25)
    merge, left = dying.merge_chunk, [chunks]

    def merge_until_killed(*what):
        if not left[0]:
            raise Killed
        left[0] -= 1
        return merge(*what)

    dying.merge_chunk = merge_until_killed
    begun = begin(house, account, records(90) + b"x,y\n")
    with pytest.raises(Killed):
        traffic.run(begun.import_id, house.clock)
    assert len(messages(house)) == chunks * 25
    traffic._traffic = OutsideTraffic(house.app.lake, KeptRanges(), 25)
    traffic.run(begun.import_id, house.clock)
    assert traffic.get(house.viewer, begun.import_id).status is TrafficImportStatus.IN_PROGRESS, "the lease holds"
    house.wait(timedelta(minutes=1))
    house.app.work.run_until_idle(house.clock)
    ended = traffic.get(house.viewer, begun.import_id)
    assert (ended.status, ended.counts) == (COMPLETED, counts(91, added=90, rejected=1))
    assert len(messages(house)) == 90
    assert [path.name for path in house.app.settings.uploads_dir.iterdir()] == [f"{begun.import_id}.rejected.csv"]
    assert_consistent(house)


def test_without_room_it_waits_and_says_why(house: House, account: Account):
    traffic = house.app.traffic
    begun = begin(house, account, records(10))

    def refuse(*_):
        raise StorageError("The disk that holds the message history is full.", hint="Make room on it.")

    traffic._traffic.merge_chunk, merge = refuse, traffic._traffic.merge_chunk
    with pytest.raises(StorageError):
        traffic.run(begun.import_id, house.clock)
    waiting = traffic.get(house.viewer, begun.import_id)
    assert (waiting.status, waiting.hint) == (TrafficImportStatus.IN_PROGRESS, "Make room on it.")
    assert "is full" in waiting.fault
    traffic._traffic.merge_chunk = merge
    house.wait(timedelta(minutes=1))
    house.app.work.run_until_idle(house.clock)
    ended = traffic.get(house.viewer, begun.import_id)
    assert (ended.status, ended.fault, ended.counts.added) == (COMPLETED, "", 10)


def test_rows_that_are_no_messages_are_kept_with_their_reasons(house: House, account: Account):
    good = line(0, "DELIVRD")
    bad = [
        "a,,491796000000,ACME,DELIVRD,,,,",
        "b,2026/02/10 08:00,491796000000,ACME,DELIVRD,,,,",
        "c,1999-12-31 23:59:59,491796000000,ACME,DELIVRD,,,,",
        "d,2026-09-01 00:00:00,491796000000,ACME,DELIVRD,,,,",
        "e,2026-02-10 08:00:00,,ACME,DELIVRD,,,,",
        "f,2026-02-10 08:00:00,0179600,ACME,DELIVRD,,,,",
        "g,2026-02-10 08:00:00,491796000000,ACME,,,,,",
        "h,2026-02-10 08:00:00,491796000000,=cmd(),WOBBLY,,,,",
        "i,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,soon,,,",
        "j,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,2026-02-09 08:00:00,,,",
        "k,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,2027-02-09 08:00:00,,,",
        "l,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,,,free,",
        "m,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,,,,0",
        f"{'n' * 129},2026-02-10 08:00:00,491796000000,ACME,DELIVRD,,,,",
        "o,2026-02-10 08:00:00",
        "p,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,,,,,,",
    ]
    ended = imported(house, account, csv(good, "", ",,,,,,,,", *bad))
    assert ended.counts == counts(17, added=7, rejected=10)
    header, *rows = rejected(house, ended.import_id)
    assert header.startswith("Row,Reason,msg_id,submit_date")
    reasons = {row.split(",")[0]: row for row in rows}
    for row_no, words in {
        "5": "Sent Date is missing",
        "6": "date format",
        "7": "before the year 2000",
        "8": "in the future",
        "9": "Receiver is missing",
        "10": "not a subscriber number",
        "11": "Delivery Status is missing",
        "12": "WOBBLY” is unknown",
        "13": "Delivery Date “soon”",
        "14": "more than an hour before",
        "15": "in the future",
        "16": "Price “free”",
        "17": "segments “0”",
        "18": "more than 128 characters",
        "19": "2 cells, the header 9",
        "20": "11 cells, the header 9",
    }.items():
        assert words in reasons[row_no], row_no
    assert "'=cmd()" in reasons["12"]


def test_when_no_row_is_a_message_the_import_is_faulted_and_its_mapping_not_remembered(house: House, account: Account):
    found = begin(house, account, csv(line(0, "WOBBLY"), line(1, "WOBBLY")))
    house.app.traffic.run(found.import_id, house.clock)
    ended = house.app.traffic.get(house.viewer, found.import_id)
    assert (ended.status, ended.fault) == (FAULTED, "None of the 2 rows is a message.")
    assert ended.hint
    again = upload(house, account, csv(line(0)))
    assert not house.app.traffic.propose(house.viewer, again.import_id).is_remembered


def test_the_mapping_is_remembered_for_the_account_and_the_form_of_the_file(house: House, account: Account):
    traffic = house.app.traffic
    content = b"when,who,what\n03/02/2026 09:15,491796000000,ok\n"
    found = upload(house, account, content)
    proposal = traffic.propose(house.viewer, found.import_id)
    assert not proposal.is_remembered
    mapping = replace(
        proposal.mapping,
        columns={CdrField.SENT_DATE: "when", CdrField.RECEIVER: "who", CdrField.DELIVERY_STATUS: "what"},
        date_format=DateFormat.DMY_SLASH,
        time_zone="Europe/Berlin",
        statuses={"OK": DeliveryStatus.DELIVERED},
    )
    traffic.begin(house.viewer, found.import_id, mapping)
    house.app.work.run_until_idle(house.clock)
    assert messages(house)[0]["sent_at"] == datetime(2026, 2, 3, 8, 15, tzinfo=UTC)
    nxt = upload(house, account, b"When,Who,What\n04/02/2026 09:15,491796000001,ok\n")
    again = traffic.propose(house.viewer, nxt.import_id)
    assert again.is_remembered
    assert replace(again.mapping, columns={}) == replace(mapping, columns={})
    other = open_outside(house, "otp", AccountType.SMPP)
    for account_, text in ((other, content), (account, b"when,who,what,more\n04/02/2026 09:15,491796000001,ok,x\n")):
        unknown = upload(house, account_, text)
        assert not traffic.propose(house.viewer, unknown.import_id).is_remembered


def test_what_the_file_says_about_country_and_network_overrules_the_number(house: House, account: Account):
    header = "date,to,status,country,network,mccmnc"
    rows = [
        "2026-02-10 08:00:00,491796000000,sent,,,",
        "2026-02-10 08:00:01,491796000000,sent,,,262-01",
        "2026-02-10 08:00:02,491796000000,sent,,Lebara,",
        "2026-02-10 08:00:03,491796000000,sent,France,Orange,20801",
        "2026-02-10 08:00:04,491796000000,sent,Atlantis,,",
        "2026-02-10 08:00:05,491796000000,sent,,,26",
    ]
    ended = imported(house, account, csv(*rows, header=header))
    assert ended.counts == counts(6, added=6)
    found = [(row["country"], row["network"], row["mccmnc"]) for row in messages(house)]
    own, telekom, lebara, orange, *unreadable = found
    assert unreadable == [own, own]
    assert own[0] == "Germany"
    assert own[1]
    assert telekom == ("Germany", "Telekom", "26201")
    assert lebara == ("Germany", "Lebara", "")
    assert orange == ("France", "Orange", "20801")


@pytest.mark.parametrize(
    "encode",
    [
        lambda content: content,
        gzip.compress,
        lambda content: content.decode().replace(",", ";").encode("utf-16"),
        lambda content: b"\xef\xbb\xbfsep=|\r\n" + content.replace(b",", b"|").replace(b"\n", b"\r\n"),
    ],
    ids=["plain", "gzip", "utf-16", "excel"],
)
def test_usual_kinds_of_csv_are_read(house: House, account: Account, encode):
    ended = imported(house, account, encode(records(50, "DELIVRD")))
    assert (ended.status, ended.counts) == (COMPLETED, counts(50, added=50))


def parquet_of(**columns) -> bytes:
    target = io.BytesIO()
    parquet.write_table(pa.table(columns), target)
    return target.getvalue()


def test_parquet_is_read_with_its_own_types(house: House, account: Account):
    sent = [datetime(2026, 2, 10, 8, 0, second) for second in range(20)]
    content = parquet_of(
        sent_at=pa.array(sent, pa.timestamp("ms", tz="Europe/Berlin")),
        receiver=pa.array([491796000000 + number for number in range(20)], pa.int64()),
        status=pa.array(["DELIVRD"] * 20).dictionary_encode(),
        parts=pa.array([2.0] * 20, pa.float64()),
        unicode=pa.array([True] * 20),
        price_eurc=pa.array([Decimal("7.25")] * 20, pa.decimal128(8, 2)),
    )
    ended = imported(house, account, content, "cdr.parquet")
    assert (ended.status, ended.counts) == (COMPLETED, counts(20, added=20))
    first = messages(house)[0]
    assert first["sent_at"] == sent[0].replace(tzinfo=UTC)
    assert (first["segment_count"], first["unicode"], first["price_eur_cents"]) == (2, True, Decimal("7.2500"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"date,to,status\n", "no rows"),
        (b"PAR1 but not really", "damaged"),
        (gzip.compress(records(2_000), mtime=0)[:200], "damaged"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (",".join(f"column {number}" for number in range(300)).encode() + b"\n1,2\n", "300 columns"),
        (b"date,to,status\n2026-01-01,491796000000,s\xe9nt\n", "0xE9"),
    ],
)
def test_files_that_cannot_be_read_are_refused_and_leave_nothing(
    house: House, account: Account, content: bytes, words: str
):
    with pytest.raises(InvalidFile, match=words) as caught:
        upload(house, account, content)
    assert caught.value.hint
    assert list(house.app.settings.uploads_dir.iterdir()) == []
    assert house.app.traffic.page(house.viewer, PageRequest()).total == 0


def test_a_file_that_breaks_off_far_down_imports_nothing(house: House, account: Account):
    content = records(40_000) + b"x,2026-01-01 00:00:00,491796000000,\xff,DELIVRD,,,,\n"
    ended = imported(house, account, content)
    assert (ended.status, ended.counts.added) == (FAULTED, 0)
    assert "Line 40002 holds the byte 0xFF" in ended.fault
    assert messages(house) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": {}}, "No column is chosen for Sent Date, Receiver, Delivery Status"),
        ({"columns": {CdrField.SENT_DATE: "nope"}}, "No column is chosen for Receiver"),
        ({"date_format": None}, "date format is not clear"),
        ({"time_zone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"price_unit": None}, "unit of the prices"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(house: House, account: Account, change: dict, words: str):
    traffic = house.app.traffic
    found = upload(house, account, records(3))
    mapping = replace(traffic.propose(house.viewer, found.import_id).mapping, **change)
    for ask in (traffic.preview, traffic.begin):
        with pytest.raises(InvalidInput, match=words) as caught:
            ask(house.viewer, found.import_id, mapping)
        assert caught.value.hint
    assert traffic.get(house.viewer, found.import_id).status is TrafficImportStatus.TO_MAP


def test_two_meanings_for_one_column_are_refused(house: House, account: Account):
    traffic = house.app.traffic
    found = upload(house, account, records(3))
    mapping = traffic.propose(house.viewer, found.import_id).mapping
    columns = {**mapping.columns, CdrField.DELIVERY_DATE: "submit_date"}
    with pytest.raises(InvalidInput, match="is chosen for Sent Date and for Delivery Date"):
        traffic.begin(house.viewer, found.import_id, replace(mapping, columns=columns))


def test_the_preview_shows_what_would_be_imported_and_what_not(house: House, account: Account):
    traffic = house.app.traffic
    found = upload(house, account, csv(line(0, "DELIVRD"), line(1, "WOBBLY"), line(2, "SHAKY")))
    mapping = replace(traffic.propose(house.viewer, found.import_id).mapping, price_unit=PriceUnit.EUR)
    preview = traffic.preview(house.viewer, found.import_id, mapping)
    assert preview.table["Receiver"].to_pylist() == ["+491796000000"]
    assert preview.table["Price [EUR c]"].to_pylist() == [Decimal("750.0000")]
    assert preview.unknown_words == ("WOBBLY", "SHAKY")
    assert [row_no for row_no, _ in preview.refused] == [3, 4]
    assert messages(house) == []


def test_only_active_accounts_that_send_outside_take_files(house: House, account: Account):
    inactive = open_outside(house, "old", status=AccountStatus.INACTIVE)
    assert house.app.traffic.list_accounts(house.viewer) == (account,)
    with pytest.raises(InvalidInput, match="is inactive"):
        upload(house, inactive, records(1))
    with pytest.raises(InvalidInput, match="is of type Campaign"):
        upload(house, house.account, records(1))


def test_numbers_are_for_those_who_uploaded_them_or_may_see_them(house: House, account: Account):
    found = begin(house, account, records(3) + b"x,y\n")
    other = Viewer("eve", "Eve", "eve@example.com", frozenset({Permission.TRAFFIC_ACCOUNTS}), house.viewer.account_ids)
    traffic = house.app.traffic
    mapping = traffic.propose(other, found.import_id).mapping
    assert traffic.preview(other, found.import_id, mapping).table["Receiver"].to_pylist()[0].startswith("+4•")
    traffic.run(found.import_id, house.clock)
    with pytest.raises(Forbidden):
        traffic.rejected_csv(other, found.import_id)
    assert b"x,y" in traffic.rejected_csv(replace(other, user_id=house.viewer.user_id), found.import_id)


def test_a_file_is_begun_once_and_not_deleted_under_way(house: House, account: Account):
    traffic = house.app.traffic
    begun = begin(house, account, records(3))
    mapping = traffic.propose(house.viewer, begun.import_id).mapping
    with pytest.raises(Conflict):
        traffic.begin(house.viewer, begun.import_id, mapping)
    with pytest.raises(Conflict):
        traffic.delete(house.viewer, begun.import_id)
    traffic.run(begun.import_id, house.clock)
    traffic.delete(house.viewer, begun.import_id)
    with pytest.raises(NotFound):
        traffic.get(house.viewer, begun.import_id)
    assert len(messages(house)) == 3


def test_an_upload_nobody_mapped_is_deleted_after_a_day(house: House, account: Account):
    found = upload(house, account, records(3))
    house.app.traffic.delete_forgotten(house.now + timedelta(hours=23))
    assert house.app.traffic.get(house.viewer, found.import_id)
    house.app.traffic.delete_forgotten(house.now + timedelta(hours=25))
    with pytest.raises(NotFound):
        house.app.traffic.get(house.viewer, found.import_id)
    assert list(house.app.settings.uploads_dir.iterdir()) == []


def test_the_preview_tells_rows_whose_cells_do_not_match_the_header(house: House, account: Account):
    traffic = house.app.traffic
    found = upload(house, account, csv(line(0, "DELIVRD"), "too,few", line(1, "WOBBLY"), "also,few", line(2)))
    mapping = replace(traffic.propose(house.viewer, found.import_id).mapping, price_unit=PriceUnit.EUR)
    preview = traffic.preview(house.viewer, found.import_id, mapping)
    assert preview.row_count == 5
    assert [row_no for row_no, _ in preview.refused] == [3, 4, 5]
    assert "2 cells, the header 9" in preview.refused[0][1]
    assert preview.refused[2][1] == preview.refused[0][1]


def test_too_many_rows_are_refused(tmp_path: Path, house: House, account: Account):
    traffic = house.app.traffic
    traffic._limits = replace(traffic._limits, max_rows=10)
    ended = imported(house, account, records(11))
    assert (ended.status, ended.fault) == (FAULTED, "The file has more than 10 rows.")
    assert messages(house) == []


def test_imported_traffic_is_in_statistics_by_network_and_cost(house: House, account: Account):
    imported(house, account, records(10, "DELIVRD"))
    asked = StatisticsRequest(house.everything(), (GroupBy.ACCOUNT, GroupBy.COUNTRY))
    (row,) = house.app.reports.reporting.statistics(house.viewer, asked).table.to_pylist()
    assert (row["sent"], row["delivered"], row["cost_eur_cents"]) == (10, 10, Decimal("75.0000"))


def test_a_second_worker_does_not_disturb_the_first(house: House, account: Account):
    traffic = house.app.traffic
    begun = begin(house, account, records(30))
    merge = traffic._traffic.merge_chunk

    def meanwhile(*what):
        traffic.run(begun.import_id, house.clock)
        house.wait(timedelta(minutes=1))
        traffic._traffic.merge_chunk = merge
        traffic.run(begun.import_id, house.clock)
        return merge(*what)

    traffic._traffic.merge_chunk = meanwhile
    traffic.run(begun.import_id, house.clock)
    ended = traffic.get(house.viewer, begun.import_id)
    assert (ended.status, ended.counts) == (COMPLETED, counts(30, added=30))
    assert len(messages(house)) == 30


def test_a_column_with_one_value_for_different_moments_is_no_id(house: House, account: Account):
    both = csv(line(0, "DELIVRD", key="route-a"), line(0, "DELIVRD", key="route-a", sent=START + timedelta(hours=2)))
    assert imported(house, account, both).counts == counts(2, added=2)
    assert imported(house, account, both).counts == counts(2, unchanged=2)
    assert [row["gateway_message_id"] for row in messages(house)] == ["", ""]
    assert_consistent(house)


def test_a_list_of_events_is_still_one_message(house: House, account: Account):
    words = ("ACCEPTD", "ENROUTE", "DELIVRD")
    events = [line(0, word, key="id-1", sent=START + timedelta(seconds=number)) for number, word in enumerate(words)]
    assert imported(house, account, csv(*events)).counts == counts(3, added=1, repeated=2)
    assert states(house) == {"Delivered": 1}
