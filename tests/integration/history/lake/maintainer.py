"""
A process of its own that maintains without end, in the smallest steps, until it is killed.

`python -m tests.integration.history.lake.maintainer <settings as JSON>`: prints a line for each step once it is done.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.config import Settings
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance, StepBounds

SMALL = StepBounds(files=2)


def main(settings_json: str) -> None:
    given = json.loads(settings_json)
    maintenance = Maintenance(Lake(Settings(**given | {"data_dir": Path(given["data_dir"])})))
    while True:
        # As if what is kept were so for no time at all: deleting is what shall be killed, too.
        before = datetime.now(UTC) + timedelta(hours=1)
        for state in maintenance.survey():
            tell("flush", maintenance.flush(state.name))
            tell("rewrite", maintenance.rewrite(state.name, SMALL))
            tell("merge", maintenance.merge(state.name, SMALL))
        tell("expire", maintenance.expire(before))
        tell("delete", maintenance.delete_files(before)[0])


def tell(step: str, count: int) -> None:
    sys.stdout.write(f"{step} {count}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
