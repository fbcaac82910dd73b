"""A child process looks into a file, and cannot hold up or fill this one."""

import pytest

from core.errors import InvalidFile
from core.files import apart

HEADER = b"PhoneNumber,Name\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


def test_a_child_tells_the_columns(path):
    path.write_bytes("PhoneNumber,Prénom\n491796548754,Zoë\n".encode())
    assert apart.look(path, "guests.csv") == apart.look_here(path, "guests.csv") == ("PhoneNumber", "Prénom")


def test_a_child_tells_what_is_wrong_as_if_it_were_here(path):
    path.write_bytes(b"Phone,Name\n1,2\n")
    faults = []
    for look in (apart.look, apart.look_here):
        with pytest.raises(InvalidFile) as caught:
            look(path, "guests.csv")
        faults.append((caught.value.message, caught.value.hint, caught.value.field))
    assert faults[0] == faults[1]
    assert faults[0][2] == "file"


def test_a_child_that_takes_too_long_is_ended(path, monkeypatch):
    path.write_bytes(HEADER + b"491796548754,Beau\n")
    monkeypatch.setattr(apart, "_WALL_S", 0)
    with pytest.raises(InvalidFile, match="too long"):
        apart.look(path, "guests.csv")


def test_a_child_that_breaks_off_is_told_as_too_much(path):
    # No such file: the child ends with a traceback, as it does when the memory is at its limit.
    with pytest.raises(InvalidFile, match="too much time or memory"):
        apart.look(path, "guests.csv")


def test_a_child_has_its_limits_and_none_of_our_keys(path, monkeypatch):
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", "secret")
    seen = {}
    monkeypatch.setattr(apart.subprocess, "run", lambda _command, **options: seen.update(options) or _Done())
    assert apart.look(path, "guests.csv") == ("PhoneNumber",)
    assert (seen["env"], seen["timeout"]) == ({}, apart._WALL_S)
    limits = {}
    monkeypatch.setattr(apart.resource, "setrlimit", lambda what, limit: limits.update({what: limit}))
    path.write_bytes(HEADER + b"491796548754,Beau\n")
    apart._main(str(path), ".csv")
    assert limits == {
        apart.resource.RLIMIT_CPU: (apart._CPU_S, apart._CPU_S),
        apart.resource.RLIMIT_AS: (apart._MEMORY_BYTES, apart._MEMORY_BYTES),
    }


class _Done:
    returncode, stdout, stderr = 0, b'{"columns": ["PhoneNumber"]}', b""
