from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.domain.accounts.pricing import Price
from core.domain.messages.messages import Exclusion
from core.domain.texts.placeholders import parse_template, render
from core.domain.texts.segments import measure
from core.errors import InvalidInput
from core.history.audience.audience_store import AudienceStore, BatchSize, FreezeSpec, FrozenAudience
from core.history.audience.contacts import ContactStore
from core.history.audience.recipients import ListPart, RecipientSpec
from core.history.lake.connection import Lake
from tests.support.stores.messages import NOW, contact_table, make_contact

DEFAULT = Price("", "", Decimal("9.0000"))


def make_spec(message: str = "Hello {Name}", batch_size: int = 3, **overrides: Any) -> FreezeSpec:
    recipients = RecipientSpec(
        lists=(ListPart("list-1", {"Name": 1}),),
        parts=parse_template(message, ["Name"]),
        prices=(DEFAULT,),
        fallbacks={},
    )
    return FreezeSpec("campaign-1", replace(recipients, **overrides), batch_size, NOW)


def fill(lake: Lake, *contacts: dict[str, Any]) -> None:
    ContactStore(lake).replace("list-1", [contact_table(*contacts)])


def named(row_no: int, name: str, **overrides: Any) -> dict[str, Any]:
    return make_contact(row_no, fields=["", name], **overrides)


def kept(lake: Lake, frozen: FrozenAudience) -> list[dict[str, Any]]:
    store = AudienceStore(lake)
    return [row for batch in frozen.batches for row in store.batch("campaign-1", batch.batch_no).to_pylist()]


def test_the_kept_rows_are_rendered_measured_and_cut_into_batches_in_file_order(lake: Lake) -> None:
    names = ["Ana", "", "Zoë {Name}", "Łukasz", "x" * 200, "😀", "'; DROP TABLE", "$1 \\1"]
    fill(lake, *(named(row_no, name) for row_no, name in enumerate(names, start=2)))
    frozen = AudienceStore(lake).freeze(make_spec("Hello {Name}, ${Name}!"))
    rows = kept(lake, frozen)
    parts = parse_template("Hello {Name}, ${Name}!", ["Name"])
    texts = [render(parts, {"Name": name}) for name in names]
    measures = [measure(text) for text in texts]
    assert [row["text"] for row in rows] == texts
    assert [(row["encoding"], row["segment_count"]) for row in rows] == [
        (m.encoding, m.segment_count) for m in measures
    ]
    assert [row["position"] for row in rows] == list(range(1, 9))
    assert [row["msisdn"] for row in rows] == [f"+49179{row_no:07d}" for row_no in range(2, 10)]
    assert len({row["message_id"] for row in rows}) == 8
    assert {row["message_id"][14] for row in rows} == {"7"}
    assert frozen.audience_count == 8
    assert frozen.excluded == {}
    assert frozen.batches == tuple(
        BatchSize(number + 1, len(part), sum(part))
        for number, part in enumerate([m.segment_count for m in measures][i : i + 3] for i in (0, 3, 6))
    )


def test_every_row_is_kept_or_excluded_for_one_reason(lake: Lake) -> None:
    fill(
        lake,
        named(2, "first", msisdn="+491791"),
        named(3, "second", msisdn="+491791"),
        named(4, " \n\u00a0"),
        named(5, ""),
        named(6, "x" * 1531),
        named(7, "x" * 1530),
        named(8, "there", country="XX"),
        named(9, "", msisdn="+491791"),
    )
    spec = make_spec("{Name}", prices=(Price("DE", "", Decimal(1)),))
    frozen = AudienceStore(lake).freeze(spec)
    assert frozen.excluded == {
        Exclusion.DUPLICATE: 2,
        Exclusion.EMPTY_MESSAGE: 2,
        Exclusion.NO_PRICE: 1,
        Exclusion.TOO_LONG: 1,
    }
    assert [row["text"] for row in kept(lake, frozen)] == ["first", "x" * 1530]
    assert frozen.audience_count == 8 == 2 + sum(frozen.excluded.values())
    with lake.read() as cursor:
        unsent = cursor.execute("SELECT msisdn, outcome, reason, recorded_at FROM lake.unsent").fetchall()
    assert len(unsent) == 6
    assert {row[1] for row in unsent} == {"excluded"}
    assert {row[3] for row in unsent} == {NOW.replace(tzinfo=None)}


@pytest.mark.parametrize(
    ("country", "mccmnc", "price"),
    [("DE", "26201", 1), ("DE", "26202", 2), ("DE", "", 2), ("FR", "20801", 3), ("", "", 3)],
)
def test_the_most_specific_price_counts_and_is_multiplied_by_segments(
    lake: Lake, country: str, mccmnc: str, price: int
) -> None:
    fill(lake, named(2, "x" * 170, country=country, mccmnc=mccmnc))
    prices = (Price("DE", "26201", Decimal(1)), Price("DE", "", Decimal(2)), Price("", "", Decimal(3)))
    frozen = AudienceStore(lake).freeze(make_spec("{Name}", prices=prices))
    (row,) = kept(lake, frozen)
    assert row["segment_count"] == 2
    assert row["price_eur_cents"] == price * 2


def test_without_a_price_list_messages_cost_nothing(lake: Lake) -> None:
    fill(lake, named(2, "Ana"))
    frozen = AudienceStore(lake).freeze(make_spec(prices=()))
    assert kept(lake, frozen)[0]["price_eur_cents"] == 0


def test_prices_keep_four_decimals(lake: Lake) -> None:
    fill(lake, named(2, "Ana"))
    frozen = AudienceStore(lake).freeze(make_spec(prices=(Price("", "", Decimal("7.1234")),)))
    assert kept(lake, frozen)[0]["price_eur_cents"] == Decimal("7.1234")


def test_freezing_twice_returns_what_stands(lake: Lake) -> None:
    store = AudienceStore(lake)
    fill(lake, named(2, "Ana"), named(3, "", msisdn=make_contact(2)["msisdn"]))
    assert store.find_frozen("campaign-1") is None
    first = store.freeze(make_spec())
    before = kept(lake, first)
    fill(lake, *(named(row_no, "other") for row_no in range(2, 50)))
    assert store.freeze(make_spec("Changed")) == first == store.find_frozen("campaign-1")
    assert kept(lake, first) == before


def test_a_list_without_contacts_is_frozen_too(lake: Lake) -> None:
    store = AudienceStore(lake)
    nobody = FrozenAudience(0, {}, (), Decimal(0))
    assert store.freeze(make_spec()) == nobody
    assert store.find_frozen("campaign-1") == nobody


def test_the_list_may_be_deleted_after_freezing(lake: Lake) -> None:
    fill(lake, named(2, "Ana"))
    frozen = AudienceStore(lake).freeze(make_spec())
    ContactStore(lake).delete("list-1")
    assert [row["text"] for row in kept(lake, frozen)] == ["Hello Ana"]


def test_a_row_shorter_than_the_header_renders_as_empty(lake: Lake) -> None:
    fill(lake, make_contact(2, fields=["only"]))
    frozen = AudienceStore(lake).freeze(make_spec())
    assert kept(lake, frozen)[0]["text"] == "Hello "


def test_a_placeholder_without_a_column_is_refused(lake: Lake) -> None:
    fill(lake, named(2, "Ana"))
    with pytest.raises(InvalidInput, match="Name"):
        AudienceStore(lake).freeze(make_spec(lists=(ListPart("list-1", {}),)))
    assert AudienceStore(lake).find_frozen("campaign-1") is None


def test_a_batch_that_is_not_there_is_empty(lake: Lake) -> None:
    assert AudienceStore(lake).batch("campaign-1", 1).num_rows == 0
