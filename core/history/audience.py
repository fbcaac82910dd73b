"""Frozen audiences: what a launched campaign sends to whom, rendered and priced once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from duckdb import DuckDBPyConnection

from core.domain.messages import Exclusion
from core.domain.placeholders import Literal, Part
from core.domain.pricing import Price
from core.domain.segments import MAX_SEGMENTS
from core.errors import InvalidInput
from core.history import text_measure
from core.history.arrow import fetch
from core.history.lake import Lake
from core.history.statements import load_statements

_SQL = load_statements("audience.sql")

_PRICE_SCHEMA = pa.schema(
    [("country", pa.string()), ("mccmnc", pa.string()), ("price_eur_cents", pa.decimal128(12, 4))]
)


@dataclass(frozen=True)
class FreezeSpec:
    """
    What to freeze.

    *columns* maps each placeholder of *parts* to a 0-based position in the contacts' fields.
    *prices* are per segment, the most specific one counts. *now* is recorded with the audience.
    """

    campaign_id: str
    list_id: str
    parts: tuple[Part, ...]
    columns: Mapping[str, int]
    prices: tuple[Price, ...]
    batch_size: int
    now: datetime


@dataclass(frozen=True)
class BatchSize:
    """How much one batch holds; *batch_no* counts from 1."""

    batch_no: int
    message_count: int
    segment_count: int


@dataclass(frozen=True)
class FrozenAudience:
    """*audience_count* rows in all: those in *batches* are sent, those in *excluded* (by reason) are not."""

    audience_count: int
    excluded: dict[str, int]
    batches: tuple[BatchSize, ...]


class AudienceStore:
    """Freezes lists into audiences and hands out their batches."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def freeze(self, spec: FreezeSpec) -> FrozenAudience:
        """
        Render, measure and price the message for every contact of the list, in one commit.

        A row is excluded, by the first that applies, as a duplicate of an earlier row's number, for an
        empty message (nothing but white space), for a message of more than `MAX_SEGMENTS`, or for want
        of a price: a price list that does not know a destination must not make it free. Without any
        price list (`prices` is empty) every message costs 0. The others get a message_id (UUIDv7) and
        stand in batches of `batch_size` in file order.

        Safe to run twice: what is frozen stays as it is and is returned.

        Raises: InvalidInput: a placeholder is not in `columns`. StorageError: as `Lake.write`.
        """
        frozen = self.find_frozen(spec.campaign_id)
        if frozen is not None:
            return frozen

        def store(cursor: DuckDBPyConnection) -> FrozenAudience:
            return _find(cursor, spec.campaign_id) or _store(cursor, spec, scratch)

        with self._lake.scratch(lambda cursor, name: _render(cursor, spec, name)) as scratch:
            return self._lake.write(store)

    def find_frozen(self, campaign_id: str) -> FrozenAudience | None:
        """Return what `freeze` made of the campaign's list, None when it has not run."""
        with self._lake.read() as cursor:
            return _find(cursor, campaign_id)

    def batch(self, campaign_id: str, batch_no: int) -> pa.Table:
        """
        Return the messages of a batch in sending order; no rows when there is no such batch.

        Columns: position (int32, from 1 over the whole audience), message_id, msisdn, country, network,
        mccmnc, text, encoding ("gsm7" or "ucs2"), segment_count (int32), price_eur_cents
        (decimal128(12, 4), of all segments).
        """
        with self._lake.read() as cursor:
            return fetch(cursor, _SQL["batch"], {"campaign_id": campaign_id, "batch_no": batch_no})


def _find(cursor: DuckDBPyConnection, campaign_id: str) -> FrozenAudience | None:
    values = {"campaign_id": campaign_id}
    row = cursor.execute(_SQL["find_frozen"], values).fetchone()
    if row is None:
        return None
    excluded = {str(reason): int(count) for reason, count in cursor.execute(_SQL["excluded"], values).fetchall()}
    batches = tuple(BatchSize(*map(int, batch)) for batch in cursor.execute(_SQL["batches"], values).fetchall())
    return FrozenAudience(int(row[0]), excluded, batches)


def _render(cursor: DuckDBPyConnection, spec: FreezeSpec, scratch: str) -> None:
    text, values = _text_expression(spec.parts, spec.columns)
    text_measure.install(cursor)
    cursor.register("prices", _price_table(spec.prices))
    cursor.execute(
        _SQL["render"].format(scratch=scratch, text=text),
        {
            **values,
            "list_id": spec.list_id,
            "batch_size": spec.batch_size,
            "most_segments": MAX_SEGMENTS,
            "duplicate": Exclusion.DUPLICATE,
            "empty_message": Exclusion.EMPTY_MESSAGE,
            "too_long": Exclusion.TOO_LONG,
            "no_price": Exclusion.NO_PRICE,
        },
    )


def _store(cursor: DuckDBPyConnection, spec: FreezeSpec, scratch: str) -> FrozenAudience:
    values = {"campaign_id": spec.campaign_id}
    cursor.execute(_SQL["insert_kept"].format(scratch=scratch), values)
    cursor.execute(_SQL["insert_excluded"].format(scratch=scratch), {**values, "now": spec.now})
    cursor.execute(_SQL["insert_frozen"].format(scratch=scratch), {**values, "list_id": spec.list_id, "now": spec.now})
    frozen = _find(cursor, spec.campaign_id)
    if frozen is None:
        raise AssertionError("the audience was written in this transaction")
    return frozen


def _text_expression(parts: Sequence[Part], columns: Mapping[str, int]) -> tuple[str, dict[str, object]]:
    """Return an SQL expression over `fields` for the rendered text, and its bound values."""
    terms: list[str] = []
    values: dict[str, object] = {}
    for number, part in enumerate(parts):
        name = f"part_{number}"
        if isinstance(part, Literal):
            terms.append(f"${name}::VARCHAR")
            values[name] = part.text
        elif part.name in columns:
            # SQL counts from 1; a row shorter than the header has NULL there.
            terms.append(f"coalesce(fields[${name}::BIGINT], '')")
            values[name] = columns[part.name] + 1
        else:
            raise InvalidInput(
                f"The placeholder {{{part.name}}} has no column.",
                hint="Map it to a column of the distribution list.",
                field="placeholders",
            )
    return " || ".join(terms) or "''", values


def _price_table(prices: Sequence[Price]) -> pa.Table:
    columns = [[getattr(price, name) for price in prices] for name in _PRICE_SCHEMA.names]
    return pa.table(columns, schema=_PRICE_SCHEMA)
