"""The contacts of distribution lists."""

from collections.abc import Callable, Collection, Iterable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.domain.imports.entries import ALL_ENTRIES, EntryOrder, EntryQuery
from core.domain.numbering import list_countries
from core.history.engine.door import Cursor
from core.history.engine.results import fetch, fetch_one
from core.history.lake.connection import Lake
from core.history.lake.schema import CONTACT_SCHEMA
from core.history.sql.statements import load_statements

# People see countries by name: in the order of their codes they would seem to be in none.
_ORDERS = {order: order.value for order in EntryOrder} | {
    EntryOrder.COUNTRY: "(SELECT name FROM country_names WHERE code = country)",
    EntryOrder.NETWORK: "lower(network)",
}

_SQL = load_statements("audience/contacts.sql")


class ContactStore:
    """Writes and reads the rows of lists."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def replace(self, list_id: str, tables: Iterable[pa.Table]) -> int:
        """
        Make *tables* the contacts of the list, in one commit; safe to run twice.

        Args:
            list_id: The list; what it held before is gone.
            tables: Any number of tables with the columns of `CONTACT_SCHEMA`, by name. They are read
                once, one at a time, before anything is written.

        Returns: How many contacts the list has now.
        Raises: StorageError: as `Lake.write`.
        """

        def stage(cursor: Cursor, scratch: str) -> None:
            cursor.execute(_SQL["create_scratch"].format(scratch=scratch))
            # One at a time, not as a stream DuckDB pulls from: an error while reading the file stays itself.
            for table in tables:
                cursor.register("incoming", table.select(CONTACT_SCHEMA.names).cast(CONTACT_SCHEMA))
                cursor.execute(_SQL["fill_scratch"].format(scratch=scratch))

        def store(cursor: Cursor) -> int:
            cursor.execute(_SQL["delete"], {"list_id": list_id})
            cursor.execute(_SQL["insert"].format(scratch=scratch), {"list_id": list_id})
            return int(fetch_one(cursor, _SQL["count"].format(condition="true"), {"list_id": list_id})[0])

        with self._lake.scratch(stage) as scratch:
            return self._lake.write(store)

    def page(self, list_id: str, offset: int, limit: int, wanted: EntryQuery = ALL_ENTRIES) -> pa.Table:
        """Return up to *limit* of the wanted contacts after the first *offset*, in their order, as `CONTACT_SCHEMA`."""
        condition, values = _condition(wanted)
        order = _ORDERS[wanted.sort] if isinstance(wanted.sort, EntryOrder) else "lower(fields[$column])"
        if not isinstance(wanted.sort, EntryOrder):
            values["column"] = wanted.sort + 1
        direction = "DESC" if wanted.descending else "ASC"
        sql = _SQL["page"].format(condition=condition, order=f"{order} {direction}, ")
        with self._lake.read() as cursor:
            if wanted.sort is EntryOrder.COUNTRY:
                names = list_countries()
                cursor.register("country_names", pa.table({"code": [*names], "name": [*names.values()]}))
            return fetch(cursor, sql, {**values, "list_id": list_id, "offset": offset, "limit": limit})

    def count(self, list_id: str, wanted: EntryQuery = ALL_ENTRIES) -> int:
        """Return how many wanted contacts the list has."""
        condition, values = _condition(wanted)
        with self._lake.read() as cursor:
            sql = _SQL["count"].format(condition=condition)
            return int(fetch_one(cursor, sql, {**values, "list_id": list_id})[0])

    def numbers(self, list_ids: Collection[str]) -> NDArray[np.int64]:
        """Return the numbers of the lists, as their digits, each once and ascending."""
        with self._lake.read() as cursor:
            found = fetch(cursor, _SQL["numbers"], {"list_ids": sorted(list_ids)})
        return np.sort(found["number"].to_numpy())

    def list_ids(self) -> set[str]:
        """Return the ids under which there are contacts."""
        with self._lake.read() as cursor:
            return {str(list_id) for (list_id,) in cursor.execute(_SQL["ids"]).fetchall()}

    def delete(self, list_id: str, is_over: Callable[[], bool] = lambda: True) -> None:
        """
        Remove the list's contacts; a list without any is no error.

        *is_over* is asked once nobody else writes: what is stored again after a yes is stored after this.
        """

        def remove(cursor: Cursor) -> None:
            if is_over():
                cursor.execute(_SQL["delete"], {"list_id": list_id})

        self._lake.write(remove)


def _condition(wanted: EntryQuery) -> tuple[str, dict[str, object]]:
    """Return the condition of the search with its values; contains() knows no wildcards."""
    if not wanted.term:
        return "true", {}
    terms = [
        # All cells at once, with a character between them that none holds.
        "contains(lower(array_to_string(fields, chr(31))), $term)",
        "contains(lower(network), $term)",
        "contains(mccmnc, $term)",
        "country IN (SELECT unnest($countries::VARCHAR[]))",
    ]
    values: dict[str, object] = {"term": wanted.term, "countries": list(wanted.countries)}
    if wanted.digits:
        terms.append("contains(msisdn, $digits)")
        values["digits"] = wanted.digits
    return f"({' OR '.join(terms)})", values
