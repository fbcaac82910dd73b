"""What comes with control characters: each has its fate, none is lost, and none stops the rest."""

import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.domain.imports.cdr import TrafficImportStatus
from core.domain.imports.lists import ListStatus
from core.domain.messages.messages import Receipt, SubmitOutcome, SubmitResult
from core.errors import InvalidFile, InvalidInput
from core.history.lake.schema import UNSENT_SCHEMA
from core.history.messages.message_store import MessageStore
from core.services.campaigns.composing import check_message
from tests.support.application.cdr import csv, imported, line, open_outside
from tests.support.application.house import House
from tests.support.stores.messages import ReceiptUpdate, make_message, merge_receipts, message_table

ODD = ["\x00", "\x01", "\x0b", "\x1b", "\x1f", "\x7f", "\x85"]


def test_a_row_of_a_list_is_refused_with_its_reason(house: House):
    odd = [character for character in ODD if character != "\0"]
    rows = "".join(f"4917961234{number:02},A{character}B,Berlin\n" for number, character in enumerate(odd))
    found = house.upload(f'PhoneNumber,FirstName,City\n{rows}491796123499,"two\nlines",Bonn\n')
    assert (found.status, found.entry_count, found.rejected_count) == (ListStatus.READY, 1, len(odd))
    rejected = house.app.lists.rejected_csv(house.viewer, found.list_id).decode("utf-8-sig")
    assert rejected.count("A cell holds a control character") == len(odd)


@pytest.mark.parametrize("odd", ODD)
def test_a_message_is_refused_in_words(odd: str):
    with pytest.raises(InvalidInput, match="The message has a character that cannot be used"):
        check_message(f"Hello {odd}")
    assert check_message("Hello\n\tyou\x0c€") == "Hello\n\tyou\x0c€"


def test_a_record_is_kept_without_the_cell_that_holds_one(house: House):
    account = open_outside(house)
    # A NUL near the beginning makes no text of the whole file, and is refused so.
    fine = [line(number, "DELIVRD") for number in range(1_500)]
    odd = [line(2_000 + number, "UNDELIV", key=f"id{character}x") for number, character in enumerate(ODD)]
    ended = imported(house, account, csv(*fine, *odd, line(3_000)))
    assert (ended.status, ended.counts.added, ended.counts.rejected) == (TrafficImportStatus.COMPLETED, 1_508, 0)
    text = house.app.traffic.rejected_csv(house.viewer, ended.import_id).decode("utf-8-sig")
    assert text.count("holds a control character: “id\ufffdx”") == len(ODD)


def test_a_parquet_file_that_is_not_utf8_is_refused_as_a_file(house: House):
    names, *cells = [row.split(",") for row in csv(line(1), line(2)).decode().splitlines()]
    table = pa.table({name: list(column) for name, column in zip(names, zip(*cells, strict=True), strict=True)})
    bad = pa.Array.from_buffers(pa.string(), 2, pa.array([b"ACME", b"\xed\xa0\x80"], pa.binary()).buffers())
    content = io.BytesIO()
    parquet.write_table(table.set_column(names.index("from"), "from", bad), content)
    account = open_outside(house)
    with pytest.raises(InvalidFile):
        imported(house, account, content.getvalue(), "cdr.parquet")


def test_a_receipt_finds_its_message_whatever_the_gateway_called_it(house: House):
    odd = SubmitResult("m", SubmitOutcome.ACCEPTED, house.now, gateway_message_id="x\0'); DROP").gateway_message_id
    store = MessageStore(house.app.lake)
    sent = [make_message(gateway="http", gateway_message_id=key) for key in (odd, "b", "c")]
    store.append_batch("b", "c", message_table(*sent), UNSENT_SCHEMA.empty_table(), house.now)
    at = sent[0]["sent_at"]
    receipts = [
        ReceiptUpdate(Receipt("http", key, "DELIVRD\0", "\0", at), at, number)
        for number, key in enumerate(["x\0'); DROP", "b"])
    ]
    assert merge_receipts(store, receipts) == {("http", odd), ("http", "b")}
