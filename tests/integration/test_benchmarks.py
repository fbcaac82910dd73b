"""The benchmarks' own reports: the keys everybody reads, and memory that is really what was used."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import maintenance, rivals
from benchmarks.__main__ import main
from benchmarks.report import Case, measured
from benchmarks.written_numbers import Answer, Written, ask_phonenumbers

linux_only = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from Linux's /proc")

KEYS = ["name", "case", "rows", "seconds", "rate_per_s", "peak_mib", "baseline", "ratio"]
BIG_MIB = 200
ROOT = Path(__file__).parents[2]

# Measured in a process of its own: what other tests leave behind in this one is given back at any time.
MEASURE = f"""
import subprocess, sys
from benchmarks.report import Case, measured

def measure_nothing():
    with measured(Case("test", "nothing", 1)):
        pass

# Holds its memory until it is told to end.
CHILD = "import sys; held = b'x' * ({BIG_MIB} << 20); print('ready', flush=True); sys.stdin.readline()"
"""


@pytest.fixture
def _asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask every question twice instead of ten times: nobody reads how fast it was."""
    monkeypatch.setattr(rivals, "RUNS", 2)
    monkeypatch.setattr(rivals, "_SLOW_RUNS", 1)
    monkeypatch.setattr(maintenance, "_RUNS", 2)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for traffic that is generated once and asked by several."""
    return tmp_path_factory.mktemp("generated")


def measure(script: str) -> list[float]:
    """Run *script* behind `MEASURE`; return the peak of each case it reports, in MiB."""
    done = subprocess.run([sys.executable, "-c", MEASURE + script], capture_output=True, check=True, cwd=ROOT)
    return [json.loads(line)["peak_mib"] for line in done.stdout.splitlines()]


def reported(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    return json.loads(lines[0])


def test_a_benchmark_prints_one_object_with_the_agreed_keys_in_order(capsys: pytest.CaptureFixture[str]):
    assert main(["gateway", "--messages", "1000", "--window", "300"]) == 0
    found = reported(capsys)
    assert list(found) == KEYS
    assert (found["name"], found["rows"], found["baseline"], found["ratio"]) == ("gateway", 1_000, None, None)
    assert found["rate_per_s"] > 0


def test_the_smsc_is_measured_without_receipts_and_with_them(capsys: pytest.CaptureFixture[str]):
    assert main(["smsc", "--messages", "400"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["case"] for line in lines] == [
        "a bare loop, window of 50, without receipts",
        "a bare loop, window of 50, with receipts",
    ]


def test_dispatch_is_measured_by_the_simulator_the_ledger_alone_and_over_smpp_beside_a_bare_loop(
    capsys: pytest.CaptureFixture[str],
):
    assert main(["dispatch", "--recipients", "300"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["rows"], line["baseline"] is None) for line in lines] == [(300, True), (300, True), (300, False)]
    assert ["50 at a time" in line["case"] for line in lines] == [False, True, False]


def test_the_ratio_is_the_baseline_over_ours():
    found = json.loads(Case("test", "halved", rows=100, seconds=2.0, baseline=4.0).as_json())
    assert (found["baseline"], found["ratio"], found["rate_per_s"]) == (4.0, 2.0, 50.0)


@linux_only
def test_memory_that_was_given_back_counts_for_its_own_case_only():
    before, big, after = measure(f"""
measure_nothing()
with measured(Case("test", "big", 1)):
    held = b"x" * ({BIG_MIB} << 20)
    del held
measure_nothing()
""")
    assert big > before + BIG_MIB * 0.9
    assert after < before + BIG_MIB * 0.5


@linux_only
def test_the_memory_of_children_counts():
    before, with_child = measure("""
measure_nothing()
with subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
    child.stdout.readline()
    with measured(Case("test", "with a child", 1)):
        pass
    child.communicate(b"end", timeout=30)
""")
    assert with_child > before + BIG_MIB * 0.9


def test_a_case_that_fails_is_not_reported(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ZeroDivisionError), measured(Case("test", "failing", 1)):
        _ = 1 / 0
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("_asked_twice")
@pytest.mark.parametrize(
    ("name", "plain", "places"),
    [
        ("statistics", "the messages", ("in the lake", "in a DuckDB file")),
        ("history", "plain SQL", ("on the lake", "on a DuckDB file")),
    ],
)
def test_questions_are_compared_with_plain_ones_over_the_same_messages(
    generated: Path, capsys: pytest.CaptureFixture[str], name: str, plain: str, places: tuple[str, ...]
):
    assert main([name, "--rows", "5000", "--days", "40", "--folder", str(generated)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(list(line) == KEYS and line["rows"] == 5_000 and line["seconds"] > 0 for line in lines)
    asked = [line["case"].removesuffix(": 95th percentile") for line in lines if line["ratio"] is None]
    compared = {line["case"] for line in lines if line["ratio"] is not None}
    for question in asked:
        assert {f"{question}: median, against {plain} {place}" for place in places} <= compared


def test_exports_are_written_in_every_format_and_hold_all_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["export", "--rows", "3000", "--folder", str(tmp_path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["case"].split()[-1] for line in lines] == ["xlsx", "csv", "parquet"]
    assert [line["ratio"] is not None for line in lines] == [True, False, False]


@pytest.mark.usefixtures("_asked_twice")
def test_maintenance_leaves_the_counts_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    options = ["--rows", "3000", "--appends-a-day", "1", "--latency-samples", "2", "--folder", str(tmp_path)]
    assert main(["maintenance", *options]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(list(line) == KEYS for line in lines)
    # Five questions, asked of the spoilt lake and twice compared after maintenance; and the real appends.
    assert sum(line["ratio"] is not None for line in lines) == 5 * 3 + 2


def test_outside_traffic_is_imported_whole_and_the_second_time_not_at_all(capsys: pytest.CaptureFixture[str]):
    assert main(["cdr", "--rows", "2000"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ratio"] is not None for line in lines] == [True, False, True, False]


def test_numbers_are_compared_with_phonenumbers(capsys: pytest.CaptureFixture[str]):
    assert main(["numbers", "--rows", "1500"]) == 0
    output = capsys.readouterr()
    lines = [json.loads(line) for line in output.out.splitlines()]
    assert [line["ratio"] is not None for line in lines] == [False, True, True, True, True]
    assert "'valid'" in output.err
    assert "'wrong'" not in output.err


def test_a_number_that_is_not_as_phonenumbers_has_it_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def ask(written: Written) -> Answer:
        answer = ask_phonenumbers(written)
        return answer and (*answer[:3], answer[3] or "nobody's")

    monkeypatch.setattr("benchmarks.numbers.ask_phonenumbers", ask)
    assert main(["numbers", "--rows", "1500"]) == 1
    assert "nobody's" in capsys.readouterr().err


@pytest.mark.postgres
def test_pages_are_opened_by_people_who_may_see_them(
    tmp_path: Path, new_database: Callable[[], str], capsys: pytest.CaptureFixture[str]
):
    # A page that is not the one that was asked for, or an error on it, ends the benchmark.
    options = f"--rows 2000 --sessions 2 --pause 0.1 --seconds 0.4 --pages statistics --folder {tmp_path}"
    assert main(["pages", *options.split(), "--catalog", new_database()]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    expected = [f"{page}, 2 people, {share} % within" for page in ("one word", "statistics") for share in (50, 95)]
    assert [case["case"] for case in found] == expected
    assert all(case["seconds"] > 0 and case["rate_per_s"] > 2 for case in found)
