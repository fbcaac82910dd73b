"""What a preflight counts is what a launch freezes, and what the domain says of every single row."""

import random
from collections import Counter
from datetime import timedelta
from decimal import Decimal

from core.domain.accounts.pricing import Price, find_price
from core.domain.campaigns.preflight import RowKind, Wanted
from core.domain.texts.encoding import Encoding, choose_encoding
from core.domain.texts.placeholders import fill_cells, parse_template, render
from core.domain.texts.segments import MAX_SEGMENTS, measure
from core.domain.texts.simplifying import simplify
from core.domain.words.control_characters import replace_controls
from core.history.audience.audience_store import AudienceStore, FreezeSpec
from core.history.audience.contacts import ContactStore
from core.history.audience.preflight import Often, PreflightStore
from core.history.audience.recipients import ListPart, RecipientSpec, SuppressedRecipients
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from core.state.suppressions.numbers import to_numbers
from tests.support.cases.segment_vectors import random_texts
from tests.support.stores.catalogs import seeds
from tests.support.stores.messages import NOW, contact_table, make_contact, make_message, message_table, unsent_table

OFTEN = Often("account-1", NOW - timedelta(days=7), 1)
PRICES = (Price("DE", "26201", Decimal("7.2500")), Price("DE", "", Decimal(8)), Price("FR", "", Decimal("9.9999")))
PLACES = (("DE", "26201"), ("DE", "26202"), ("FR", "20801"), ("US", "310260"))


def make_rows(source: random.Random, count: int, first: int) -> list[dict]:
    values = [
        # No cell with a control character comes in.
        *(replace_controls(text, is_prose=True) for text in random_texts(12, source.randrange(10_000))),
        "Ana",
        "Łukasz",
        "",
        " \t",
        "\u00a0",
        "x" * 153,
        "\u201cq\u201d",
    ]
    rows = []
    for number in range(count):
        country, mccmnc = source.choice(PLACES)
        fields = ["", source.choice(values), source.choice(values)][: source.choice([3, 3, 3, 2])]
        rows.append(
            make_contact(first + number, msisdn=f"+4917900{source.randrange(count):05d}", fields=fields)
            | {"country": country, "mccmnc": mccmnc}
        )
    # One list holds a number once.
    return list({row["msisdn"]: row for row in rows}.values())


def expected(spec: RecipientSpec, lists: dict[str, list[dict]]) -> list[tuple]:
    """Return (list_no, row_no, text, encoding, segments, cost, reason) of every row, as the domain has it."""
    seen: set[str] = set()
    left_out = {row["msisdn"] for list_id in spec.left_out_ids for row in lists[list_id]}
    found = []
    for list_no, part in enumerate(spec.lists):
        for row in sorted(lists[part.list_id], key=lambda row: row["row_no"]):
            cells = {name: (row["fields"] + [""] * 9)[index] for name, index in part.columns.items()}
            text = render(spec.parts, fill_cells(cells, spec.fallbacks))
            text = simplify(text) if spec.simplifies else text
            size = measure(text)
            price = find_price(spec.prices, row["country"], row["mccmnc"])
            reasons = (
                ("duplicate", row["msisdn"] in seen),
                ("left out", row["msisdn"] in left_out),
                ("suppressed", int(row["msisdn"]) in spec.suppressed.by_account),
                ("suppressed for all accounts", int(row["msisdn"]) in spec.suppressed.everywhere),
                ("empty message", not text.strip()),
                ("too long", size.segment_count > MAX_SEGMENTS),
                ("no price", price is None),
            )
            seen.add(row["msisdn"])
            reason = next((name for name, applies in reasons if applies), "")
            cost = None if price is None else price * size.segment_count
            found.append((list_no, row["row_no"], text, size.encoding.value, size.segment_count, cost, reason))
    return found


@seeds(range(8))
def test_every_row_is_judged_as_the_domain_says_and_frozen_as_it_was_counted(lake: Lake, seed: int) -> None:
    source = random.Random(seed)
    lists = {f"list-{n}": make_rows(source, 60, 2) for n in range(3)}
    for list_id, rows in lists.items():
        ContactStore(lake).replace(list_id, [contact_table(*rows)])
    message = source.choice(
        [
            "Hi {A}, {B}!",
            "{A}",
            "{A}{B}",
            "\u201cHi\u201d {B} {A} {A}",
            "{" * 70 + "{A} {x}",
            "ä" * 150 + "{B}",
            "🎉" * 34 + "{A}",
        ]
    )
    spec = RecipientSpec(
        lists=(ListPart("list-0", {"A": 1, "B": 2}), ListPart("list-1", {"A": 2, "B": 1})),
        parts=parse_template(message, ["A", "B"]),
        prices=source.choice([PRICES, ()]),
        fallbacks=source.choice([{}, {"A": "friend\u2026"}]),
        left_out_ids=source.choice([(), ("list-2",)]),
        suppressed=SuppressedRecipients.of(
            to_numbers(row["msisdn"] for row in lists["list-0"][:5]),
            to_numbers(row["msisdn"] for row in lists["list-0"][3:9]),
        ),
        simplifies=source.random() < 0.5,
    )
    rows = expected(spec, lists)
    store = PreflightStore(lake)
    counted = store.count("key", spec, OFTEN)
    assert counted.audience_count == len(rows)
    assert dict(counted.excluded) == Counter(row[-1] for row in rows if row[-1])
    kept = [row for row in rows if not row[-1]]
    assert counted.recipient_count == len(kept)
    assert {item.segment_count: item.recipient_count for item in counted.lengths} == Counter(row[4] for row in kept)
    assert counted.cost_eur_cents == sum((row[5] for row in kept), Decimal(0))

    found, total = store.rows("key", spec, OFTEN, Wanted(RowKind.ALL), 1_000, 0)
    judged = found.to_pylist()
    assert total == len(judged)
    for row in judged:
        (contact,) = (each for each in lists[f"list-{row['list_no']}"] if each["row_no"] == row["row_no"])
        assert row["fields"] == contact["fields"]
    assert [
        (row["list_no"], row["row_no"], row["encoding"], row["segment_count"], row["reason"]) for row in judged
    ] == [(row[0], row[1], row[3], row[4], row[6]) for row in rows]
    frozen = AudienceStore(lake).freeze(FreezeSpec("campaign-1", spec, 50, NOW))
    assert frozen.cost_eur_cents == counted.cost_eur_cents
    assert frozen.excluded == dict(counted.excluded)
    texts = [
        row["text"]
        for batch in frozen.batches
        for row in AudienceStore(lake).batch("campaign-1", batch.batch_no).to_pylist()
    ]
    assert texts == [row[2] for row in kept]


def test_unicode_is_blamed_on_what_brings_it_in(lake: Lake) -> None:
    names = ["Ana", "Łukasz", "Şule", "x" * 200]
    ContactStore(lake).replace(
        "list-1", [contact_table(*(make_contact(row, fields=["", name]) for row, name in enumerate(names, start=2)))]
    )
    filler = "y" * 100

    def count(message: str) -> list[tuple]:
        spec = RecipientSpec(
            (ListPart("list-1", {"A": 1}),), parse_template(message, ["A"]), (Price("", "", Decimal(10)),), {}
        )
        assert choose_encoding(filler) is Encoding.GSM7
        found = PreflightStore(lake).count("key", spec, OFTEN).widened
        return [
            (
                item.name,
                item.characters,
                item.plain_count,
                item.segment_count,
                item.recipient_count,
                item.extra_eur_cents,
            )
            for item in found
        ]

    assert count(f"{{A}} {filler}") == [("A", "ŁŞ", 1, 2, 2, Decimal(20))]
    assert count(f"{filler} ж") == [("", "ж", 1, 2, 4, Decimal(40))]
    assert count("{A}") == []


def test_who_was_texted_often_is_counted_and_shown(lake: Lake) -> None:
    ContactStore(lake).replace("list-1", [contact_table(*(make_contact(row, fields=[""]) for row in (2, 3, 4)))])
    numbers = ["+491790000002", "+491790000002", "+491790000003", "+491790000004", "+491790000004"]
    old = {"sent_at": NOW - timedelta(days=8)}
    rows = [make_message(receiver=number, **(old if number.endswith("4") else {})) for number in numbers]
    MessageStore(lake).append_batch("batch-1", "campaign-9", message_table(*rows), unsent_table(), NOW)
    spec = RecipientSpec((ListPart("list-1", {}),), parse_template("Hi", []), (), {})
    store = PreflightStore(lake)
    often = Often(rows[0]["account"], NOW - timedelta(days=7), 1)
    assert store.count("key", spec, often).frequent_count == 1
    found, _ = store.rows("key", spec, often, Wanted(RowKind.FREQUENT), 10, 0)
    assert found["msisdn"].to_pylist() == ["+491790000002"]


def test_only_the_last_few_audiences_are_held_and_what_is_gone_is_counted_again(lake: Lake) -> None:
    ContactStore(lake).replace("list-1", [contact_table(make_contact(2, fields=[""]))])
    spec = RecipientSpec((ListPart("list-1", {}),), parse_template("Hi", []), (), {})
    store = PreflightStore(lake)
    for number in range(5):
        assert store.count(f"key-{number}", spec, OFTEN).recipient_count == 1
    with lake.read() as cursor:
        held = cursor.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'scratch_%'").fetchone()
    assert held[0] == 6
    lake.close()
    assert store.rows("key-4", spec, OFTEN, Wanted(RowKind.KEPT), 10, 0)[1] == 1
