"""What a preflight of a large campaign takes, against a loop in Python that does the same row by row."""

import argparse
import csv
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.mobile_numbers import mobile_number
from benchmarks.report import Case, measured, stopwatch
from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.accounts.pricing import Price
from core.domain.accounts.suppressions import Origin, SuppressionSource
from core.domain.campaigns.campaigns import Campaign, CampaignDraft
from core.domain.campaigns.preflight import Preflight
from core.domain.people.permissions import Viewer
from core.domain.texts.placeholders import Placeholder, fill_cells, parse_template, render
from core.domain.texts.segments import MAX_SEGMENTS, measure
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from core.state.accounts import accounts
from core.state.suppressions import changes
from core.state.suppressions.numbers import to_msisdn
from core.state.suppressions.suppressions import add_suppressions

NAME = "preflight"
MESSAGE = (
    "Hello {FirstName}, your order {Order} is on its way and will be with you between nine and noon. "
    "Questions? Call us, we are there all day. Reply STOP to opt out."
)
_FALLBACKS = {"FirstName": "dear customer"}
# What stands in the cells, in turn: plain names, some outside the GSM alphabet, an emoji, and empty ones.
_NAMES = (
    *("Beau", "Anna", "Dieter", "Zoë", "Marie-Claire", "José", "Søren", "Ülkü", "Maximilian-Alexander", "Jo"),
    *("Łukasz", "Małgorzata", "Άννα", "Ирина", "Zoé 🌻", "", " ", "O'Neill", "Grete [HR]", "Paul"),
)
# Every so many rows of the second list repeat the first one's numbers, and so many numbers are suppressed.
_SECOND_SHARE, _REPEATED_EVERY, _SUPPRESSED = 5, 10, 2_000
_RUNS = 5
_BATCH = 10_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--recipients", type=int, default=1_000_000)


def run(options: argparse.Namespace) -> int:
    """Import two lists, look at them both ways; 1 when the loop and the preflight count differently."""
    with tempfile.TemporaryDirectory(prefix="heliograph-preflight-") as name:
        folder = Path(name)
        settings = Settings(data_dir=folder / "data")
        campaign_id = _prepare(settings, folder, options.recipients)
        # Opened anew, so that nothing of the import is in memory any more.
        app = build_app(settings)
        try:
            return _compare(app, campaign_id, options.recipients)
        finally:
            app.close()


def _compare(app: App, campaign_id: str, recipients: int) -> int:
    viewer = app.people.adding.get_viewer()
    campaign = app.campaigns.composing.get(viewer, campaign_id)
    with stopwatch() as plain:
        expected = _count_plainly(app, viewer, campaign)
    first = Case(NAME, "the first look, nothing opened yet", recipients, baseline=plain[0])
    with measured(first):
        found = app.campaigns.preflighting.look(viewer, campaign_id, _now()).preflight
    taken, peaks = list[float](), list[float]()
    for number in range(_RUNS):
        # Another version of the draft: what was counted before does not serve it.
        campaign = _edit(app, viewer, campaign, f"Round {number}")
        with measured(Case(NAME, f"look {number + 1}, after an edit", recipients, baseline=plain[0])) as case:
            found = app.campaigns.preflighting.look(viewer, campaign_id, _now()).preflight
        taken.append(case.seconds)
        peaks.append(case.peak_mib)
    Case(NAME, f"median of {_RUNS} looks", recipients, statistics.median(taken), max(peaks), plain[0]).emit()
    counted = _totals(found)
    if counted != expected:
        print(f"the preflight counts {counted}, the loop {expected}", file=sys.stderr)
    return 0 if counted == expected else 1


@dataclass
class _Totals:
    """What both ways count; destinations are people, SMS and cost by country and MCCMNC."""

    rows: int
    excluded: dict[str, int]
    empty: int
    destinations: dict[tuple[str, str], tuple[int, int, Decimal]]


def _totals(found: Preflight) -> _Totals:
    destinations = {
        (item.country, item.mccmnc): (item.recipient_count, item.segment_count, item.cost_eur_cents)
        for item in found.counted.destinations
    }
    counted = found.counted
    return _Totals(counted.audience_count, dict(counted.excluded), counted.empty.get("FirstName", 0), destinations)


def _count_plainly(app: App, viewer: Viewer, campaign: Campaign) -> _Totals:
    """Do row by row what the preflight says at least, with the same rules: one pass, nothing looked up twice."""
    with app.state.read() as session:
        prices = accounts.list_prices(session, campaign.account_id)
        (scope,) = (each for each in changes.find_scopes(session, [campaign.account_id]))
        numbers = np.concatenate(list(changes.iterate_numbers(session, scope.scope_no)))
        suppressed = set(map(to_msisdn, numbers.tolist()))
    price_of = {(price.country, price.mccmnc): price.price_eur_cents for price in prices}
    parts = parse_template(campaign.message, campaign.placeholders)
    seen = set[str]()
    excluded = Counter[str]()
    people, segments = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    rows = empty = 0
    for msisdn, country, mccmnc, cells in _contacts(app, viewer, campaign):
        rows += 1
        if msisdn in seen:
            excluded["duplicate"] += 1
            continue
        seen.add(msisdn)
        if msisdn in suppressed:
            excluded["suppressed"] += 1
            continue
        values = fill_cells(cells, campaign.fallbacks)
        count = measure(render(parts, values)).segment_count
        if count > MAX_SEGMENTS:
            excluded["too_long"] += 1
            continue
        if _price(price_of, country, mccmnc) is None:
            excluded["no_price"] += 1
            continue
        empty += not cells["FirstName"].strip()
        people[country, mccmnc] += 1
        segments[country, mccmnc] += count
    destinations = {
        place: (people[place], segments[place], segments[place] * (_price(price_of, *place) or Decimal(0)))
        for place in people
    }
    return _Totals(rows, dict(excluded), empty, destinations)


def _price(price_of: dict[tuple[str, str], Decimal], country: str, mccmnc: str) -> Decimal | None:
    for place in ((country, mccmnc), (country, ""), ("", "")):
        if place in price_of:
            return price_of[place]
    return None


def _contacts(app: App, viewer: Viewer, campaign: Campaign) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Yield number, country, MCCMNC and the placeholders' cells of every row, in the order of the lists."""
    parts = parse_template(campaign.message, campaign.placeholders)
    names = [part.name for part in parts if isinstance(part, Placeholder)]
    for chosen in campaign.lists:
        columns = app.lists.get(viewer, chosen.list_id).columns
        places = {name: columns.index(campaign.placeholders[name]) for name in names}
        with app.lake.read() as cursor:
            cursor.execute(
                "SELECT msisdn, country, mccmnc, fields FROM lake.contacts WHERE list_id = $list_id ORDER BY row_no",
                {"list_id": chosen.list_id},
            )
            while batch := cursor.fetchmany(_BATCH):
                for msisdn, country, mccmnc, fields in batch:
                    yield msisdn, country, mccmnc, {name: fields[place] for name, place in places.items()}


def _prepare(settings: Settings, folder: Path, recipients: int) -> str:
    """Import the lists, set prices and suppressions, save the draft; return its id."""
    second = recipients // _SECOND_SHARE
    app = build_app(settings)
    try:
        app.state.migrate()
        viewer = app.people.adding.add(NewPerson("Benchmark", "benchmark@example.com", "Copper-kettle-19"), _now())
        account_id = app.accounts.managing.list_sending(viewer)[0].account_id
        ids = [
            _import(app, viewer, account_id, _write_first(folder / "first.csv", recipients - second)),
            _import(app, viewer, account_id, _write_second(folder / "second.csv", recipients - second, second)),
        ]
        with app.state.write() as session:
            numbers = [f"+{mobile_number(index * 7)}" for index in range(min(_SUPPRESSED, recipients // 100))]
            origin = Origin(SuppressionSource.PERSON, "opt-out", "benchmark", _now())
            add_suppressions(session, account_id, numbers, origin)
            accounts.set_prices(session, account_id, _prices())
        placeholders = {"FirstName": "FirstName", "Order": "Order"}
        draft = CampaignDraft(
            account_id, "Preflight", "HELIOGRAPH", tuple(ids), MESSAGE, placeholders, fallbacks=_FALLBACKS
        )
        return app.campaigns.composing.save(viewer, draft, _now()).campaign_id
    finally:
        app.close()


def _import(app: App, viewer: Viewer, account_id: str, path: Path) -> str:
    with path.open("rb") as content:
        found = app.lists.upload(viewer, Upload(account_id, path.stem, path.name), content, _now())
    app.lists.run(found.list_id, _now)
    return found.list_id


def _write_first(path: Path, rows: int) -> Path:
    return _write(path, range(rows))


def _write_second(path: Path, after: int, rows: int) -> Path:
    """Continue the numbers of the first list, but for every so manieth, which is one of them."""
    return _write(path, (index if index % _REPEATED_EVERY == 0 else after + index for index in range(rows)))


def _write(path: Path, indexes: Iterable[int]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["PhoneNumber", "FirstName", "Order", "Address"])
        for row, index in enumerate(indexes):
            writer.writerow([mobile_number(index), _NAMES[row % len(_NAMES)], f"HG-{row:07}", f"{row} High Street"])
    return path


def _prices() -> list[Price]:
    """Return a price per country, some for networks, and one for the rest."""
    countries = {"DE": "7.5", "FR": "6.1", "GB": "4.2", "ES": "5.35", "PL": "2.95", "IT": "6.4", "TR": "1.15"}
    networks = {("DE", "26201"): "7.25", ("DE", "26203"): "7.1", ("FR", "20801"): "5.95", ("PL", "26001"): "2.8"}
    return [
        Price("", "", Decimal(9)),
        *(Price(country, "", Decimal(price)) for country, price in countries.items()),
        *(Price(*place, Decimal(price)) for place, price in networks.items()),
    ]


def _edit(app: App, viewer: Viewer, campaign: Campaign, name: str) -> Campaign:
    """Save the draft under another name."""
    ids = tuple(chosen.list_id for chosen in campaign.lists)
    draft = CampaignDraft(
        campaign.account_id, name, campaign.sender_id, ids, MESSAGE, campaign.placeholders, fallbacks=_FALLBACKS
    )
    return app.campaigns.composing.save(viewer, draft, _now(), campaign.campaign_id, campaign.version)


def _now() -> datetime:
    return datetime.now(UTC)
