from collections.abc import Iterator

import pyarrow as pa
import pytest

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
