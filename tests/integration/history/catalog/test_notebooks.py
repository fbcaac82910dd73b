"""docs/guide/notebooks.md, pasted into a process of its own while another one appends: it says what Statistics say."""

import io
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core import cli
from core.config import Settings
from core.domain.numbering import country_name
from core.domain.reports.statistics import GroupBy
from core.domain.times.periods import Period
from core.errors import ConfigurationError
from core.history.catalog.attaching import attach_statements
from core.history.catalog.location import Location
from core.history.lake.schema import MESSAGE_SCHEMA
from core.history.messages.message_store import MessageStore
from core.services.reports.reporting import StatisticsRequest
from tests.integration.history.lake.test_processes import ROOT, ROWS, start_writer
from tests.support.application.house import House, make_house
from tests.support.stores.messages import make_random_message, message_table, unsent_table

GUIDE = ROOT / "docs" / "guide" / "notebooks.md"
# The month the guide asks for; the writer beside it appends to another.
FEBRUARY = Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
COUNT = 300


@dataclass(frozen=True)
class Notebook:
    """What the process printed, and what it was given by a house that others only look at."""

    house: House
    found: dict[str, Any]
    messages: list[dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def notebook(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    catalog = request.getfixturevalue("new_lake_database")() if request.param == "postgres" else ""
    folder = tmp_path_factory.mktemp("notebook")
    house = make_house(folder / "data", lake_catalog=catalog)
    with closing(house.app):
        yield paste(house, folder)


def paste(house: House, folder: Path) -> Notebook:
    messages = fill(house)
    attach_sql = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(attach_sql):
        patch.setenv("HELIOGRAPH_DATA_DIR", str(house.app.settings.data_dir))
        patch.setenv("HELIOGRAPH_LAKE_CATALOG", house.app.settings.lake_catalog)
        assert cli.main(["history", "attach"]) == 0
    (folder / "attach.sql").write_text(attach_sql.getvalue())
    writer = start_writer(house.app.settings, "beside", 0)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        command = [sys.executable, "-W", "error", "-m", "tests.integration.history.catalog.notebook", str(GUIDE)]
        done = subprocess.run([*command, str(folder)], capture_output=True, text=True, cwd=ROOT, check=False)
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()
    assert (done.returncode, done.stderr) == (0, "")
    return Notebook(house, json.loads(done.stdout), messages)


def fill(house: House) -> list[dict[str, Any]]:
    source = random.Random(7)
    messages = [
        make_random_message(source, FEBRUARY.start, FEBRUARY.end - FEBRUARY.start)
        | {"account": house.account.account_id, "campaign_id": f"campaign-{number % 3}"}
        for number in range(COUNT)
    ]
    MessageStore(house.app.lake).append_batch(
        "batch-1", "campaign-1", message_table(*messages), unsent_table(), house.now
    )
    house.app.upkeep.rolling_up.refresh()
    return messages


def test_the_guide_answers_what_statistics_answer_while_another_process_appends(notebook: Notebook):
    house, found = notebook.house, notebook.found
    assert found["blocks"] >= 6
    assert found["frame_rows"] == COUNT
    request = StatisticsRequest(FEBRUARY, (GroupBy.DAY, GroupBy.COUNTRY), size=1_000)
    page = house.app.reports.reporting.statistics(house.viewer, request)
    ours = [
        (str(day), country, sent, delivered, pytest.approx(rate))
        for day, country, sent, delivered, rate in zip(
            *(page.table[name].to_pylist() for name in ("Day", "Country", "sent", "delivered", "delivery_rate")),
            strict=True,
        )
    ]
    theirs = [
        (day[:10], country_name(country), sent, delivered, rate)
        for country, day, sent, delivered, rate in found["by_country_and_day"]
    ]
    assert sorted(theirs) == sorted(ours)
    check_networks_and_costs(found, notebook.messages)


def check_networks_and_costs(found: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    delivered = [message for message in messages if message["delivery_status"] == "Delivered"]
    assert sum(count for _, _, count, _, _ in found["slowest_networks"]) == len(delivered)
    medians = [median for *_, median, _ in found["slowest_networks"]]
    assert medians == sorted(medians, reverse=True)
    for campaign, sent, segments, cost_eur in found["cost_per_campaign"]:
        own = [message for message in messages if message["campaign_id"] == campaign]
        assert (sent, segments) == (len(own), len(own))
        assert cost_eur == pytest.approx(float(sum(message["price_eur_cents"] for message in own) / 100))
    assert sum(sent for _, sent, _, _ in found["cost_per_campaign"]) == COUNT


def test_it_sees_whole_batches_one_state_per_transaction_and_cannot_write(notebook: Notebook):
    house, found = notebook.house, notebook.found
    assert found["same_state"]
    assert all((count - COUNT) % ROWS == 0 for count in [*found["seen"], found["latest"], found["then"]])
    assert found["latest"] >= COUNT + ROWS
    assert all(found["refused"])
    # Nothing it tried left a trace.
    with house.app.lake.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM lake.messages WHERE sender = 'me'").fetchone() == (0,)


def test_passwords_and_keys_are_not_printed(tmp_path: Path):
    catalog = "dbname=lake host=db user=reader password='hunter 2'"
    settings = Settings(data_dir=tmp_path, lake_catalog=catalog, lake_files="s3://bucket/history")
    text = "\n".join(attach_statements(Location.of(settings)))
    assert "hunter" not in text
    assert "dbname=lake" in text
    assert "host=db" in text
    assert "s3://bucket/history/" in text
    assert "READ_ONLY" in text


def test_a_catalog_that_cannot_be_read_is_said(tmp_path: Path):
    with pytest.raises(ConfigurationError):
        attach_statements(Location.of(Settings(data_dir=tmp_path, lake_catalog="no such thing = = ")))


def test_paths_with_quotes_are_quoted(tmp_path: Path):
    house = make_house(tmp_path / "it's here")
    house.app.lake.ping()
    statements = attach_statements(house.app.lake.location)
    house.app.close()
    assert "it''s here" in statements[-1]


def test_the_guide_names_every_column_and_is_linked():
    text = GUIDE.read_text("utf-8")
    assert all(f"`{name}`" in text for name in MESSAGE_SCHEMA.names)
    assert "(notebooks.md)" in (GUIDE.parent / "index.md").read_text("utf-8")
