"""What the tests' shortcuts take away from every test is there in a process that has none of them."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.processes.live_server import REPOSITORY

ASK = """
import json, sys
from pathlib import Path
from sqlalchemy import text
from core.config import Settings
from core.history.lake.connection import Lake
from core.services.people.passwords import Passwords
from core.state.engine.store import State

folder = Path(sys.argv[1])
told = {"passwords": Passwords().parameters}
with State(f"sqlite:///{folder / 'state.sqlite'}").read() as session:
    for name in ("synchronous", "foreign_keys", "recursive_triggers", "secure_delete"):
        told[name] = session.scalar(text(f"PRAGMA {name}"))
lake = Lake(Settings(data_dir=folder / "data"))
with lake.read() as cursor:
    asked = "SELECT value FROM duckdb_settings() WHERE name = 'allow_unsigned_extensions'"
    told["unsigned extensions"] = cursor.execute(asked).fetchone()[0]
lake.close()
print(json.dumps(told))
"""


def test_what_keeps_people_and_their_data_safe_is_as_it_is_told(tmp_path: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout) == {
        # RFC 9106, section 4: the second recommended option.
        "passwords": "argon2id, 65536 KiB, 3 passes, 4 lanes",
        # FULL: what is claimed is on the disk before its message leaves (docs/operations.md).
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "secure_delete": 1,
        "unsigned extensions": "false",
    }
