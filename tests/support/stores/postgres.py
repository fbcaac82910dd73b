"""A throwaway PostgreSQL cluster from Debian's binaries, reached through a socket in its own folder."""

import functools
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

SUPERUSER = "heliograph"
NewDatabase = Callable[..., str]
# Nothing here outlives its test: neither a crash nor years of changes. Looking after hundreds of databases took as long
# as asking them.
FLEETING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
}


@contextmanager
def postgres_cluster() -> Iterator[NewDatabase]:
    """
    Run a cluster while the block runs.

    Returns: A function that creates a database, empty or a copy of the one whose libpq string it is given and to which
        nobody is connected, and returns its libpq string, as HELIOGRAPH_LAKE_CATALOG takes it; `sqlalchemy_url` makes
        a URL of that.

    Skips the test when the binaries are absent, and fails it when CI is set.
    """
    binaries = _find_binaries()
    folder = Path(tempfile.mkdtemp(prefix="heliograph-pg-"))
    try:
        _hand_over(folder)
        data = str(folder / "data")
        initdb = [binaries / "initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
        _run(*initdb, f"--username={SUPERUSER}", "--pgdata", data)
        # No TCP at all: nothing can collide with a port that is taken.
        settings = {"listen_addresses": "''", "unix_socket_directories": f"'{folder}'", "max_connections": "200"}
        options = " ".join(f"-c {name}={value}" for name, value in (settings | FLEETING).items())
        control = [binaries / "pg_ctl", "--pgdata", data, "--wait"]
        _run(*control, "--log", str(folder / "log"), "--options", options, "start")
        try:
            yield functools.partial(_create_database, folder)
        finally:
            _run(*control, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)


def sqlalchemy_url(dsn: str) -> str:
    """Return the SQLAlchemy URL of a database `postgres_cluster` made."""
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql+psycopg://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


def copy_database(source: str, target: str) -> None:
    """Put a copy of the database *source*, to which nobody is connected, in the place of *target*, whoever is."""
    names = [psycopg.conninfo.conninfo_to_dict(dsn)["dbname"] for dsn in (source, target)]
    with psycopg.connect(psycopg.conninfo.make_conninfo(source, dbname="postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{names[1]}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{names[1]}" TEMPLATE "{names[0]}"')


def _create_database(folder: Path, template: str = "") -> str:
    name = f"test_{uuid.uuid4().hex}"
    like = psycopg.conninfo.conninfo_to_dict(template)["dbname"] if template else "template1"
    with psycopg.connect(f"dbname=postgres host={folder} user={SUPERUSER}", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    return f"dbname={name} host={folder} user={SUPERUSER}"


def _find_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    complaint = "PostgreSQL's binaries are not installed (Debian: postgresql)"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{complaint}; install it in .ci/run")
    pytest.skip(complaint)


def _hand_over(folder: Path) -> None:
    """Let the folder belong to whoever runs the cluster: initdb refuses root."""
    if os.geteuid() == 0:
        shutil.chown(folder, user="postgres")


def _run(*command: str | Path) -> None:
    user: dict[str, object] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    # The server inherits these files and outlives the command: a pipe would never see its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: PLW1510 - the complaint needs the output
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", **user
        )
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {output.read().decode(errors='replace')}")
