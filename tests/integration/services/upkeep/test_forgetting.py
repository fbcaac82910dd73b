"""What is over leaves both stores and the data folder, and nothing else does."""

import io
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.imports.lists import ListStatus
from core.domain.people.notifications import Tag
from core.domain.reports.paging import PageRequest
from core.errors import NotFound, StorageError
from core.history.audience.contacts import ContactStore
from core.history.engine.door import Cursor
from core.history.lake.rebuilding import Known, Rebuilt
from core.mail.post import Mail, OutboxPost
from core.services.campaigns.placing import CLAIMED_FOR
from core.services.campaigns.quick_sending import QuickMessage
from core.services.lists.importing_lists import Upload
from core.services.sending.replying import keep_replies
from core.services.upkeep.forgetting import Forgettable, Forgetting
from core.state.people import notifications
from tests.integration.services.steps import suppress, work
from tests.support.application.factories import make_reply
from tests.support.application.house import House

# Numbers that stand nowhere else. The text's mark is nobody's but one recipient's.
LISTED, EXCLUDED, REJECTED, QUICK, LEFT_OUT, MARK = (
    "491795550001",
    "491795550002",
    "49179555000399999",
    "491795550004",
    "491795550005",
    "Zebedee",
)
PLANTED = (LISTED, EXCLUDED, REJECTED, QUICK, LEFT_OUT, MARK)
# The history of messages keeps who was sent what for as long as there is one, and its index their numbers.
KEPT = {"lake.messages": {LISTED, QUICK}, "lake.receiver_endings": set(), "state.suppressions": {EXCLUDED}}
ROWS = f"PhoneNumber,FirstName\n{LISTED},{MARK}\n{EXCLUDED},Anna\n{REJECTED},Beau\n{LEFT_OUT},Carl\n"
TOKEN = "0d6a3a54-2a51-4c0e-8d8f-1b7f4f6f7a11"


class Broken:
    """Contacts of a lake that does not answer."""

    def delete(self, list_id: str) -> None:
        raise StorageError("The lake does not answer.")

    def replace(self, list_id: str, tables: object) -> int:
        raise StorageError("The lake does not answer.")


def list_ids(house: House) -> set[str]:
    with house.app.lake.read() as cursor:
        return {found for (found,) in cursor.execute("SELECT DISTINCT list_id FROM lake.contacts").fetchall()}


def count_lake(house: House, table: str) -> int:
    with house.app.lake.read() as cursor:
        return cursor.execute(f"SELECT count(*) FROM lake.{table}").fetchone()[0]


def forget(house: House) -> dict[str, int]:
    return house.app.upkeep.forgetting.run(house.now)


def quick_send(house: House, *numbers: str, token: str = TOKEN) -> Campaign:
    order = QuickMessage(token, house.account.account_id, "HELIOGRAPH", numbers, "Doors open at 8.")
    return house.app.campaigns.quick_sending.send(house.viewer, order, house.now)


def find_in_tables(house: House) -> dict[str, set[str]]:
    """Return what is planted in each table of both stores, whatever the column."""
    found: dict[str, set[str]] = {}

    def look(name: str, rows: Iterable[object]) -> None:
        text = "\n".join(map(repr, rows))
        if here := {planted for planted in PLANTED if planted in text}:
            found[name] = here

    with house.app.lake.read() as cursor:
        for (table,) in cursor.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'"
        ).fetchall():
            look(f"lake.{table}", cursor.execute(f'SELECT * FROM lake."{table}"').fetchall())
    with closing(sqlite3.connect(house.app.settings.data_dir / "state.sqlite")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            look(f"state.{table}", connection.execute(f'SELECT * FROM "{table}"').fetchall())
    return found


def find_in_files(house: House) -> dict[str, set[str]]:
    """Return what is planted in the bytes of each file of the data folder; Parquet files are compressed."""
    found: dict[str, set[str]] = {}
    for path in house.app.settings.data_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if here := {planted for planted in PLANTED if planted.encode() in content}:
            found[path.name] = here
    return found


def test_after_400_days_nobody_is_anywhere_who_was_only_on_a_list(house: House):
    suppress(house, f"+{EXCLUDED}")
    away = house.upload(f"PhoneNumber\n{LEFT_OUT}\n", "Left out")
    guests = house.upload(ROWS)
    # A list that stays; of those its file rejected nobody asks any more.
    house.upload(f"PhoneNumber\n491795550099\n{REJECTED}\n", "Regulars")
    campaign = house.launch(guests.list_id, left_out_ids=(away.list_id,))
    work(house)
    sent = quick_send(house, f"+{QUICK}")
    # Its text is that of the first recipient of the campaign.
    number = f"+{QUICK}"
    test = house.app.campaigns.quick_sending.send_test(
        house.viewer, campaign.campaign_id, number, 0, str(uuid4()), house.now
    )
    work(house)
    with house.app.state.write() as session:
        told = f"Confirm your new email {MARK}@example.com."
        notifications.notify(session, house.viewer.user_id, Tag.EMAIL_CONFIRM, told, house.now)
    outbox = OutboxPost(house.app.settings.outbox_dir, "Heliograph <heliograph@localhost>")
    outbox.send(Mail(f"{MARK}@example.com", "Welcome", "Hello"))
    with house.app.state.write() as session:
        said = make_reply(sender=LISTED, text=f"Greetings, {MARK}", received_at=house.now)
        keep_replies(session, [said, make_reply(sender=EXCLUDED, received_at=house.now)], house.now)
    house.wait(timedelta(days=5))
    work(house)
    for found in (guests, away):
        house.app.lists.delete(house.viewer, found.list_id, house.now)
    before = house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id)
    assert {name for name in find_in_tables(house) if name not in KEPT} == {
        "lake.audience",
        "lake.unsent",
        "state.campaigns",
        "state.notifications",
        "state.replies",
    }

    nowhere = {LEFT_OUT, REJECTED, MARK}
    assert set().union(*find_in_files(house).values()) >= nowhere

    # What is written by the real clock is old by then as well.
    house.now = max(house.now, datetime.now(UTC)) + timedelta(days=400)
    forgotten = forget(house)
    assert (forgotten["audiences"], forgotten["texts of test sends"], forgotten["notifications"]) == (3, 1, 1)
    assert forgotten["replies"] == 2
    for days in (0, 2, 4):
        house.app.upkeep.maintaining.maintain(house.viewer, house.now + timedelta(days=days), everything=False)
    forget(house)

    found = find_in_tables(house)
    assert {
        name: planted - KEPT.get(name, set()) for name, planted in found.items() if planted - KEPT.get(name, set())
    } == {}
    files = find_in_files(house)
    assert {name: planted & nowhere for name, planted in files.items() if planted & nowhere} == {}
    # The ledger's numbers are out of the file, too, and the simulator's.
    assert {name: files[name] - {EXCLUDED} for name in files if name.startswith(("state", "simulator"))} == {
        name: set() for name in files if name.startswith("state.sqlite")
    }
    assert not list(house.app.settings.uploads_dir.glob("*"))
    assert not list(house.app.settings.outbox_dir.glob("*"))
    assert house.simulator.journal.count_accepted() == 0
    # Counts stay and add up, and the pages that showed people say since when they are gone.
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id) == before
    assert before.balances
    assert before.excluded == {"left out": 1, "suppressed": 1}
    assert (house.campaign(test.campaign_id).message, house.campaign(sent.campaign_id).message) == ("", sent.message)
    for campaign_id in (campaign.campaign_id, sent.campaign_id, test.campaign_id):
        assert house.campaign(campaign_id).forgotten_at == house.now
    rows = house.app.sending.reconciling.rows(house.viewer, campaign.campaign_id, "excluded", None, 1, 10)
    assert (rows.table.num_rows, rows.total) == (0, 0)
    rows = house.app.sending.reconciling.rows(house.viewer, campaign.campaign_id, "sent", None, 1, 10)
    assert rows.total == before.sent_count


def test_a_reply_is_kept_for_as_long_as_is_set_and_what_it_stopped_for_ever(house: House):
    with house.app.state.write() as session:
        keep_replies(session, [make_reply(sender=LISTED, received_at=house.now)], house.now)
    house.wait(timedelta(days=house.app.settings.reply_keep_days))
    assert forget(house)["replies"] == 0
    house.wait(timedelta(seconds=1))
    assert forget(house)["replies"] == 1
    assert find_in_tables(house) == {"state.suppressions": {LISTED}}


def test_an_audience_is_kept_for_as_long_as_is_set(house: House):
    campaign = house.launch(house.upload(ROWS).list_id)
    work(house)
    house.wait(timedelta(days=house.app.settings.audience_keep_days))
    forget(house)
    assert count_lake(house, "audience")
    assert house.campaign(campaign.campaign_id).forgotten_at is None
    house.wait(timedelta(seconds=1))
    forget(house)
    assert (count_lake(house, "audience"), count_lake(house, "unsent")) == (0, 0)
    # When it was frozen, and of how many, is still known.
    assert count_lake(house, "frozen_audiences") == 1
    assert forget(house)["audiences"] == 0


def test_what_is_still_being_sent_is_not_forgotten(house: House):
    campaign = house.launch(house.upload(ROWS).list_id)
    house.app.campaigns.launching.freeze(campaign.campaign_id, house.clock)
    house.app.campaigns.controlling.pause(house.viewer, campaign.campaign_id, house.now)
    house.wait(timedelta(days=400))
    forget(house)
    assert count_lake(house, "audience")
    house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
    # Canceled, and its batches not settled.
    house.wait(timedelta(days=400))
    assert forget(house)["audiences"] == 0
    work(house)
    forget(house)
    assert count_lake(house, "audience") == 0
    assert house.app.reports.reporting.reconciliation(house.viewer, campaign.campaign_id).balances


def test_an_audience_whose_deletion_failed_is_deleted_the_next_time(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign = house.launch(house.upload(ROWS).list_id)
    work(house)
    house.wait(timedelta(days=400))
    with monkeypatch.context() as patch:
        patch.setattr("core.history.lake.connection.Lake.write", lambda *_: Broken().delete(""))
        with pytest.raises(StorageError):
            forget(house)
    assert count_lake(house, "audience")
    # Marked first: nobody is shown what is half gone.
    assert house.campaign(campaign.campaign_id).forgotten_at == house.now
    assert forget(house)["audiences"] == 1
    assert count_lake(house, "audience") == 0


def test_an_audience_that_a_rebuilt_catalog_brings_back_is_deleted_once_more(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    class BringsBack:
        """A rebuilding that finds the files of an audience, which nobody has deleted yet."""

        def rebuild(self, known: Known, now: datetime, *, replace: bool) -> Rebuilt:
            assert (campaign.campaign_id in known.campaign_ids, now, replace) == (True, house.now, True)
            house.app.lake.write(bring_back)
            return Rebuilt()

    def bring_back(cursor: Cursor) -> None:
        cursor.register("found", rows)
        cursor.execute("INSERT INTO lake.audience FROM found")

    campaign = house.launch(house.upload(ROWS).list_id)
    work(house)
    with house.app.lake.read() as cursor:
        rows = cursor.execute("SELECT * FROM lake.audience").to_arrow_table()
    house.wait(timedelta(days=400))
    assert forget(house)["audiences"] == 1
    monkeypatch.setattr(house.app.upkeep.rebuilding, "_rebuilding", BringsBack())
    house.app.upkeep.rebuilding.rebuild(house.viewer, house.now, replace=True)
    assert count_lake(house, "audience")
    assert forget(house)["audiences"] == 1
    assert count_lake(house, "audience") == 0


def test_a_list_whose_people_could_not_be_deleted_is_gone_and_deleted_later(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    guests = house.upload(ROWS)
    with monkeypatch.context() as patch:
        patch.setattr(house.app.lists, "_contacts", Broken())
        house.app.lists.delete(house.viewer, guests.list_id, house.now)
        with pytest.raises(NotFound):
            house.app.lists.get(house.viewer, guests.list_id)
        with pytest.raises(StorageError):
            forget(house)
    assert house.app.lists.page(house.viewer, PageRequest()).total == 0
    assert list_ids(house) == {guests.list_id}
    # Its name is free, and its rejected rows wait for nobody.
    again = house.upload(ROWS)
    assert forget(house)["deleted lists"] == 1
    assert list_ids(house) == {again.list_id}
    assert forget(house)["deleted lists"] == 0
    assert [path.name for path in house.app.settings.uploads_dir.glob("*")] == [f"{again.list_id}.rejected.csv"]


def test_numbers_that_could_not_be_stored_are_taken_back_and_can_be_sent_again(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(house.app.campaigns.quick_sending._placing, "_contacts", Broken())
        with pytest.raises(StorageError):
            quick_send(house, f"+{QUICK}")
    assert house.app.campaigns.composing.page(house.viewer, PageRequest()).total == 0
    quick_send(house, f"+{QUICK}")
    work(house)
    assert house.simulator.journal.count_accepted() == 1


def test_whoever_dies_between_claim_and_numbers_leaves_a_fault_and_no_audience(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ContactStore, "replace", die)
        # A process that is killed takes nothing back.
        patch.setattr(house.app.campaigns.quick_sending._placing, "_withdraw", lambda *_: None)
        with pytest.raises(Killed):
            quick_send(house, f"+{QUICK}")
    work(house)
    (campaign,) = house.app.campaigns.composing.page(house.viewer, PageRequest()).items
    assert campaign.status is CampaignStatus.PROCESSING
    house.wait(CLAIMED_FOR + timedelta(seconds=1))
    work(house)
    ended = house.campaign(campaign.campaign_id)
    assert (ended.status, "not stored" in ended.fault) == (CampaignStatus.INACTIVE, True)


def test_numbers_of_a_quick_send_are_deleted_though_the_lake_failed_then(house: House, monkeypatch: pytest.MonkeyPatch):
    campaign = quick_send(house, f"+{QUICK}")
    with monkeypatch.context() as patch:
        patch.setattr(house.app.campaigns.controlling, "_tools", replaced(house.app.campaigns.controlling._tools))
        house.app.campaigns.controlling.cancel(house.viewer, campaign.campaign_id, house.now)
    assert house.campaign(campaign.campaign_id).status is CampaignStatus.CANCELED
    assert list_ids(house) == {campaign.campaign_id}
    house.wait(timedelta(hours=2))
    assert forget(house)["numbers of Quick Sends"] == 1
    assert list_ids(house) == set()
    assert forget(house)["numbers of Quick Sends"] == 0


def replaced(tools: object) -> object:
    return replace(tools, contacts=Broken())


def test_files_of_uploads_go_with_their_time_and_those_that_wait_stay(house: House):
    folder = house.app.settings.uploads_dir
    guests, refused = house.upload(ROWS), house.upload("PhoneNumber\nnobody\n", "Refused")
    assert refused.status is ListStatus.FAULTED
    # The file itself is read by nobody any more.
    assert not list(folder.glob("*.upload"))
    waiting = house.app.lists.upload(
        house.viewer, Upload(house.account.account_id, "Waiting", "w.csv"), io.BytesIO(ROWS.encode()), house.now
    )
    stray = folder / "0190a000-0000-7000-8000-000000000000.aa11bb22cc33"
    stray.write_text(LISTED)
    assert house.app.lists.rejected_csv(house.viewer, guests.list_id)
    forget(house)
    assert stray.exists()
    house.now = max(house.now, datetime.now(UTC)) + timedelta(days=31)
    assert forget(house)["uploads and rejected rows"] == 3
    assert [path.name for path in folder.glob("*")] == [f"{waiting.list_id}.upload"]
    assert house.app.lists.rejected_csv(house.viewer, guests.list_id) == b""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageError("The lake does not answer."), "does not answer"),
        (PermissionError(13, "Permission denied", "exports/1.export"), "1.export cannot be deleted: Permission denied"),
    ],
)
def test_a_kind_that_fails_keeps_no_other_from_its_turn(error: Exception, words: str):
    def fail(_now: datetime) -> int:
        raise error

    turns: list[str] = []
    kinds = [Forgettable("first", fail), Forgettable("second", lambda _: turns.append("second") or 1)]
    with pytest.raises(StorageError, match=words):
        Forgetting(kinds).run(datetime(2026, 3, 1, tzinfo=UTC))
    assert turns == ["second"]


def test_the_table_of_kinds_names_each_once(house: House, tmp_path: Path):
    names = [kind.name for kind in house.app.upkeep.forgetting.kinds]
    assert len(set(names)) == len(names) > 8
    # An installation that has just begun has nothing to forget, and no files yet.
    assert set(forget(house).values()) == {0}
