"""An application in a folder of its own, with a clock that stands still until it is told to go on."""

import io
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.bootstrap import App, build_app
from core.config import Settings
from core.domain.accounts.accounts import Account
from core.domain.campaigns.campaigns import Campaign, CampaignDraft
from core.domain.imports.lists import DistributionList
from core.domain.people.permissions import Viewer
from core.domain.times.periods import Period
from core.files.apart import HERE
from core.gateways.simulator.gateway import SimulatorGateway
from core.services.lists.importing_lists import Upload
from core.services.people.adding_people import NewPerson
from tests.support.fakes.calm import calm

PASSWORD = "Heliograph-test-1"
# Everything a campaign can become is over by then, whatever the simulator's delays.
MONTH = timedelta(days=30)


@dataclass
class House:
    """*app* with its first person; `now` moves only by `wait`."""

    app: App
    viewer: Viewer
    now: datetime = field(default_factory=lambda: datetime(2026, 3, 1, 12, 0, tzinfo=UTC))

    def clock(self) -> datetime:
        return self.now

    def wait(self, delta: timedelta) -> None:
        self.now += delta

    @property
    def account(self) -> Account:
        return self.app.accounts.managing.list_sending(self.viewer)[0]

    @property
    def simulator(self) -> SimulatorGateway:
        return self.app.accounts.gateways.get("simulator").gateway

    def upload(self, content: bytes | str, name: str = "Guests", file_name: str = "guests.csv") -> DistributionList:
        """Upload and import a file; return the list as it ends up."""
        data = content.encode() if isinstance(content, str) else content
        upload = Upload(self.account.account_id, name, file_name)
        new = self.app.lists.upload(self.viewer, upload, io.BytesIO(data), self.now)
        self.app.lists.run(new.list_id, self.clock)
        return self.app.lists.get(self.viewer, new.list_id)

    def draft(self, list_id: str = "", **overrides: object) -> CampaignDraft:
        facts = {
            "account_id": self.account.account_id,
            "name": "Spring greeting",
            "sender_id": "HELIOGRAPH",
            "list_ids": (list_id,) if list_id else (),
            "message": "Hello {FirstName}",
            "placeholders": {"FirstName": "FirstName"},
        }
        return CampaignDraft(**(facts | overrides))

    def launch(self, list_id: str, **overrides: object) -> Campaign:
        """Write, save and launch a campaign; freezing and sending are left to `app.work`."""
        saved = self.app.campaigns.composing.save(self.viewer, self.draft(list_id, **overrides), self.now)
        return self.app.campaigns.launching.launch(self.viewer, saved.campaign_id, self.now)

    def campaign(self, campaign_id: str) -> Campaign:
        return self.app.campaigns.composing.get(self.viewer, campaign_id)

    def everything(self) -> Period:
        """Return a period that holds all there is."""
        return Period(self.now - MONTH, self.now + MONTH)


def contacts(count: int, first: int = 6_000_000) -> str:
    """Return a CSV file of that many people."""
    rows = "".join(f"49179{first + number},Beau {number},London\n" for number in range(count))
    return f"PhoneNumber,FirstName,City\n{rows}"


def make_house(data_dir: Path, *, lifelike: bool = False, **settings: object) -> House:
    """
    Build and prepare the application; the caller closes `app`.

    Its gateway takes and delivers everything, unless *lifelike*: then it refuses, loses and delays as chance has it.
    """
    app = _open(data_dir, lifelike=lifelike, **settings)
    viewer = app.people.adding.add(
        NewPerson("Ada Lovelace", "ada@example.com", PASSWORD), datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    )
    return House(app, viewer)


def copy_house(house: House, data_dir: Path) -> House:
    """Build another like a calm *house* that has been closed, with all that is in it; the caller closes `app`."""
    shutil.copytree(house.app.settings.data_dir, data_dir)
    return House(_open(data_dir, lifelike=False), house.viewer, house.now)


def _open(data_dir: Path, *, lifelike: bool, **settings: object) -> App:
    facts = {"data_dir": data_dir, "default_rate_tps": 1_000_000, "duckdb_memory_mib": 512}
    app = build_app(Settings(**(facts | settings)), HERE)
    app.state.migrate()
    if not lifelike:
        calm(app)
    return app
