"""Drawing the receipts of the demo company's messages: what the gateways said, and when it was heard."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.demo.people import Ints
from core.gateways.simulator.profiles import FAILURES, INTERMEDIATES
from core.history.lake.schema import RECEIPT_SCHEMA

# As the simulator's profiles have them: receipts that come twice, and messages that are reported on their way.
REPEATED_RATE, INTERMEDIATE_RATE = 0.01, 0.05
# Receipts are fetched every couple of seconds.
_HEARD_WITHIN_US = 2_000_000
_STATES = {"": "DELIVRD", **{code: state for state, code, _ in FAILURES}}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def receipt_table(generator: np.random.Generator, messages: pa.Table, now: datetime) -> pa.Table:
    """
    Return the receipts (`RECEIPT_SCHEMA`) that the *messages* (`MESSAGE_SCHEMA`) have until *now*.

    A message with an end has the receipt that says so; a few have it twice, or have one more of their way there,
    which may come after the end, as it does in life.
    """
    messages = messages.filter(pc.is_valid(messages["delivered_at"]))
    sent, ended = (messages[name].cast(pa.int64()).to_numpy() for name in ("sent_at", "delivered_at"))
    repeated = np.flatnonzero(generator.random(len(sent)) < REPEATED_RATE)
    underway = np.flatnonzero(generator.random(len(sent)) < INTERMEDIATE_RATE)
    delays = ended - sent
    again = sent[repeated] + (delays[repeated] * (1 + generator.random(len(repeated)))).astype(np.int64)
    between = sent[underway] + (delays[underway] * 1.5 * generator.random(len(underway))).astype(np.int64)
    rows = np.concatenate([np.arange(len(sent)), repeated, underway])
    done = np.concatenate([ended, again, between])
    heard = done + generator.integers(0, _HEARD_WITHIN_US, size=len(done))
    last_us = (now - _EPOCH) // timedelta(microseconds=1)
    # The messages say how they ended, so what they say it by has been heard.
    heard[: len(sent)] = np.minimum(heard[: len(sent)], last_us)
    words = generator.choice([word for word, _ in INTERMEDIATES], size=len(underway), p=[p for _, p in INTERMEDIATES])
    came = _table(messages, rows, done, heard, words)
    return came.filter(pa.array(heard <= last_us))


def _table(messages: pa.Table, rows: Ints, done: Ints, heard: Ints, underway: np.ndarray) -> pa.Table:
    """Return a receipt for each of *rows*; the last of them are of messages under way, in these words."""
    of_messages = messages.take(pa.array(rows))
    ends = of_messages.slice(0, len(rows) - len(underway))["error_code"]
    states = pa.array(_STATES.values()).take(pc.index_in(ends, pa.array(_STATES)))
    moments = pa.timestamp("us", tz="UTC")
    columns = {
        **{name: of_messages[name] for name in ("message_id", "sent_at", "gateway", "gateway_message_id")},
        "receipt_no": np.arange(len(rows)),
        "receipt_state": pa.chunked_array([*states.chunks, pa.array(underway, pa.string())]),
        "error_code": pa.chunked_array([*ends.chunks, pa.array([""] * len(underway), pa.string())]),
        "done_at": pa.array(done, moments),
        "received_at": pa.array(heard, moments),
    }
    return pa.table(columns, schema=RECEIPT_SCHEMA)
