"""Opening pages as a signed-in person: the real frame over a real application, without a browser."""

import functools
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.imports.lists import DistributionList
from core.domain.people.permissions import Viewer
from core.files.apart import HERE
from core.history.messages.message_store import MessageStore
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from core.state.people.sessions import Browser
from core.web.guard.cookies import SESSION_COOKIE
from pages._ui import tables
from pages._ui.screens.message_history import selecting
from tests.support.fakes.calm import calm
from tests.support.stores.messages import message_table, unsent_table

FRAME = Path(__file__).resolve().parents[3] / "pages" / "_ui" / "frame.py"
PASSWORD = "Correct-horse-1"
# The first run of a process imports plotly and pandas.
TIMEOUT_S = 30
# Each AppTest looks through all installed packages for components of theirs.
find_components = functools.cache(manifest_scanner.scan_component_manifests)


@dataclass
class House:
    """An application with its first account, and the person who looks at it."""

    app: App
    cookies: dict[str, str] = field(default_factory=dict)

    def sign_in(self, preset: str = "Administrator") -> Viewer:
        """Add a person with this preset to the first account and let the pages be his or hers."""
        now = datetime.now(UTC)
        email = f"{preset.lower().replace(' ', '.')}@example.org"
        accounts = ("simulator",) if self.cookies else ()
        viewer = self.app.people.adding.add(NewPerson("Ada Lovelace", email, PASSWORD, preset, accounts), now)
        self.cookies[SESSION_COOKIE] = self.app.people.signing_in.sign_in(email, PASSWORD, Browser("127.0.0.1"), now)
        return viewer

    def open(self, stem: str, **query: str) -> AppTest:
        """Open a page. Raises: ValueError: the person may not, so the frame knows no such page."""
        at = AppTest.from_file(str(FRAME), default_timeout=TIMEOUT_S)
        for name, value in query.items():
            at.query_params[name] = value
        if stem == "dashboard":
            return at.run()
        # AppTest learns of the pages from a run of the frame, which need not draw the one it begins with.
        with patch("streamlit.navigation.page.StreamlitPage.run", new=lambda _: None):
            at.run()
        at.switch_page(f"../{stem}.py")
        for name, value in query.items():
            at.query_params[name] = value
        return at.run()

    def open_directly(self, stem: str) -> AppTest:
        """Run a page without the frame, as a fragment or a mistake in the navigation would."""
        return AppTest.from_file(str(FRAME.parents[1] / f"{stem}.py"), default_timeout=TIMEOUT_S).run()

    def upload(self, viewer: Viewer, name: str, content: bytes, *, imported: bool = True) -> DistributionList:
        """Upload a CSV file as a list, and import it as the worker would."""
        (account,) = self.app.accounts.managing.list_accounts(viewer)
        upload = Upload(account.account_id, name, "contacts.csv")
        new = self.app.lists.upload(viewer, upload, io.BytesIO(content), datetime.now(UTC))
        if imported:
            self.work(new.list_id)
        return self.app.lists.get(viewer, new.list_id)

    def work(self, list_id: str) -> None:
        """Import a waiting list, as the worker would."""
        self.app.lists.run(list_id, lambda: datetime.now(UTC))

    def record(self, messages: Iterable[dict[str, Any]], batch_id: str = "batch-1") -> None:
        """Put messages (`tests.support.stores.messages.make_message`) into the history."""
        store = MessageStore(self.app.lake)
        store.append_batch(batch_id, "campaign-1", message_table(*messages), unsent_table(), datetime.now(UTC))


@contextmanager
def house(data_dir: Path, **settings: Any) -> Iterator[House]:
    """Build an application in *data_dir* and let every page see it; nobody is signed in yet. All is delivered."""
    app = build_app(Settings(data_dir=data_dir, **settings), HERE)
    app.state.migrate()
    calm(app)
    found = House(app)
    with (
        patch("pages._ui.session.shared_app", new=lambda: app),
        patch("streamlit.runtime.context.ContextProxy.cookies", new=found.cookies),
        patch("streamlit.runtime.context.ContextProxy.ip_address", new="192.0.2.1"),
        patch.object(manifest_scanner, "scan_component_manifests", new=find_components),
    ):
        yield found
    app.close()


@contextmanager
def clicking(action: str, row: int) -> Iterator[None]:
    """Let the next run find a click on the action of a row: AppTest cannot press the buttons inside a table."""
    clicks = [tables.Click(action, row)]
    with patch("pages._ui.tables._find_click", new=lambda *_: clicks.pop() if clicks else None):
        yield


@contextmanager
def choosing(rows: Sequence[int]) -> Iterator[None]:
    """
    Let the first run after a table is drawn find these rows checked, and later tables as they began.

    AppTest cannot check the boxes inside a table.
    """
    chosen: dict[str, list[int]] = {}

    def list_chosen(key: str) -> list[int]:
        if not chosen:
            chosen[key] = list(rows)
        return chosen.setdefault(key, _began())

    with patch("pages._ui.tables.list_chosen", new=list_chosen):
        yield


def _began() -> list[int]:
    return list(selecting.current().began)


def place_of(at: AppTest, element: Element) -> tuple[int, ...]:
    """Return where on the page it stands: how many elements come before it in each block that it is within."""

    def find(block: Block) -> tuple[int, ...] | None:
        for number, child in block.children.items():
            if child is element:
                return (number,)
            if isinstance(child, Block) and (rest := find(child)) is not None:
                return (number, *rest)
        return None

    found = find(at.main)
    assert found is not None, f"{element} is not on the page"
    return found
