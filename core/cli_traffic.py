"""The command line's part for outside traffic: `history import`."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from core.bootstrap import App
from core.domain.imports.cdr import CdrField, CdrMapping, DateFormat, PriceUnit, TrafficImport, TrafficImportStatus
from core.domain.imports.cdr_guessing import status_key
from core.domain.imports.cdr_prices import parse_rate, say_rates
from core.domain.imports.cdr_remarks import say_remarks
from core.domain.messages.messages import DeliveryStatus
from core.domain.people.permissions import Viewer
from core.domain.words.counting import count_of
from core.errors import AppError, InvalidInput
from core.services.traffic.importing_traffic import TrafficUpload

T = TypeVar("T")

POLL_S = 0.5


def add_import(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `import` to the commands of `history`."""
    explanation = "import messages that an HTTP or SMPP account sent outside the tool, from a CSV or Parquet file"
    parser = parts.add_parser("import", help=explanation, description=explanation)
    parser.add_argument("file", type=Path, help="the CSV or Parquet file")
    parser.add_argument("--account", required=True, help="name of the traffic account")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="FIELD=HEADER",
        help=f"which column is which; the fields are {', '.join(CdrField)}; FIELD= leaves one out",
    )
    parser.add_argument("--time-zone", default="", help="of times that do not state theirs; the person's by default")
    parser.add_argument(
        "--date-format",
        default="",
        metavar="FORMAT",
        help=f"how the file writes times: {', '.join(form.name for form in DateFormat)}",
    )
    price_unit = "whether prices are whole units of their currency or hundredths"
    units = ["", *(unit.name for unit in PriceUnit)]
    parser.add_argument("--price-unit", default="", choices=units, help=price_unit)
    parser.add_argument(
        "--rate",
        action="append",
        default=[],
        metavar="CURRENCY=EUR",
        help="what one unit of a currency is worth in EUR: USD=0.92",
    )
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        metavar="WORD=STATUS",
        help=f"what a word of the file means: {', '.join(DeliveryStatus)}",
    )
    parser.add_argument("--as", dest="email", default="", help="email of the person to act as")
    parser.add_argument("--work", action="store_true", help="import it in this process instead of waiting for a worker")
    parser.set_defaults(command=_import)


def _import(app: App, options: argparse.Namespace) -> int:
    viewer = app.people.adding.get_viewer(options.email)
    upload = TrafficUpload(_account_id(app, viewer, options.account), options.file.name)
    try:
        with options.file.open("rb") as content:
            found = app.traffic.upload(viewer, upload, content, app.clock())
    except OSError as error:
        raise InvalidInput(f"{options.file} cannot be read: {error.strerror}.", hint="Check the path.") from error
    try:
        mapping = _mapping(app.traffic.propose(viewer, found.import_id).mapping, options, found.columns)
        found = app.traffic.begin(viewer, found.import_id, mapping)
    except AppError:
        app.traffic.delete(viewer, found.import_id)
        raise
    print(_say_mapping(mapping), file=sys.stderr)
    found = _wait(app, viewer, found, work=options.work)
    print(_say(found))
    return 0 if found.status is TrafficImportStatus.COMPLETED else 1


def _mapping(proposed: CdrMapping, options: argparse.Namespace, headers: Sequence[str]) -> CdrMapping:
    """Return what is remembered or guessed, changed by the options."""
    columns = dict(proposed.columns)
    for field, header in _pairs(options.column, "--column"):
        columns.pop(_find(field, {name: name for name in CdrField}, "field"), None)
        if header:
            wanted = _find(header, {name: name for name in headers}, "column")
            # Whatever was guessed about this column is wrong.
            columns = {name: column for name, column in columns.items() if column != wanted}
            columns[_find(field, {name: name for name in CdrField}, "field")] = wanted
    statuses = dict(proposed.statuses)
    for word, status in _pairs(options.status, "--status"):
        statuses[status_key(word)] = _find(status, {name: name for name in DeliveryStatus}, "delivery status")
    rates = {code.upper(): parse_rate(rate, code.upper()) for code, rate in _pairs(options.rate, "--rate")}
    mapping = replace(
        proposed,
        columns=columns,
        statuses=statuses,
        time_zone=options.time_zone or proposed.time_zone,
        rates={**proposed.rates, **rates},
    )
    if options.date_format:
        mapping = replace(
            mapping, date_format=_find(options.date_format, {form.name: form for form in DateFormat}, "date format")
        )
    if options.price_unit:
        mapping = replace(mapping, price_unit=PriceUnit[options.price_unit])
    return mapping


def _pairs(texts: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for name, sign, _ in pairs:
        if not sign:
            raise InvalidInput(f"{option} {name} has no equals sign.", hint=f"Write {option} NAME=VALUE.")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _find(text: str, names: Mapping[str, T], what: str) -> T:
    """Return what is called *text*; capitals, spaces and underscores do not matter."""

    def bare(name: str) -> str:
        return name.replace(" ", "").replace("_", "").casefold()

    for name, value in names.items():
        if bare(name) == bare(text):
            return value
    raise InvalidInput(f"There is no {what} {text!r}.", hint=f"Use one of: {', '.join(names)}.")


def _wait(app: App, viewer: Viewer, found: TrafficImport, *, work: bool) -> TrafficImport:
    while found.status is TrafficImportStatus.IN_PROGRESS:
        if work:
            app.traffic.run(found.import_id, app.clock)
        found = app.traffic.get(viewer, found.import_id)
        if found.status is TrafficImportStatus.IN_PROGRESS:
            # A worker has it, or shall take it.
            time.sleep(POLL_S)
    return found


def _say_mapping(mapping: CdrMapping) -> str:
    columns = ", ".join(f"{field} = {column}" for field, column in mapping.columns.items())
    rates = f" {say_rates(mapping.rates)}." if mapping.rates else ""
    return f"{columns}; times as {mapping.date_format}, in {mapping.time_zone} where they do not state theirs.{rates}"


def _say(found: TrafficImport) -> str:
    counts = found.counts
    return (
        f"{found.file_name}: {found.status}, {count_of(counts.read, 'row', 'rows')} read, "
        f"{counts.added} added, {counts.updated} updated, "
        f"{counts.unchanged} unchanged, {counts.repeated} repeated, {counts.rejected} rejected. "
        f"{found.fault} {found.hint}"
        f"{''.join(f' {line}.' for line in say_remarks(found.remarks))}"
    ).strip()


def _account_id(app: App, viewer: Viewer, name: str) -> str:
    for account in app.accounts.managing.list_accounts(viewer):
        if account.name == name:
            return account.account_id
    names = ", ".join(account.name for account in app.traffic.list_accounts(viewer)) or "none"
    raise InvalidInput(f"There is no account {name!r}.", hint=f"{viewer.email} may import for: {names}.")
