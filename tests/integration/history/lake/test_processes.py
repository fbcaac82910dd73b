"""Several processes on one lake: killed, writing at once, reading meanwhile."""

import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from core.config import Settings
from core.history.lake.connection import Lake
from core.history.messages.message_store import MessageStore
from tests.support.stores.messages import NOW, make_message, message_table, unsent_table

ROWS = 400
# Between two looks at what is written meanwhile, of which each takes about as long.
PAUSE_S = 0.02
ROOT = Path(__file__).parents[4]


def start_writer(settings: Settings, prefix: str, batches: int) -> subprocess.Popen[str]:
    given = asdict(settings) | {"data_dir": str(settings.data_dir)}
    command = [sys.executable, "-W", "error", "-m", "tests.integration.history.lake.lake_writer"]
    arguments = [json.dumps(given), prefix, str(batches), str(ROWS)]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def appended(lake: Lake) -> tuple[dict[str, int], Counter[str]]:
    """Return the tags with their counts, and the rows that are really there, of one snapshot."""
    with lake.read() as cursor:
        tags = dict(cursor.execute("SELECT batch_id, message_count FROM lake.appended_batches").fetchall())
        rows = Counter(dict(cursor.execute("SELECT campaign_id, count(*) FROM lake.messages GROUP BY ALL").fetchall()))
    return tags, rows


@pytest.mark.parametrize("acknowledged_before_the_kill", [1, 4])
def test_a_killed_writer_leaves_nothing_partial(
    lake: Lake, lake_settings: Settings, acknowledged_before_the_kill: int
) -> None:
    writer = start_writer(lake_settings, "killed", 0)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(acknowledged_before_the_kill)]
    # It is now somewhere in the next batch.
    writer.kill()
    acknowledged += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    tags, rows = appended(lake)
    assert set(acknowledged) <= set(tags)
    assert len(tags) <= len(acknowledged) + 1
    assert rows == tags == dict.fromkeys(tags, ROWS)
    # Its lock died with it, and the batch it was at can be finished by another.
    messages = message_table(make_message(campaign_id="next"))
    assert MessageStore(lake).append_batch("next", "next", messages, unsent_table(), NOW)


def test_processes_that_start_and_write_at_once_lose_nothing_and_readers_see_whole_batches(
    lake: Lake, lake_settings: Settings
) -> None:
    writers = [start_writer(lake_settings, prefix, 6) for prefix in ("one", "two")]
    seen = []
    while any(writer.poll() is None for writer in writers):
        tags, rows = appended(lake)
        assert rows == tags
        seen.append(len(tags))
        # Else it takes a core from those it watches.
        time.sleep(PAUSE_S)
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    tags, rows = appended(lake)
    assert rows == tags == {f"{prefix}-{number}": ROWS for prefix in ("one", "two") for number in range(6)}
    assert seen == sorted(seen)
