import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.imports.cdr import CdrField, DateFormat, TrafficImportStatus
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Viewer
from core.domain.reports.paging import PageRequest
from core.errors import NotFound
from core.services.traffic.importing_traffic import TrafficUpload
from tests.support.application import cdr
from tests.support.application.page_tests import House, clicking, place_of

KEY = "import_traffic"
GOOD = cdr.csv(cdr.line(0, "DELIVRD"), cdr.line(1, "UNDELIV"), "x,y")
UNCLEAR = b"when,who,what\n03/02/2025 09:15,491796000000,done\n"


def now() -> datetime:
    return datetime.now(UTC)


def sign_in(house: House, kind: AccountType = AccountType.HTTP) -> Viewer:
    viewer = house.sign_in()
    account = Account("", "booking", "Booking", kind, AccountStatus.ACTIVE, "", 100)
    opened = house.app.accounts.managing.open_account(account, [], now())
    house.app.accounts.managing.join(viewer.user_id, opened.account_id)
    return house.app.people.adding.get_viewer(viewer.email)


def imports(house: House, viewer: Viewer):
    return house.app.traffic.page(viewer, PageRequest()).items


def imported(house: House, viewer: Viewer, content: bytes = GOOD, *, begun: bool = True):
    traffic = house.app.traffic
    (account,) = traffic.list_accounts(viewer)
    new = traffic.upload(viewer, TrafficUpload(account.account_id, "cdr.csv"), io.BytesIO(content), now())
    if begun:
        traffic.begin(viewer, new.import_id, traffic.propose(viewer, new.import_id).mapping)
        traffic.run(new.import_id, now)
    return traffic.get(viewer, new.import_id)


def add_file(house: House, content: bytes = GOOD):
    at = house.open(KEY)
    at.button(key=f"{KEY}_add").click().run()
    at.file_uploader(key=f"{KEY}_file").upload("cdr.csv", content)
    return at.button(key=f"{KEY}_upload").click().run()


def table(at) -> pd.DataFrame:
    return at.dataframe[0].value


def box(at, import_id: str, name: str):
    return at.selectbox(key=f"{KEY}_{import_id}_{name}")


def test_without_imports_the_page_says_what_to_do(house: House) -> None:
    sign_in(house)
    at = house.open(KEY)
    assert not at.exception
    assert at.subheader[0].value == "No outside traffic yet"
    assert not at.dataframe


@pytest.mark.parametrize(
    ("preset", "what_to_do"), [("Administrator", "Create one on the Traffic Accounts page"), ("User manager", "Ask an")]
)
def test_without_an_account_it_says_how_to_come_to_one(house: House, preset: str, what_to_do: str) -> None:
    house.sign_in(preset)
    at = house.open(KEY)
    assert any(f"any active account of type HTTP or SMPP. {what_to_do}" in each.value for each in at.caption)
    at.button(key=f"{KEY}_add").click().run()
    at.button(key=f"{KEY}_upload").click().run()
    assert "any active account of type HTTP or SMPP" in at.error[0].value
    assert what_to_do in at.error[0].value


def test_table_shows_what_became_of_a_file(house: House) -> None:
    viewer = sign_in(house)
    imported(house, viewer)
    at = house.open(KEY)
    assert not at.exception
    row = table(at).iloc[0]
    assert (row["File"], list(row["Status"]), row["Account"]) == ("cdr.csv", ["Completed"], "Booking")
    assert [row[name] for name in ("Rows", "Added", "Updated", "Rejected")] == [3, 2, 0, 1]


def test_a_file_whose_columns_are_clear_takes_two_clicks(house: House) -> None:
    viewer = sign_in(house)
    at = add_file(house)
    assert not at.exception
    (new,) = imports(house, viewer)
    assert new.status is TrafficImportStatus.TO_MAP
    assert box(at, new.import_id, "SENT_DATE").value == "submit_date"
    preview = next(each.value for each in at.dataframe if "MCCMNC" in each.value.columns)
    assert list(preview["Receiver"]) == ["+491796000000", "+491796000001"]
    at.button(key=f"{KEY}_begin").click().run()
    assert not at.exception
    assert imports(house, viewer)[0].status is TrafficImportStatus.IN_PROGRESS
    assert at.progress
    place = place_of(at, at.dataframe[0])
    house.app.traffic.run(new.import_id, now)
    at.run()
    assert not at.progress
    assert place_of(at, at.dataframe[0]) == place
    assert list(table(at)["Status"][0]) == ["Completed"]


@pytest.mark.parametrize(
    ("bad_count", "said"), [(1, "Row 3: "), (2, "Row 3 and 1\u00a0more row: "), (3, "Row 3 and 2\u00a0more rows: ")]
)
def test_rows_that_would_be_rejected_for_one_reason_are_counted(house: House, bad_count: int, said: str) -> None:
    sign_in(house)
    bad = cdr.line(1, "DELIVRD").replace("491796000001", "nobody")
    at = add_file(house, cdr.csv(cdr.line(0, "DELIVRD"), *[bad] * bad_count))
    assert not at.exception
    (warning,) = at.warning
    assert f"\n- {said}" in warning.value


def test_the_unit_of_a_price_is_asked_for_any_currency(house: House) -> None:
    viewer = sign_in(house)
    at = add_file(house, b"sent,to,status,price,currency\n2026-03-01 10:00:00,+491796000000,delivered,0.0079,USD\n")
    assert not at.exception
    (new,) = imports(house, viewer)
    unit = box(at, new.import_id, "unit")
    assert (unit.value, unit.options) == (None, ["EUR cents, or hundredths", "EUR, or whole units"])
    assert "whole units of their currency or hundredths of it" in at.error[0].value
    at = unit.select("EUR, or whole units").run()
    assert not at.exception
    assert at.text_input(key=f"{KEY}_{new.import_id}_rate_USD").label == "1 USD in EUR *"


def test_the_next_file_of_the_same_form_needs_no_clicks_unless_asked_for(house: House) -> None:
    viewer = sign_in(house)
    imported(house, viewer)
    add_file(house)
    assert imports(house, viewer)[0].status is TrafficImportStatus.IN_PROGRESS
    at = house.open(KEY)
    at.button(key=f"{KEY}_add").click().run()
    at.file_uploader(key=f"{KEY}_file").upload("cdr.csv", GOOD)
    at.checkbox(key=f"{KEY}_look").check()
    at.button(key=f"{KEY}_upload").click().run()
    newest = imports(house, viewer)[0]
    assert newest.status is TrafficImportStatus.TO_MAP
    assert box(at, newest.import_id, "SENT_DATE").value == "submit_date"


def test_what_is_not_clear_is_asked_and_imported_as_answered(house: House) -> None:
    viewer = sign_in(house)
    at = add_file(house, UNCLEAR)
    (new,) = imports(house, viewer)
    assert "No column is chosen for Sent Date, Receiver, Delivery Status" in at.error[0].value
    assert at.button(key=f"{KEY}_begin").disabled
    for field, column in (("SENT_DATE", "when"), ("RECEIVER", "who"), ("DELIVERY_STATUS", "what")):
        box(at, new.import_id, field).set_value(column)
    at.run()
    assert "date format is not clear" in at.error[0].value
    box(at, new.import_id, "format").set_value(DateFormat.DMY_SLASH).run()
    assert not at.error
    assert "would be rejected" in at.warning[0].value
    box(at, new.import_id, "word_DONE").set_value(DeliveryStatus.DELIVERED).run()
    assert not at.warning
    at.button(key=f"{KEY}_begin").click().run()
    mapping = house.app.traffic.propose(viewer, new.import_id).mapping
    assert mapping.statuses == {"DONE": DeliveryStatus.DELIVERED}
    assert mapping.columns[CdrField.RECEIVER] == "who"
    house.app.traffic.run(new.import_id, now)
    assert imports(house, viewer)[0].counts.added == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No file is chosen"), (b"date,to\n", "no rows"), (b"date,to\n1,\xe9\n", "0xE9")],
)
def test_a_file_that_cannot_be_used_is_explained_and_the_panel_stays(
    house: House, content: bytes | None, message: str
) -> None:
    viewer = sign_in(house)
    at = house.open(KEY)
    at.button(key=f"{KEY}_add").click().run()
    if content is not None:
        at.file_uploader(key=f"{KEY}_file").upload("cdr.csv", content)
    at.button(key=f"{KEY}_upload").click().run()
    assert message in at.error[0].value
    assert at.button(key=f"{KEY}_upload")
    assert imports(house, viewer) == ()


def test_eye_shows_counts_and_why_rows_were_rejected(house: House) -> None:
    viewer = sign_in(house)
    imported(house, viewer)
    at = house.open(KEY)
    with clicking("open", 0):
        at.run()
    assert not at.exception
    facts = at.table[0].value.iloc[:, 0].to_dict()
    assert (facts["Rows read"], facts["Added"], facts["Rejected"]) == ("3", "2", "1")
    assert "2 cells, the header 9" in at.dataframe[1].value["Reason"][0]


def test_eye_explains_a_faulted_import(house: House) -> None:
    viewer = sign_in(house)
    imported(house, viewer, cdr.csv(cdr.line(0, "WOBBLY")))
    at = house.open(KEY)
    with clicking("open", 0):
        at.run()
    assert "The only row is not a message" in at.error[0].value


def test_eye_of_an_unmapped_upload_asks_for_the_columns_and_it_can_be_discarded(house: House) -> None:
    viewer = sign_in(house)
    new = imported(house, viewer, begun=False)
    at = house.open(KEY)
    with clicking("open", 0):
        at.run()
    assert box(at, new.import_id, "RECEIVER").value == "msisdn"
    at.button(key=f"{KEY}_discard").click().run()
    assert not at.exception
    assert imports(house, viewer) == ()


def test_an_import_is_forgotten_only_after_ok(house: House) -> None:
    viewer = sign_in(house)
    item = imported(house, viewer)
    at = house.open(KEY)
    with clicking("delete", 0):
        at.run()
    assert house.app.traffic.get(viewer, item.import_id)
    at.button(key=f"{KEY}_delete_ok").click().run()
    with pytest.raises(NotFound):
        house.app.traffic.get(viewer, item.import_id)
