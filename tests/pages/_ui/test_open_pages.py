"""What Streamlit itself keeps for open pages, and that it is asked in the right way."""

from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pages._ui.open_pages import StreamlitPages


class Server:
    """Streamlit's own stores, and whoever is drawn at the moment."""

    def __init__(self) -> None:
        self.uploaded_file_mgr = MemoryUploadedFileManager("/_stcore/upload_file")
        self.media_file_mgr = MediaFileManager(MemoryMediaFileStorage("/media"))
        self.open: set[str] = set()
        self.drawn = SimpleNamespace(session_id="")

    def is_active_session(self, session_id: str) -> bool:
        return session_id in self.open

    def draw(self, pages: StreamlitPages, session_id: str, user_id: str, *files: bytes) -> list[str]:
        """Draw a page that shows *files*; return their ids."""
        self.drawn.session_id = session_id
        self.open.add(session_id)
        self.media_file_mgr.clear_session_refs(session_id)
        pages.note(user_id)
        urls = [self.media_file_mgr.add(each, "image/png", f"{number}") for number, each in enumerate(files)]
        self.media_file_mgr.remove_orphaned_files()
        return [url.removeprefix("/media/").partition(".")[0] for url in urls]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    with (
        patch("streamlit.runtime.exists", return_value=True),
        patch("streamlit.runtime.get_instance", return_value=found),
        patch("pages._ui.open_pages.get_script_run_ctx", return_value=found.drawn),
        patch("streamlit.runtime.media_file_manager._get_session_id", new=lambda: found.drawn.session_id),
    ):
        yield found


def test_a_file_goes_to_whose_page_shows_it(server: Server) -> None:
    pages = StreamlitPages()
    (picture,) = server.draw(pages, "a", "ada", b"picture")
    assert pages.may_fetch("ada", picture)
    assert not pages.may_fetch("ben", picture)
    server.draw(pages, "b", "ben", b"picture")
    assert pages.may_fetch("ben", picture)


def test_a_page_belongs_to_whom_it_was_drawn_for_last(server: Server) -> None:
    pages = StreamlitPages()
    assert pages.is_open_to("ben", "a")
    server.draw(pages, "a", "ada")
    assert [pages.is_open_to(name, "a") for name in ("ada", "ben")] == [True, False]
    server.draw(pages, "a", "ben")
    assert [pages.is_open_to(name, "a") for name in ("ada", "ben")] == [False, True]


def test_a_download_that_is_clicked_while_its_page_is_drawn_anew_is_fetched(server: Server) -> None:
    pages = StreamlitPages()
    (mine,) = server.draw(pages, "a", "ada", b"rows")
    server.media_file_mgr.clear_session_refs("a")
    assert pages.may_fetch("ada", mine)


def test_uploads_are_held_until_they_are_let_go(server: Server) -> None:
    # Streamlit itself: a page that is closed is kept for two minutes, and dropped with its files when the next is kept.
    pages, kept = StreamlitPages(), server.uploaded_file_mgr
    server.draw(pages, "a", "ada")
    for name in ("1", "2", "3"):
        kept.add_file("a", UploadedFileRec(name, "x.csv", "text/csv", b"x"))
    assert pages.holds("a", "1")
    pages.done_with(SimpleNamespace(file_id="1"))
    assert [pages.holds("a", name) for name in ("1", "2")] == [False, True]
    server.open.clear()
    assert not pages.is_open("a")
    pages.let_go("a")
    assert not [name for name in ("1", "2", "3") if pages.holds("a", name)]


def test_streamlit_drops_what_is_left_behind_only_when_another_page_is_closed() -> None:
    # When this fails, Streamlit has learned to do it in time; ours may go then.
    storage, dropped = MemorySessionStorage(ttl_seconds=0), []

    class Session:
        id = "a"

        def __del__(self) -> None:
            dropped.append(self.id)

    storage.save(SimpleNamespace(session=Session()))
    assert storage.get("a") is None
    assert dropped == []
    storage.save(SimpleNamespace(session=SimpleNamespace(id="b")))
    assert dropped == ["a"]


def test_without_a_server_nothing_is_open() -> None:
    pages = StreamlitPages()
    pages.note("ada")
    pages.done_with(SimpleNamespace(file_id="1"))
    pages.let_go("a")
    assert not pages.is_open("a")
    assert not pages.holds("a", "1")
    assert pages.may_fetch("ada", "x")
