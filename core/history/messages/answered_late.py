"""Messages of settled batches that were called unknown, and whose answers came after all."""

from collections.abc import Collection, Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from core.history.engine.door import Cursor
from core.history.engine.results import fetch
from core.history.lake.connection import Lake
from core.history.lake.schema import MESSAGE_SCHEMA
from core.history.messages.message_store import insert_messages
from core.history.sql.statements import load_statements

_SQL = load_statements("messages/message_store.sql")


class AnsweredLate:
    """Makes of an unknown row the message that it is."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def find_unknown(self, message_ids: Collection[str]) -> pa.Table:
        """
        Return those of the messages that are called unknown, by campaign, in sending order.

        Columns: campaign_id, message_id, msisdn, country, network, mccmnc, encoding (text), segment_count (int32),
        price_eur_cents (decimal128(12, 4), of all segments). Of an audience that is forgotten there are none.
        """
        with self._lake.read() as cursor:
            return fetch(cursor, _SQL["find_unanswered"], {"message_ids": list(message_ids)})

    def take(self, campaign_id: str, messages: pa.Table) -> None:
        """
        Call the *messages* (`MESSAGE_SCHEMA`) of a campaign sent, in one commit; those that are not unknown stay.

        Safe to run twice. Raises: StorageError: as `Lake.write`.
        """
        values = {"campaign_id": campaign_id, "message_ids": messages["message_id"].to_pylist()}

        def move(cursor: Cursor) -> None:
            unknown = [message_id for (message_id,) in cursor.execute(_SQL["still_unanswered"], values).fetchall()]
            found = messages.filter(pc.is_in(messages["message_id"], pa.array(unknown, pa.string())))
            if found.num_rows:
                cursor.execute(_SQL["delete_unanswered"], values)
                insert_messages(cursor, found.cast(MESSAGE_SCHEMA))

        self._lake.write(move)

    def find_sent(self, answered_at: Mapping[str, datetime]) -> dict[str, str]:
        """
        Return the campaign of each of the messages that is in history as sent when it was *answered_at*, by its id.

        One that is there as sent at another time was never called unknown. Empty for none.
        """
        if not answered_at:
            return {}
        times = list(answered_at.values())
        values = {"message_ids": list(answered_at), "answered_at": times, "first": min(times), "last": max(times)}
        with self._lake.read() as cursor:
            found = cursor.execute(_SQL["find_sent"], values).fetchall()
        return {str(message_id): str(campaign_id) for message_id, campaign_id in found}
