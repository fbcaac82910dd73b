"""Imports of outside traffic: what was uploaded, how far each is, and the mappings that are remembered."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from core.domain.imports.cdr import CdrField, CdrMapping, DateFormat, PriceUnit, TrafficCounts, TrafficImport
from core.domain.imports.cdr import TrafficImportStatus as Status
from core.domain.imports.cdr_remarks import CellFault
from core.domain.messages.messages import DeliveryStatus
from core.domain.reports.paging import Page, PageRequest
from core.domain.words.control_characters import as_told
from core.errors import NotFound
from core.state.tables.leases import Moment, is_free, take_lease
from core.state.tables.models import TrafficImportRow as Row
from core.state.tables.models import TrafficMappingRow
from core.state.tables.search import contains, exact_first


def add_import(session: Session, new: TrafficImport, mapping: CdrMapping) -> None:
    """Add the import as it stands in *new*, with what its mapping probably is."""
    apart = {"counts", "remarks", "rates"}
    facts = {name: value for name, value in vars(new).items() if name not in apart} | {"columns": list(new.columns)}
    session.add(Row(**facts, **_count_columns(new.counts), mapping=_as_json(mapping)))
    session.flush()


def get_import(session: Session, import_id: str) -> TrafficImport:
    """Return the import. Raises: NotFound."""
    return _import(_row(session, import_id))


def get_mapping(session: Session, import_id: str) -> CdrMapping:
    """Return how the file is read, or what was proposed for it. Raises: NotFound."""
    return _from_json(_row(session, import_id).mapping)


def page_imports(session: Session, account_ids: Collection[str], request: PageRequest) -> Page[TrafficImport]:
    """Return one page of the accounts' imports whose file's name contains the search, newest first."""
    wanted = select(Row).where(Row.account_id.in_(account_ids))
    if request.search.strip():
        wanted = wanted.where(contains(Row.file_name.expression, request.search.strip()))
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    exact = exact_first(request.search, Row.file_name.expression)
    ordered = wanted.order_by(*exact, Row.import_id.desc())
    rows = session.scalars(ordered.offset(request.offset).limit(request.size))
    return Page(tuple(_import(row) for row in rows), total)


def delete_import(session: Session, import_id: str) -> None:
    """Forget the import."""
    session.execute(delete(Row).where(Row.import_id == import_id))


def waiting(now: Moment) -> Select[str]:
    """Find the imports that wait for a worker."""
    return select(Row.import_id).where(Row.status == Status.IN_PROGRESS, is_free(Row, now))


def list_waiting(session: Session, now: datetime) -> list[str]:
    """Return the imports that wait for a worker, oldest first."""
    return list(session.scalars(waiting(now).order_by(Row.import_id)))


def list_forgotten(session: Session, before: datetime) -> list[str]:
    """Return the uploads from before then that were never mapped."""
    return list(session.scalars(select(Row.import_id).where(Row.status == Status.TO_MAP, Row.created_at < before)))


def begin_import(session: Session, import_id: str, mapping: CdrMapping) -> bool:
    """Let workers read the file in this way; False when it was begun already or is gone."""
    which = (Row.import_id == import_id) & (Row.status == Status.TO_MAP)
    if session.scalar(select(Row.import_id).where(which).with_for_update()) is None:
        return False
    session.execute(update(Row).where(which).values(mapping=_as_json(mapping), status=Status.IN_PROGRESS))
    return True


def lease_import(session: Session, import_id: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take, or renew, the right to import the file; False when somebody else has it or it is done."""
    which = (Row.import_id == import_id) & (Row.status == Status.IN_PROGRESS)
    return take_lease(session, Row, which, owner=owner, now=now, until=until)


def record_progress(session: Session, import_id: str, counts: TrafficCounts, progress: float) -> None:
    """Store how far the import has come; it waits for nothing any more."""
    values = {**_count_columns(counts), "progress": progress, "fault": "", "hint": ""}
    session.execute(update(Row).where(Row.import_id == import_id).values(values))


def record_obstacle(session: Session, import_id: str, fault: str, hint: str) -> None:
    """Store what an import In Progress waits for."""
    which = (Row.import_id == import_id) & (Row.status == Status.IN_PROGRESS)
    session.execute(update(Row).where(which).values(fault=as_told(fault), hint=as_told(hint)))


def finish_import(session: Session, ended: TrafficImport) -> None:
    """Store how the import ended."""
    session.execute(
        update(Row)
        .where(Row.import_id == ended.import_id)
        .values(
            status=ended.status,
            fault=as_told(ended.fault),
            hint=ended.hint,
            progress=ended.progress,
            finished_at=ended.finished_at,
            lease_owner="",
            lease_until=None,
            remarks={fault.value: count for fault, count in ended.remarks.items()},
            **_count_columns(ended.counts),
        )
    )


def remember_mapping(session: Session, found: TrafficImport, now: datetime) -> None:
    """Read the next file of the same form for the account in the same way."""
    mapping = _row(session, found.import_id).mapping
    session.merge(
        TrafficMappingRow(account_id=found.account_id, signature=found.signature, mapping=mapping, remembered_at=now)
    )


def find_remembered(session: Session, account_id: str, signature: str) -> CdrMapping | None:
    """Return how files of this form are read for the account; None for the first one."""
    row = session.get(TrafficMappingRow, (account_id, signature))
    return _from_json(row.mapping) if row else None


def _row(session: Session, import_id: str) -> Row:
    row = session.get(Row, import_id)
    if row is None:
        raise NotFound("There is no such import.")
    return row


def _count_columns(counts: TrafficCounts) -> dict[str, int]:
    return {f"{name}_count": value for name, value in vars(counts).items()}


def _as_json(mapping: CdrMapping) -> dict[str, Any]:
    return {
        "columns": {field.name: column for field, column in mapping.columns.items()},
        "date_format": mapping.date_format.name if mapping.date_format else None,
        "time_zone": mapping.time_zone,
        "price_unit": mapping.price_unit.name if mapping.price_unit else None,
        "statuses": {word: status.value for word, status in mapping.statuses.items()},
        # As text: a number of JSON would be rounded.
        "rates": {currency: str(rate) for currency, rate in mapping.rates.items()},
    }


def _from_json(facts: Mapping[str, Any]) -> CdrMapping:
    return CdrMapping(
        columns={CdrField[name]: column for name, column in facts["columns"].items()},
        date_format=DateFormat[facts["date_format"]] if facts["date_format"] else None,
        time_zone=facts["time_zone"],
        price_unit=PriceUnit[facts["price_unit"]] if facts["price_unit"] else None,
        statuses={word: DeliveryStatus(status) for word, status in facts["statuses"].items()},
        rates=_rates(facts),
    )


def _rates(facts: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the rates of a mapping; those stored before there were any have none."""
    return {currency: Decimal(rate) for currency, rate in facts.get("rates", {}).items()}


def _import(row: Row) -> TrafficImport:
    return TrafficImport(
        import_id=row.import_id,
        account_id=row.account_id,
        user_id=row.user_id,
        file_name=row.file_name,
        columns=tuple(row.columns),
        signature=row.signature,
        status=Status(row.status),
        created_at=row.created_at,
        created_by=row.created_by,
        counts=TrafficCounts(
            row.read_count,
            row.added_count,
            row.updated_count,
            row.unchanged_count,
            row.repeated_count,
            row.rejected_count,
        ),
        progress=row.progress,
        fault=row.fault,
        hint=row.hint,
        finished_at=row.finished_at,
        remarks={CellFault(fault): count for fault, count in row.remarks.items()},
        rates=_rates(row.mapping),
    )
