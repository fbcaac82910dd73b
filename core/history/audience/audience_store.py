"""Frozen audiences: what a launched campaign sends to whom, rendered and priced once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow as pa

from core.history.audience.recipients import RecipientSpec, judge
from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.lake.connection import Lake
from core.history.sql.statements import load_statements

_SQL = load_statements("audience/audience_store.sql")


@dataclass(frozen=True)
class FreezeSpec:
    """What to freeze, in batches of *batch_size*. *now* is recorded with the audience."""

    campaign_id: str
    recipients: RecipientSpec
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
    """
    *audience_count* rows in all: those in *batches* are sent, those in *excluded* (by reason) are not.

    *cost_eur_cents* is the price of all that are sent.
    """

    audience_count: int
    excluded: dict[str, int]
    batches: tuple[BatchSize, ...]
    cost_eur_cents: Decimal


class AudienceStore:
    """Freezes lists into audiences and hands out their batches."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def freeze(self, spec: FreezeSpec) -> FrozenAudience:
        """
        Render, measure and price the message for every row of the lists, in one commit.

        `recipients.judge` says which rows are excluded. The others get a message_id (UUIDv7) and stand in batches of
        `batch_size`, in the order of the lists and their files.

        Safe to run twice: what is frozen stays as it is and is returned.

        Raises: InvalidInput: a placeholder has no column. StorageError: as `Lake.write`.
        """
        frozen = self.find_frozen(spec.campaign_id)
        if frozen is not None:
            return frozen

        def store(cursor: Cursor) -> FrozenAudience:
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

    def forget(self, campaign_ids: Sequence[str]) -> None:
        """Delete who was sent to and who was not, of these campaigns; when they were frozen, and how many, stays."""

        def remove(cursor: Cursor) -> None:
            for name in ("forget_kept", "forget_unsent"):
                cursor.execute(_SQL[name], {"campaign_ids": list(campaign_ids)})

        self._lake.write(remove)


def _find(cursor: Cursor, campaign_id: str) -> FrozenAudience | None:
    values = {"campaign_id": campaign_id}
    row = cursor.execute(_SQL["find_frozen"], values).fetchone()
    if row is None:
        return None
    excluded = {str(reason): int(count) for reason, count in cursor.execute(_SQL["excluded"], values).fetchall()}
    found = cursor.execute(_SQL["batches"], values).fetchall()
    batches = tuple(BatchSize(*map(int, counts)) for *counts, _ in found)
    return FrozenAudience(int(row[0]), excluded, batches, sum((cost for *_, cost in found), Decimal(0)))


def _render(cursor: Cursor, spec: FreezeSpec, scratch: str) -> None:
    judge(cursor, spec.recipients, scratch, with_text=True)


def _store(cursor: Cursor, spec: FreezeSpec, scratch: str) -> FrozenAudience:
    values = {"campaign_id": spec.campaign_id}
    cursor.execute(_SQL["insert_kept"].format(scratch=scratch), {**values, "batch_size": spec.batch_size})
    cursor.execute(_SQL["insert_excluded"].format(scratch=scratch), {**values, "now": spec.now})
    list_ids = ",".join(part.list_id for part in spec.recipients.lists)
    cursor.execute(_SQL["insert_frozen"].format(scratch=scratch), {**values, "list_ids": list_ids, "now": spec.now})
    frozen = _find(cursor, spec.campaign_id)
    if frozen is None:
        raise AssertionError("the audience was written in this transaction")
    return frozen
