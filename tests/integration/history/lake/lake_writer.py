"""
A process of its own that appends batches until it is killed.

`python -m tests.integration.history.lake.lake_writer <settings as JSON> <prefix> <count> <rows>`: prints the id of each
batch once it is acknowledged; with a count of 0 it never ends.
"""

import json
import sys
from itertools import count
from pathlib import Path

from core.config import Settings
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from tests.support.stores.messages import NOW, make_message, message_table, unsent_table


def main(settings_json: str, prefix: str, batches: str, rows: str) -> None:
    given = json.loads(settings_json)
    lake = Lake(Settings(**given | {"data_dir": Path(given["data_dir"])}))
    store = MessageStore(lake)
    for number in range(int(batches)) if int(batches) else count():
        batch_id = f"{prefix}-{number}"
        messages = message_table(*(make_message(campaign_id=batch_id) for _ in range(int(rows))))
        store.append_batch(batch_id, batch_id, messages, unsent_table(), NOW)
        sys.stdout.write(f"{batch_id}\n")
        sys.stdout.flush()
    lake.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
