"""Files that nobody asks for any more: what was uploaded, rows that were rejected, mails that no server took."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import StorageError
from core.state.engine.store import State
from core.state.imports import uploads

# Whoever writes a file adds its row a moment later, and a run that was killed leaves a draft behind.
UNKNOWN_AFTER = timedelta(days=1)
# No link in a mail works for longer, unless a setting says so.
MAILS_AFTER = timedelta(days=30)


class FileForgetting:
    """Deletes files of the data folder."""

    def __init__(self, state: State, uploads_dir: Path, outbox_dir: Path, keep: timedelta) -> None:
        """Take the store that knows them, where they are, and how long rejected rows are kept."""
        self._state = state
        self._uploads_dir = uploads_dir
        self._outbox_dir = outbox_dir
        self._keep = keep

    def forget_uploads(self, now: datetime) -> int:
        """
        Delete rejected rows whose time is over, and files that no list and no import has; return how many.

        A file is named after what it belongs to. What is being read, or waits for it, keeps all its files.
        """
        paths = _list_files(self._uploads_dir)
        owners = {path: path.name.partition(".")[0] for path in paths}
        with self._state.read() as session:
            known = uploads.list_owners(session, set(owners.values()))
        count = 0
        for path, owner_id in owners.items():
            owner = known.get(owner_id)
            if owner is None:
                over = _written_at(path) < now - UNKNOWN_AFTER
            else:
                over = not owner.is_open and owner.ended_at < now - self._keep
            count += over and _delete(path)
        return count

    def forget_mails(self, now: datetime) -> int:
        """Delete the mails in the outbox that are old; return how many."""
        old = [path for path in _list_files(self._outbox_dir) if _written_at(path) < now - MAILS_AFTER]
        return sum(map(_delete, old))


def _list_files(folder: Path) -> Iterable[Path]:
    return [path for path in folder.glob("*") if path.is_file()]


def _written_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        # Gone since it was listed: nothing is old about it.
        return datetime.max.replace(tzinfo=UTC)


def _delete(path: Path) -> bool:
    """Delete the file; False when somebody else was faster. Raises: StorageError: it cannot be deleted."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(
            f"{path} cannot be deleted: {error.strerror}.", hint="Let Heliograph write to its data folder."
        ) from error
    return True
