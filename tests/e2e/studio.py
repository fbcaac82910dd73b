"""One installation for the tests of the campaign screens: two accounts, lists and drafts as a test needs them."""

import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import update

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import Campaign, CampaignDraft
from core.domain.imports.lists import ListStatus
from core.domain.people.permissions import Viewer
from core.services.accounts.encryption import make_key
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from core.state.accounts import accounts
from core.state.tables.people_models import UserRow
from tests.e2e.driver import EMAIL, PASSWORD, enter
from tests.support.processes.installation import Installation, installation

# Its clocks skip an hour in March.
ZONE = "Europe/Berlin"
PRICE_CENTS = Decimal(5)
SLOW_TPS = 40
HEAD_PX, ROW_PX, EYE_PX, CLONE_PX = 36, 40, 28, 84
PATIENCE_S = 60


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Studio:
    """A running installation, its person, a fast account ("Simulator") and one that sends `SLOW_TPS` ("Slow lane")."""

    running: Installation
    viewer: Viewer
    fast: Account
    slow: Account

    @property
    def url(self) -> str:
        return self.running.url

    def enter(self, page: Page) -> None:
        enter(page, self.running)

    def upload(self, name: str, rows: str, account: Account | None = None) -> str:
        """Upload *rows* ("PhoneNumber,FirstName"), wait for the worker to import them, and return the list's id."""
        (list_id,) = self.upload_all({name: rows}, account)
        return list_id

    def upload_all(self, contents: Mapping[str, str], account: Account | None = None) -> list[str]:
        """Upload several lists by name, which the worker imports side by side; return their ids."""
        importing = self.running.app.lists
        list_ids = []
        for name, rows in contents.items():
            upload = Upload((account or self.fast).account_id, name, "contacts.csv")
            new = importing.upload(self.viewer, upload, io.BytesIO(f"PhoneNumber,FirstName\n{rows}".encode()), now())
            list_ids.append(new.list_id)
        for list_id in list_ids:
            until(lambda list_id=list_id: importing.get(self.viewer, list_id).status is ListStatus.READY)
        return list_ids

    def draft(self, name: str, list_ids: tuple[str, ...] = (), **overrides: object) -> Campaign:
        facts = {
            "account_id": self.fast.account_id,
            "name": name,
            "sender_id": "HELIOGRAPH",
            "list_ids": list_ids,
            "message": "Doors open at 8.",
        }
        return self.running.app.campaigns.composing.save(self.viewer, CampaignDraft(**(facts | overrides)), now())

    def get(self, campaign: Campaign) -> Campaign:
        return self.running.app.campaigns.composing.get(self.viewer, campaign.campaign_id)

    def set_budget(self, cents: Decimal | None) -> None:
        with self.running.app.state.write() as session:
            accounts.set_budget(session, self.fast.account_id, cents)


@contextmanager
def studio_in(data_dir: Path) -> Iterator[Studio]:
    """Run a studio; a small *sub_window* lets a pause take effect soon at a slow rate."""
    with installation(data_dir, simulator_speed="1000", sub_window="10", secret_key=make_key()) as running:
        app = running.app
        viewer = app.people.adding.add(NewPerson("Ada Lovelace", EMAIL, PASSWORD), now())
        (fast,) = app.accounts.managing.list_sending(viewer)
        facts = ("slow", "Slow lane", AccountType.CAMPAIGN, AccountStatus.ACTIVE, fast.gateway, SLOW_TPS)
        slow = app.accounts.managing.open_account(Account("", *facts), [Price("", "", PRICE_CENTS)], now())
        app.accounts.managing.join(viewer.user_id, slow.account_id)
        with app.state.write() as session:
            session.execute(update(UserRow).values(time_zone=ZONE))
        yield Studio(running, app.people.adding.get_viewer(), fast, slow)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def people(count: int, first: int, name: str = "Beau") -> str:
    """Return rows of that many people with numbers from *first* on."""
    return "".join(f"49179{number},{name}\n" for number in range(first, first + count))


def number(offset: int) -> str:
    """Return one of the numbers of `people`, as it is stored."""
    return f"+49179{offset}"


def cells(page: Page, pattern: str) -> Locator:
    """Return the cells that match in the last table of the page, row by row."""
    return (
        page.get_by_test_id("stDataFrame")
        .last.locator("canvas table [role=gridcell]")
        .filter(has_text=re.compile(pattern))
    )


def click_row(page: Page, row: int, x: int) -> None:
    """Click into a row of the last table, counted from 0: it is drawn on a canvas."""
    expect(cells(page, ".").first).to_be_attached()
    box = page.get_by_test_id("stDataFrame").last.bounding_box()
    page.mouse.click(box["x"] + x, box["y"] + HEAD_PX + row * ROW_PX + ROW_PX // 2)


def finding(page: Page, text: str) -> Locator:
    """Return the finding of a preflight that says *text*, with its button."""
    return page.get_by_test_id("stVerticalBlock").filter(has=page.get_by_test_id("stAlert").filter(has_text=text)).last
