"""Prices in other currencies, cells that cannot be read, and ids that are none: said, counted, and nothing lost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.accounts.accounts import Account
from core.domain.imports.cdr import PriceUnit, TrafficCounts, TrafficImportStatus
from core.domain.imports.cdr_remarks import CellFault
from core.domain.reports.message_query import MessageQuery
from core.errors import InvalidInput
from tests.support.application.cdr import csv, imported, line, open_outside, upload
from tests.support.application.house import House

PRICED = "sent_at,to,status,price,currency"


@pytest.fixture
def account(house: House) -> Account:
    return open_outside(house)


def priced(number: int, price: str, currency: str = "") -> str:
    return f"2026-02-10 08:00:{number:02},49179{6_000_000 + number},delivered,{price},{currency}"


def prices(house: House) -> list[Decimal]:
    query = MessageQuery(frozenset(), house.everything())
    found = house.app.reports.reporting.messages(house.viewer, query, 1, 100).table.to_pylist()
    return sorted(row["price_eur_cents"] for row in found)


def test_no_price_of_another_currency_is_imported_without_a_rate_which_is_kept(house: House, account: Account):
    traffic = house.app.traffic
    content = csv(priced(0, "$0.0075"), priced(1, "0.01", "EUR"), priced(2, "-0.5", "gbp"), header=PRICED)
    found = upload(house, account, content)
    mapping = replace(traffic.propose(house.viewer, found.import_id).mapping, price_unit=PriceUnit.EUR)
    preview = traffic.preview(house.viewer, found.import_id, mapping)
    assert preview.unrated == preview.currencies
    assert set(preview.unrated) == {"USD", "GBP"}
    assert preview.table["Price [EUR c]"].to_pylist() == [None, Decimal("1.0000"), None]
    with pytest.raises(InvalidInput, match="no rates for"):
        traffic.begin(house.viewer, found.import_id, mapping)
    mapping = replace(mapping, rates={"USD": Decimal("0.9213"), "GBP": Decimal("1.17")})
    traffic.begin(house.viewer, found.import_id, mapping)
    traffic.run(found.import_id, house.clock)
    assert prices(house) == [Decimal("0.6910"), Decimal("1.0000"), Decimal("58.5000")]
    assert traffic.get(house.viewer, found.import_id).rates == mapping.rates
    again = upload(house, account, content)
    assert traffic.propose(house.viewer, again.import_id).mapping.rates == mapping.rates
    assert traffic.list_unrated(house.viewer, again.import_id) == ()


def test_unreadable_cells_stay_empty_and_their_messages_are_kept(house: House, account: Account):
    bad = [
        "a,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,soon,,free,",
        "b,2026-02-10 08:00:00,491796000000,ACME,DELIVRD,2026-02-09 08:00:00,,,0",
        f"c,2026-02-10 08:00:00,491796000000,{'n' * 129},DELIVRD,,,,",
        "d,2026-02-10 08:00:00,491796000000,AC\x07ME,DELIVRD,,,,",
    ]
    ended = imported(house, account, csv(line(0, "DELIVRD"), *bad, line(1, "WOBBLY")))
    assert ended.status is TrafficImportStatus.COMPLETED
    assert ended.counts == TrafficCounts(6, added=5, rejected=1)
    faults = (
        CellFault.DELIVERY_DATE,
        CellFault.DELIVERED_BEFORE_SENT,
        CellFault.PRICE,
        CellFault.SEGMENTS,
        CellFault.TOO_LONG,
        CellFault.CONTROL,
    )
    assert ended.remarks == dict.fromkeys(faults, 1)
    text = house.app.traffic.rejected_csv(house.viewer, ended.import_id).decode("utf-8-sig")
    rows = {row.split(",")[0]: row for row in text.splitlines()[1:]}
    assert list(rows) == ["3", "4", "5", "6", "7"]
    assert "Kept: " in rows["3"]
    assert "Price “free”" in rows["3"]
    assert "Kept" not in rows["7"]


def test_an_id_that_stands_for_different_moments_is_said_before_and_after(house: House, account: Account):
    traffic = house.app.traffic
    content = csv(line(0, "DELIVRD", key="smsc-1"), line(0, "DELIVRD", key="smsc-1").replace("08:00:00", "08:30:00"))
    found = upload(house, account, content)
    mapping = traffic.propose(house.viewer, found.import_id).mapping
    assert traffic.preview(house.viewer, found.import_id, mapping).doubtful_ids == ("smsc-1",)
    ended = imported(house, account, content)
    assert ended.counts.added == 2
    assert ended.remarks == {CellFault.MESSAGE_ID: 2}
