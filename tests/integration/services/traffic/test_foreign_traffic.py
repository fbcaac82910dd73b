"""CDR files as other programs rewrite them, and our own file of rejected rows sent again."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.domain.accounts.accounts import Account
from core.domain.imports.cdr import CdrField, TrafficCounts
from core.domain.reports.message_query import MessageQuery
from tests.support.application.cdr import imported, open_outside, upload
from tests.support.application.house import House

Rows = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def account(house: House) -> Account:
    return open_outside(house)


@pytest.fixture
def rows(house: House) -> Rows:
    def find() -> list[dict[str, Any]]:
        query = MessageQuery(frozenset(), house.everything())
        return list(
            house.app.reports.reporting.messages(house.viewer, query, 1, 100).table.sort_by("receiver").to_pylist()
        )

    return find


def test_whole_numbers_that_pandas_wrote_with_a_point_are_what_they_were(house: House, account: Account, rows: Rows):
    header = "msg_id,submit_date,msisdn,status,err,parts,mccmnc,dcs,done_date"
    ended = imported(
        house,
        account,
        f"{header}\n1001.0,2026-02-10 08:00:00,491796000000.0,UNDELIV,27.0,2.0,26203.0,8.0,NaT\n".encode(),
    )
    (row,) = rows()
    assert (ended.remarks, row["gateway_message_id"], row["error_code"]) == ({}, "1001", "27")
    assert (row["segment_count"], row["mccmnc"], row["unicode"], row["delivered_at"]) == (2, "26203", True, None)


def test_countries_are_known_as_price_lists_know_them(house: House, account: Account, rows: Rows):
    # The number is one of Guernsey, and the provider says where it was delivered.
    ended = imported(
        house,
        account,
        b"sent at,to,status,country,mccmnc\n2026-02-10 08:00:00,447911123456,delivered,UK,234.10\n"
        b"2026-02-10 08:00:00,491796000000,delivered,#N/A,N.A.\n",
    )
    found = [(row["country"], row["mccmnc"]) for row in rows()]
    assert (ended.remarks, found) == ({}, [("United Kingdom", "23410"), ("Germany", "26203")])


def test_our_own_file_of_rejected_rows_is_read_as_the_rows_it_is_about(house: House, account: Account, rows: Rows):
    header = "sid,date_sent,to,from,status,price_eur"
    sent = f"{header}\nSM1,2026-02-10 08:00:00,+49 179 60000,-ACME,delivered,-0.00790\n".encode()
    sent += b"SM2,2026-02-10 08:00:00,491796000001,ACME,delivered,-0.00790\n"
    first = imported(house, account, sent)
    rejected = house.app.traffic.rejected_csv(house.viewer, first.import_id)
    assert b"'-0.00790" in rejected
    again = imported(house, account, rejected.replace(b"179 60000", b"179 6000000"))
    assert (again.columns, again.counts, again.remarks) == (first.columns, TrafficCounts(1, added=1), {})
    row = rows()[0]
    assert (row["receiver"], row["sender"], row["price_eur_cents"]) == ("+491796000000", "-ACME", Decimal("0.79"))


def test_a_file_that_says_utc_is_not_proposed_in_the_persons_zone(house: House, account: Account):
    viewer = replace(house.viewer, time_zone="Europe/Berlin")
    for header, zone in (("Sent At (UTC)", "UTC"), ("Sent At", "Europe/Berlin")):
        content = f"{header},to,status\n2026-02-10 08:00:00,491796000000,sent\n".encode()
        file = upload(house, account, content, viewer=viewer)
        mapping = house.app.traffic.propose(viewer, file.import_id).mapping
        assert (mapping.columns[CdrField.SENT_DATE], mapping.time_zone) == (header, zone)
