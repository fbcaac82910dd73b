"""
Exporting: files people take away with them.

Every export is written by a worker, under a lease: into a file of its own, which gets its name when it is whole. A
worker that dies leaves nothing that anybody could take; the next one starts anew. Who may have what is asked when the
export is ordered, again when it is written, and again when it is fetched.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.reports.exports import Export, ExportFormat, ExportStatus
from core.domain.reports.questions import refuse_odd_question
from core.domain.words.counting import count_of, grouped
from core.errors import AppError, Forbidden, InvalidInput, NotFound
from core.files.exports.export_files import open_writer
from core.identifiers import new_id
from core.services.leases import Lease, Leases, Stopped
from core.services.reports.export_contents import Contents, Sources, contents_of
from core.services.reports.export_requests import (
    AuditRequest,
    ExportRequest,
    MessagesRequest,
    RepliesRequest,
    SuppressionsRequest,
    decode,
    encode,
)
from core.services.reports.reporting import StatisticsRequest
from core.state.engine.store import State
from core.state.people import users
from core.state.reports import audit, exports

log = logging.getLogger(__name__)

MOST_UNFINISHED = 3
SHOWN = 8


@dataclass(frozen=True)
class ExportLimits:
    """Where the files lie, how long they are kept, and how many rows one may have."""

    folder: Path
    keep: timedelta
    max_rows: int


@dataclass(frozen=True)
class Download:
    """A file to be sent to the browser."""

    path: Path
    name: str
    format: ExportFormat


@dataclass(frozen=True)
class _Kind:
    """What a file is called, and the permission it needs."""

    title: str
    permission: Permission


_KINDS: Mapping[type[ExportRequest], _Kind] = {
    MessagesRequest: _Kind("Messages", Permission.MESSAGE_HISTORY),
    StatisticsRequest: _Kind("Statistics", Permission.STATISTICS),
    RepliesRequest: _Kind("Replies", Permission.MESSAGE_HISTORY),
    SuppressionsRequest: _Kind("Suppressions", Permission.DISTRIBUTION_LISTS),
    AuditRequest: _Kind("Audit", Permission.AUDIT),
}


class Exporting:
    """From the question to the file, and until the file's time is over."""

    def __init__(self, state: State, sources: Sources, limits: ExportLimits, leases: Leases) -> None:
        """Take the state store, who answers the questions, the limits, and the worker's leases."""
        self._leases = leases
        self._state = state
        self._sources = sources
        self._limits = limits

    def start(self, viewer: Viewer, request: ExportRequest, kind: ExportFormat, now: datetime) -> Export:
        """
        Order an export; a worker writes it.

        Raises: Forbidden. InvalidInput: no column, or several of the viewer's are not written yet.
        """
        viewer.require(_permission(request))
        refuse_odd_question(request)
        if isinstance(request, MessagesRequest) and not request.columns:
            raise InvalidInput("No column is chosen.", hint="Choose at least one under Column Options.")
        what = _KINDS[type(request)].title
        new = Export(
            export_id=new_id(),
            user_id=viewer.user_id,
            name=f"{what} {now:%Y-%m-%d %H%M%S}",
            format=kind,
            request=encode(request),
            status=ExportStatus.WAITING,
            created_at=now,
            expires_at=now + self._limits.keep,
        )
        with self._state.write() as session:
            if not exports.add_export(session, new, MOST_UNFINISHED):
                raise InvalidInput(
                    f"{MOST_UNFINISHED} of your exports are still being written.",
                    hint="Wait until one of them is ready.",
                )
            subject = Subject("export", new.export_id, new.file_name)
            audit.record(session, viewer, Action.EXPORTED, subject, now, {"what": what})
        return new

    def list_mine(self, viewer: Viewer) -> list[Export]:
        """Return the viewer's latest exports, newest first."""
        with self._state.read() as session:
            return exports.list_exports(session, viewer.user_id, SHOWN)

    def fetch(self, viewer: Viewer, export_id: str, now: datetime) -> Download:
        """
        Return the file of a Ready export.

        Raises: NotFound: somebody else's, not written, over, or it shows what the viewer may not see any more.
        """
        with self._state.read() as session:
            found = exports.find_export(session, export_id)
        path = self._path(export_id)
        if (
            found is None
            or found.user_id != viewer.user_id
            or found.status is not ExportStatus.READY
            or found.expires_at <= now
            or not _may_still_have(viewer, found)
            or not path.exists()
        ):
            raise NotFound("There is no such file.", hint="Exports are kept for a limited time. Export it again.")
        return Download(path, found.file_name, found.format)

    def list_waiting(self, now: datetime) -> list[str]:
        """Return the exports a worker should write."""
        with self._state.read() as session:
            return exports.list_waiting(session, now)

    def run(self, export_id: str, clock: Callable[[], datetime]) -> None:
        """Write the export, unless another worker does. What goes wrong is noted for its owner."""
        with self._leases.hold(export_id, clock, exports.lease_export, exports.renew_export) as lease:
            if lease is None:
                return
            with self._state.read() as session:
                found = exports.find_export(session, export_id)
                viewer = users.find_viewer(session, found.user_id) if found else None
            if found is None:
                return
            if viewer is not None:
                account_ids = tuple(sorted(_account_ids(viewer, found)))
                found = replace(found, account_ids=account_ids, shows_numbers=viewer.sees_numbers)
            ended = self._write(found, viewer, lease, clock)
            with self._state.write() as session:
                if not lease.renew(session):
                    # Somebody took it when the lease ran out: who has it now writes the same file, and says how it
                    # ended.
                    return
                exports.record_end(session, ended, lease.owner)
            log.info("export_ended", extra={"export_id": export_id, "status": ended.status, "rows": ended.row_count})

    def _write(self, found: Export, viewer: Viewer | None, lease: Lease, clock: Callable[[], datetime]) -> Export:
        """Write the file and return how the export ended."""
        # Each run has a file of its own: two of them may overlap.
        draft = self._path(found.export_id).with_suffix(f".{lease.owner[-12:]}")
        try:
            row_count = self._fill(draft, found, viewer, lease, clock())
            byte_count = draft.stat().st_size
            draft.replace(self._path(found.export_id))
        except Stopped:
            raise
        except AppError as error:
            return replace(found, status=ExportStatus.FAILED, fault=error.message, hint=error.hint)
        except OSError as error:
            log.exception("export_not_written", extra={"export_id": found.export_id})
            fault = f"The file could not be written: {error.strerror or error}."
            hint = "Make room on the disk of the data folder, then export again."
            return replace(found, status=ExportStatus.FAILED, fault=fault, hint=hint)
        except Exception:
            # A defect of ours: tried again it would fail again, and its owner would wait for ever.
            log.exception("export_failed", extra={"export_id": found.export_id})
            fault, hint = "The file could not be created.", "Ask whoever runs Heliograph: the worker's log says why."
            return replace(found, status=ExportStatus.FAILED, fault=fault, hint=hint)
        finally:
            draft.unlink(missing_ok=True)
        return replace(
            found,
            status=ExportStatus.READY,
            row_count=row_count,
            total_count=row_count,
            byte_count=byte_count,
            expires_at=clock() + self._limits.keep,
        )

    def _fill(self, draft: Path, found: Export, viewer: Viewer | None, lease: Lease, now: datetime) -> int:
        """Write all rows; return how many there are."""
        if viewer is None:
            raise Forbidden("The person who asked for this is no longer active.")
        request = decode(found.request)
        viewer.require(_permission(request))
        contents = contents_of(self._sources, viewer, request, now)
        self._check_size(contents)
        draft.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        row_count = 0
        with open_writer(draft, found.format, contents.layout) as writer:
            for table in contents.tables:
                lease.check()
                writer.write(table)
                row_count += table.num_rows
                with self._state.write() as session:
                    exports.record_progress(session, found.export_id, row_count, contents.row_count)
        return row_count

    def _check_size(self, contents: Contents) -> None:
        if contents.row_count > self._limits.max_rows:
            raise InvalidInput(
                f"That would be {count_of(contents.row_count, 'row', 'rows')}; "
                f"an export has {grouped(self._limits.max_rows)} at most.",
                hint="Choose a shorter period or more filters.",
            )

    def delete_expired(self, now: datetime) -> int:
        """Delete the exports whose time is over, files first, and files of people who have gone; return how many."""
        with self._state.read() as session:
            over = exports.list_expired(session, now)
        for export_id in over:
            for path in self._limits.folder.glob(f"{export_id}*"):
                path.unlink(missing_ok=True)
            with self._state.write() as session:
                exports.delete_export(session, export_id)
        self._sweep()
        return len(over)

    def _sweep(self) -> None:
        # An export goes with its person, and nobody is left to ask for the file. A file is never there before its row.
        found = {path: path.name.partition(".")[0] for path in self._limits.folder.glob("*") if path.is_file()}
        with self._state.read() as session:
            kept = exports.list_kept(session, found.values())
        for path, export_id in found.items():
            if export_id not in kept:
                path.unlink(missing_ok=True)

    def _path(self, export_id: str) -> Path:
        return self._limits.folder / f"{export_id}.export"


def _may_still_have(viewer: Viewer, found: Export) -> bool:
    """Whether the viewer may see today what was written for him or her then."""
    return (
        viewer.may(_permission(decode(found.request)))
        and _account_ids(viewer, found).issuperset(found.account_ids)
        and (viewer.sees_numbers or not found.shows_numbers)
    )


def _account_ids(viewer: Viewer, export: Export) -> frozenset[str]:
    """Return whose messages the viewer may see in it: single ones and their replies, or counts of them."""
    shows_single_ones = isinstance(decode(export.request), MessagesRequest | RepliesRequest)
    return viewer.open_ids if shows_single_ones else viewer.account_ids


def _permission(request: ExportRequest) -> Permission:
    return _KINDS[type(request)].permission
