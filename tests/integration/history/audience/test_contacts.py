from collections.abc import Iterator

import pyarrow as pa
import pytest

from core.domain.imports.entries import EntryOrder, EntryQuery
from core.errors import InvalidFile
from core.history.audience.contacts import ContactStore
from core.history.lake.connection import Lake
from core.history.lake.schema import CONTACT_SCHEMA
from tests.support.stores.messages import contact_table, make_contact


def test_contacts_come_back_in_file_order(lake: Lake) -> None:
    store = ContactStore(lake)
    late, early = contact_table(make_contact(5), make_contact(4)), contact_table(make_contact(2), make_contact(3))
    assert store.replace("list-1", [late, early]) == 4
    page = store.page("list-1", 1, 2)
    assert page.to_pylist() == [make_contact(3), make_contact(4)]
    assert page.schema.names == CONTACT_SCHEMA.names


def test_replacing_leaves_no_old_row_and_no_other_list_alone(lake: Lake) -> None:
    store = ContactStore(lake)
    store.replace("list-1", [contact_table(*map(make_contact, range(2, 102)))])
    store.replace("list-2", [contact_table(make_contact(2))])
    assert store.replace("list-1", [contact_table(make_contact(7))]) == 1
    assert store.page("list-1", 0, 10).to_pylist() == [make_contact(7)]
    assert store.count("list-2") == 1


def test_a_list_may_become_empty(lake: Lake) -> None:
    store = ContactStore(lake)
    store.replace("list-1", [contact_table(make_contact(2))])
    assert store.replace("list-1", []) == 0
    assert store.page("list-1", 0, 10).num_rows == 0


def test_deleting_takes_one_list_and_may_happen_twice(lake: Lake) -> None:
    store = ContactStore(lake)
    for list_id in ("list-1", "list-2"):
        store.replace(list_id, [contact_table(make_contact(2))])
    store.delete("list-1")
    store.delete("list-1")
    assert (store.count("list-1"), store.count("list-2")) == (0, 1)


def test_an_error_while_the_file_is_read_stays_itself_and_changes_nothing(lake: Lake) -> None:
    store = ContactStore(lake)
    store.replace("list-1", [contact_table(make_contact(2))])

    def tables() -> Iterator[pa.Table]:
        yield contact_table(make_contact(3))
        raise InvalidFile("Row 4 cannot be read.")

    with pytest.raises(InvalidFile, match="Row 4"):
        store.replace("list-1", tables())
    assert store.page("list-1", 0, 10).to_pylist() == [make_contact(2)]


def test_no_scratch_table_stays_behind(lake: Lake) -> None:
    ContactStore(lake).replace("list-1", [contact_table(make_contact(2))])
    with lake.read() as cursor:
        assert cursor.execute("SELECT * FROM duckdb_tables() WHERE database_name = 'memory'").fetchall() == []


PEOPLE = [
    ("+491796548754", "DE", "Vodafone", "26202", ["x", "Zoë", "Main Street 1"]),
    ("+436641234567", "AT", "A1", "23201", ["y", "beau", "100 % Road"]),
    ("+33612345678", "FR", "", "", ["z", "Anna", "Rue_2"]),
]


@pytest.fixture
def people(lake: Lake) -> ContactStore:
    store = ContactStore(lake)
    names = ("msisdn", "country", "network", "mccmnc", "fields")
    rows = [{"row_no": row_no, **dict(zip(names, row, strict=True))} for row_no, row in enumerate(PEOPLE, start=2)]
    store.replace("people", [pa.Table.from_pylist(rows, schema=CONTACT_SCHEMA)])
    store.replace("others", [pa.Table.from_pylist(rows, schema=CONTACT_SCHEMA)])
    return store


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", [2, 3, 4]),
        ("zoË", [2]),
        ("Zoe\u0308", [2]),
        ("+49 179 654", [2]),
        ("0049 (179) 65-48", [2]),
        ("12345", [3, 4]),
        ("austria", [3]),
        # France, Germany, and Anna.
        ("AN", [2, 4]),
        ("vodaf", [2]),
        ("23201", [3]),
        ("100 %", [3]),
        ("%", [3]),
        ("_", [4]),
        ("street 1y", []),
        ("nobody", []),
        ("  beau  ", [3]),
    ],
)
def test_entries_are_found_by_what_stands_in_them(people: ContactStore, search: str, found: list[int]) -> None:
    wanted = EntryQuery(search)
    assert people.page("people", 0, 10, wanted)["row_no"].to_pylist() == found
    assert people.count("people", wanted) == len(found)
    assert people.page("people", 1, 1, wanted)["row_no"].to_pylist() == found[1:2]


@pytest.mark.parametrize(
    ("sort", "rows"),
    [
        (EntryOrder.ROW, [2, 3, 4]),
        (EntryOrder.NUMBER, [4, 3, 2]),
        (EntryOrder.COUNTRY, [3, 4, 2]),
        (EntryOrder.NETWORK, [4, 3, 2]),
        (EntryOrder.MCCMNC, [4, 3, 2]),
        (1, [4, 3, 2]),
        (2, [3, 2, 4]),
    ],
)
def test_entries_come_in_the_order_that_is_asked_for(
    people: ContactStore, sort: EntryOrder | int, rows: list[int]
) -> None:
    assert people.page("people", 0, 10, EntryQuery(sort=sort))["row_no"].to_pylist() == rows
    assert people.page("people", 0, 10, EntryQuery(sort=sort, descending=True))["row_no"].to_pylist() == rows[::-1]


def test_entries_that_are_alike_stay_in_the_order_of_the_file(lake: Lake) -> None:
    store = ContactStore(lake)
    store.replace("list-1", [contact_table(*map(make_contact, range(2, 40)))])
    rows = store.page("list-1", 0, 50, EntryQuery(sort=EntryOrder.COUNTRY, descending=True))["row_no"].to_pylist()
    assert rows == list(range(2, 40))
