"""What Streamlit keeps in memory for the pages that are open: whose they are, their uploads, the files they show."""

from collections import OrderedDict
from threading import Lock
from typing import Any

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

# More than are open at a time by far; those that are closed are forgotten first.
_MOST = 2_000


class StreamlitPages:
    """The web room's `OpenPages`, over Streamlit's runtime."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._owners: OrderedDict[str, str] = OrderedDict()
        # A page that is drawn anew shows nothing for a moment, which is when a click on a download fetches it.
        self._fetched: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note(self, user_id: str) -> None:
        """Remember that the page that is drawn now is this person's."""
        context = get_script_run_ctx()
        if context is None:
            return
        with self._lock:
            self._owners[context.session_id] = user_id
            self._owners.move_to_end(context.session_id)
            if len(self._owners) > _MOST:
                self._owners.popitem(last=False)

    def done_with(self, file: Any) -> None:
        """Let go of an upload that was taken: Streamlit keeps it until its page is closed."""
        context = get_script_run_ctx()
        kept = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
        if context is not None and isinstance(kept, MemoryUploadedFileManager):
            kept.remove_file(context.session_id, file.file_id)

    def is_open(self, session_id: str) -> bool:
        """Return whether the page's browser is connected."""
        return runtime.exists() and runtime.get_instance().is_active_session(session_id)

    def is_open_to(self, user_id: str, session_id: str) -> bool:
        """Return whether the page is this person's, or nobody's that is known."""
        with self._lock:
            return self._owners.get(session_id, user_id) == user_id

    def holds(self, session_id: str, file_id: str) -> bool:
        """Return whether this upload is in memory."""
        return runtime.exists() and bool(runtime.get_instance().uploaded_file_mgr.get_files(session_id, [file_id]))

    def let_go(self, session_id: str) -> None:
        """Forget all uploads of the page."""
        if runtime.exists():
            runtime.get_instance().uploaded_file_mgr.remove_session_files(session_id)

    def may_fetch(self, user_id: str, file_id: str) -> bool:
        """Return whether this file, of `/media/`, is on a page of the person's, or on nobody's at this moment."""
        showing = _showing(file_id)
        with self._lock:
            is_mine = user_id in {self._owners.get(session_id) for session_id in showing}
            if is_mine:
                self._fetched[user_id, file_id] = None
                if len(self._fetched) > _MOST:
                    self._fetched.popitem(last=False)
            return is_mine or not showing or (user_id, file_id) in self._fetched


def _showing(file_id: str) -> list[str]:
    """Return the sessions on whose pages the file is."""
    if not runtime.exists():
        return []
    manager = runtime.get_instance().media_file_mgr
    # Streamlit has no question for this; `test_open_pages.py` fails when it moves.
    with manager._lock:  # noqa: SLF001
        by_session = manager._files_by_session_and_coord  # noqa: SLF001
        return [session_id for session_id, files in by_session.items() if file_id in files.values()]


open_pages = StreamlitPages()
