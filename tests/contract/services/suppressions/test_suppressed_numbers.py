"""The sorted copies of suppressed numbers answer as the store itself does, whatever has happened to either."""

import random
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.domain.accounts.suppressions import EVERYWHERE, SuppressionSource
from core.services.suppressions import suppressed_numbers
from core.services.suppressions.suppressed_numbers import SuppressedNumbers
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.suppressions import changes
from core.state.suppressions.numbers import to_msisdn
from core.state.suppressions.suppressions import Lifting, add_suppressions, find_suppressed, lift_suppressions
from tests.support.application.factories import NOW, make_account, make_origin

FIRST = 491796000000
LIFTING = Lifting("Ben", NOW, "A mistake")
SCOPES = ("account-1", "account-2", EVERYWHERE)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few numbers be worth a file, and few changes wear a copy out."""
    monkeypatch.setattr(suppressed_numbers, "_LEAST_IN_FILE", 20)
    monkeypatch.setattr(suppressed_numbers, "_MOST_CHANGED", 10)
    monkeypatch.setattr(suppressed_numbers, "_FAR_BEHIND", 3)
    monkeypatch.setattr(changes, "_AT_ONCE", 7)


@pytest.fixture
def store(state: State) -> State:
    with state.write() as session:
        for account_id in ("account-1", "account-2"):
            accounts.add_account(session, make_account(account_id=account_id, name=account_id), NOW)
    return state


@pytest.fixture
def twin(store: State, tmp_path: Path) -> SuppressedNumbers:
    return SuppressedNumbers(store, tmp_path)


def suppress(store: State, numbers: list[int], account_id: str = "account-1") -> None:
    with store.write() as session:
        add_suppressions(session, account_id, map(to_msisdn, numbers), make_origin())


def check(store: State, twin: SuppressedNumbers, numbers: list[int]) -> None:
    """Compare with what is looked up one by one."""
    asked = np.unique(np.array(numbers, np.int64))
    for account_id in ("account-1", "account-2"):
        with store.read() as session:
            expected = find_suppressed(session, account_id, list(map(to_msisdn, asked.tolist())))
        found = twin.find(account_id, asked)
        assert {*found.by_account.tolist(), *found.everywhere.tolist()} == {int(each) for each in expected}


@pytest.mark.parametrize("seed", range(4))
def test_it_answers_as_the_store_does_after_any_changes(store: State, tmp_path: Path, seed: int):
    source = random.Random(seed)
    twins = [SuppressedNumbers(store, tmp_path), SuppressedNumbers(store, tmp_path / "elsewhere")]
    universe = list(range(FIRST, FIRST + 120))
    for _ in range(30):
        with store.write() as session:
            whose = source.choice(SCOPES)
            some = list(map(to_msisdn, source.sample(universe, source.randint(1, 40))))
            by = source.choice(list(SuppressionSource))
            if source.random() < 0.6:
                add_suppressions(session, whose, some, make_origin(source=by))
            else:
                lift_suppressions(session, whose, some, by, LIFTING)
        happens = source.random()
        if happens < 0.1:
            twins[0] = SuppressedNumbers(store, tmp_path)
        elif happens < 0.2:
            for path in tmp_path.glob("*.numbers"):
                # Another file in its place: what is mapped stays what it was.
                part = path.read_bytes()[: source.randint(0, 400)]
                path.unlink()
                path.write_bytes(part)
        elif happens < 0.3:
            with store.write() as session:
                changes.delete_old(session, NOW + timedelta(days=1))
        if source.random() < 0.7:
            check(store, source.choice(twins), universe)
    for twin in twins:
        check(store, twin, universe)


def test_a_stop_of_a_moment_ago_counts(store: State, twin: SuppressedNumbers):
    suppress(store, list(range(FIRST, FIRST + 50)))
    check(store, twin, [FIRST, FIRST + 100])
    suppress(store, [FIRST + 100])
    assert twin.find("account-1", np.array([FIRST + 100], np.int64)).by_account.tolist() == [FIRST + 100]


def test_a_file_is_read_again_and_one_of_another_store_is_not(store: State, twin: SuppressedNumbers, tmp_path: Path):
    suppress(store, list(range(FIRST, FIRST + 50)))
    check(store, twin, [FIRST])
    (path,) = tmp_path.glob("*.numbers")
    written = path.read_bytes()
    check(store, SuppressedNumbers(store, tmp_path), [FIRST, FIRST + 60])
    assert path.read_bytes() == written
    with store.write() as session:
        # As in a store that was put back from a backup, and has come as far with other numbers.
        (scope,) = changes.find_scopes(session, ["account-1"])
        session.execute(changes.SuppressionChangeRow.__table__.update().values(token=1))
    suppress(store, [FIRST + 60])
    check(store, SuppressedNumbers(store, tmp_path), [FIRST, FIRST + 60])
    assert path.read_bytes() != written
    assert scope.change_no == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "foreign", "empty"])
def test_a_damaged_file_is_made_anew(store: State, twin: SuppressedNumbers, tmp_path: Path, damage: str):
    suppress(store, list(range(FIRST, FIRST + 50)))
    check(store, twin, [FIRST])
    (path,) = tmp_path.glob("*.numbers")
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-9] ^= 1
    path.unlink()
    path.write_bytes({"cut": whole[:-8], "changed": bytes(changed), "foreign": b"[]", "empty": b""}[damage])
    check(store, SuppressedNumbers(store, tmp_path), list(range(FIRST, FIRST + 60)))
    assert path.read_bytes() == whole


def test_a_gap_in_what_has_changed_is_seen(store: State, twin: SuppressedNumbers):
    suppress(store, [FIRST])
    check(store, twin, [FIRST])
    for number in (FIRST + 1, FIRST + 2):
        suppress(store, [number])
    with store.write() as session:
        # As when a clock was set back: the change in between is older than the one before it.
        row = changes.SuppressionChangeRow
        session.execute(row.__table__.delete().where(row.change_no == 2))
    check(store, twin, [FIRST, FIRST + 1, FIRST + 2])


def test_without_room_for_files_it_answers_from_memory(store: State, tmp_path: Path):
    blocked = tmp_path / "no folder"
    blocked.write_text("", encoding="utf-8")
    suppress(store, list(range(FIRST, FIRST + 50)))
    check(store, SuppressedNumbers(store, blocked), list(range(FIRST, FIRST + 60)))


@pytest.mark.parametrize(
    ("beginnings", "ending", "most", "found"),
    [
        (["491796"], "", 100, 52),
        (["4917960000"], "", 100, 50),
        (["49179600000"], "", 5, 5),
        (["4917960000", "49179607"], "", 100, 51),
        (["77"], "", 100, 0),
        (["77"], "004", 100, 1),
        (["1"], "0", 100, 7),
        (["1"], "0", 3, 3),
        (["4917960000"], "900", 100, 51),
    ],
)
def test_numbers_are_found_by_their_digits(
    store: State, twin: SuppressedNumbers, beginnings: list[str], ending: str, most: int, found: int
):
    suppress(store, [*range(FIRST, FIRST + 50), 49179699900])
    suppress(store, [FIRST + 70_000, FIRST], EVERYWHERE)
    suppress(store, [491796000777], "account-2")
    numbers = twin.search({"account-1", EVERYWHERE}, beginnings, ending, most)
    assert len(numbers) == found
    assert all(str(each).startswith(tuple(beginnings)) or str(each).endswith(ending) for each in numbers)
    assert sorted(set(numbers.tolist())) == numbers.tolist()


def test_what_was_lifted_is_not_found(store: State, twin: SuppressedNumbers):
    suppress(store, list(range(FIRST, FIRST + 50)))
    check(store, twin, [FIRST])
    with store.write() as session:
        lift_suppressions(session, "account-1", [to_msisdn(FIRST)], SuppressionSource.PERSON, LIFTING)
    assert twin.search({"account-1"}, ["491796000000"], "6000000", 9).tolist() == []
