"""
A process of its own that runs the Python of docs/guide/notebooks.md, as somebody pastes it, and prints what it found.

`python -m tests.integration.history.catalog.notebook <guide> <folder with attach.sql>`
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import duckdb

BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
WRITES = (
    "INSERT INTO lake.message_months VALUES (DATE '2026-01-01')",
    "UPDATE lake.messages SET sender = 'me'",
    "DELETE FROM lake.messages",
    "CREATE TABLE lake.mine (i INTEGER)",
    "CALL ducklake_expire_snapshots('lake', versions => [1])",
    "CALL ducklake_merge_adjacent_files('lake')",
)


def main(guide: str, folder: str) -> None:
    found: dict[str, Any] = {}
    blocks = BLOCK.findall(Path(guide).read_text("utf-8"))
    os.chdir(folder)
    for block in blocks:
        exec(compile(block, guide, "exec"), found)
    connection = found["connection"]
    answer = {
        "blocks": len(blocks),
        "frame_rows": len(found["frame"]),
        "by_country_and_day": rows_of(found["by_country_and_day"]),
        "slowest_networks": rows_of(found["slowest_networks"]),
        "cost_per_campaign": rows_of(found["cost_per_campaign"]),
        "same_state": found["first"] == found["second"],
        "latest": found["second"][0],
        "then": found["then"][0],
        "refused": [is_refused(connection, sql) for sql in WRITES],
        "seen": sorted({connection.execute("SELECT count(*) FROM lake.messages").fetchone()[0] for _ in range(20)}),
    }
    sys.stdout.write(json.dumps(answer, default=str))


def rows_of(frame: Any) -> list[list[Any]]:
    return json.loads(frame.to_json(orient="values", date_format="iso"))


def is_refused(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        connection.execute(sql).fetchall()
    except duckdb.Error as error:
        return "read-only" in str(error)
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
