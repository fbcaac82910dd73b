"""Price lists by date: which counts when, and that a bad file changes nothing."""

import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.bootstrap import build_app
from core.domain.accounts.price_lists import PriceList, ReadPrices
from core.domain.accounts.pricing import ALWAYS, Price
from core.domain.imports.cdr import PriceUnit
from core.errors import Conflict, InvalidFile, InvalidInput, NotFound
from core.files.apart import HERE
from core.services.accounts import pricing_accounts
from core.services.accounts.pricing_accounts import PriceUpload
from core.state.accounts import accounts
from tests.support.application.house import House

TODAY = date(2026, 3, 1)
TOMORROW = TODAY + timedelta(days=1)


def import_list(house: House, content: str | bytes, day: date = TODAY, **facts: object) -> PriceList:
    data = content.encode() if isinstance(content, str) else content
    upload = PriceUpload(day, **facts)
    return house.app.accounts.pricing.import_list(
        house.viewer, house.account.account_id, upload, io.BytesIO(data), house.now
    )


def german(price: str) -> str:
    return f"Country;Price EUR cents\nDE;{price}\n"


def lists(house: House) -> list[PriceList]:
    return list(house.app.accounts.pricing.list_lists(house.viewer, house.account.account_id, house.now))


def counts(house: House, on: date) -> tuple[Price, ...]:
    with house.app.state.read() as session:
        return accounts.list_prices(session, house.account.account_id, on)


def test_a_list_counts_from_its_day_until_the_next(house: House) -> None:
    import_list(house, german("6"))
    import_list(house, german("7,5"), TOMORROW)
    assert lists(house) == [
        PriceList(TOMORROW, 1, is_current=False),
        PriceList(TODAY, 1, is_current=True),
        PriceList(ALWAYS, 1, is_current=False),
    ]
    assert counts(house, TODAY - timedelta(days=1)) == (Price("", "", Decimal(5)),)
    assert counts(house, TODAY) == (Price("DE", "", Decimal(6)),)
    assert counts(house, TOMORROW + timedelta(days=400)) == (Price("DE", "", Decimal("7.5")),)
    house.wait(timedelta(days=1))
    assert [item.is_current for item in lists(house)] == [True, False, False]


def test_a_list_of_the_same_day_is_replaced_only_when_somebody_says_so(house: House) -> None:
    import_list(house, "Country,Price EUR cents\nDE,6\nFR,7\n")
    with pytest.raises(Conflict, match="01/03/2026"):
        import_list(house, german("1"))
    assert len(counts(house, TODAY)) == 2
    import_list(house, german("1"), replaces=True)
    assert counts(house, TODAY) == (Price("DE", "", Decimal(1)),)


def test_a_day_that_has_passed_is_refused(house: House) -> None:
    with pytest.raises(InvalidInput, match="has passed") as caught:
        import_list(house, german("6"), TODAY - timedelta(days=1))
    assert caught.value.field == "day"
    assert len(lists(house)) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Country,Price EUR cents\nDE,6\nXX,7\n", r"no country XX;.* name\.$"),
        ("Country,Price EUR cents\nDE,6\nXX,7\nFR,-1\n", r"no country XX;.* name\. 1 more row has faults\.$"),
        ("Country,Price EUR cents\nXX,7\nFR,-1\nGB,-1\n", r"no country XX;.* name\. 2 more rows have faults\.$"),
        ("Country,Price EUR cents\nDE,6\nDE,6\n", "already"),
        (b"\x00\x01\x02", "neither"),
        ("Country,Price\nDE,6\n", "does not say"),
    ],
)
def test_a_file_with_any_fault_changes_nothing(house: House, content: str | bytes, message: str) -> None:
    with pytest.raises((InvalidInput, InvalidFile), match=message):
        import_list(house, content)
    assert len(lists(house)) == 1
    assert not list(house.app.settings.uploads_dir.glob("*"))


def test_a_preview_keeps_nothing(house: House) -> None:
    found = house.app.accounts.pricing.preview(
        house.viewer, house.account.account_id, io.BytesIO(b"Country,Price\nDE,0.06\n"), PriceUnit.EUR
    )
    assert found.prices == (Price("DE", "", Decimal(6)),)
    assert len(lists(house)) == 1
    assert not list(house.app.settings.uploads_dir.glob("*"))


def test_a_file_that_is_too_large_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pricing_accounts, "MAX_BYTES", 20)
    with pytest.raises(InvalidInput, match="larger than"):
        import_list(house, german("6" * 10))
    assert not list(house.app.settings.uploads_dir.glob("*"))


def test_what_is_downloaded_can_be_imported_again(house: House) -> None:
    import_list(house, "Country,MCCMNC,Price EUR cents\nDE,,6\nDE,26201,7.1234\n*,,9\n")
    account_id = house.account.account_id
    content = house.app.accounts.pricing.download(house.viewer, account_id, TODAY)
    assert content.decode().splitlines() == [
        "Country,MCCMNC,Price [EUR c]",
        "*,,9.0000",
        "DE,,6.0000",
        "DE,26201,7.1234",
    ]
    import_list(house, content, TOMORROW)
    assert set(counts(house, TOMORROW)) == set(counts(house, TODAY))
    with pytest.raises(NotFound):
        house.app.accounts.pricing.download(house.viewer, account_id, TOMORROW + timedelta(days=1))


def test_who_reads_the_files_is_the_application_s_choice(house: House) -> None:
    # As it was: the web process read price lists itself, whatever it was built with.
    def refuse(*_: object) -> ReadPrices:
        raise InvalidFile("Looked at elsewhere.")

    elsewhere = build_app(house.app.settings, replace(HERE, prices=refuse))
    try:
        with pytest.raises(InvalidFile, match="elsewhere"):
            elsewhere.accounts.pricing.preview(house.viewer, house.account.account_id, io.BytesIO(b"Country\n"), None)
    finally:
        elsewhere.close()
