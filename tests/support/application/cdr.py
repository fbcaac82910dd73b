"""Files of outside traffic, and accounts they are imported for."""

import io
from datetime import datetime, timedelta

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.imports.cdr import TrafficImport
from core.domain.people.permissions import Viewer
from core.services.traffic.importing_traffic import TrafficUpload
from tests.support.application.house import House

HEADER = "msg_id,submit_date,msisdn,from,dlr_status,done_date,err,price_eurc,parts"
START = datetime(2026, 2, 10, 8, 0)


def line(number: int, status: str = "ENROUTE", *, key: str | None = None, sent: datetime | None = None) -> str:
    """Return a record: message *number* was sent *number* seconds after START, and took five to be final."""
    sent = sent or START + timedelta(seconds=number)
    done = "" if status == "ENROUTE" else f"{sent + timedelta(seconds=5)}"
    error = "27" if status == "UNDELIV" else ""
    key = f"id-{number}" if key is None else key
    return f"{key},{sent},49179{6_000_000 + number},ACME,{status},{done},{error},7.5,1"


def csv(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def records(count: int, status: str = "ENROUTE", first: int = 0) -> bytes:
    return csv(*(line(number, status) for number in range(first, first + count)))


def open_outside(
    house: House, name: str = "booking", kind: AccountType = AccountType.HTTP, status: AccountStatus | None = None
) -> Account:
    """Add an account that sends outside the tool, and let the house's person work with it."""
    account = Account("", name, name.title(), kind, status or AccountStatus.ACTIVE, "", 100)
    opened = house.app.accounts.managing.open_account(account, [], house.now)
    house.app.accounts.managing.join(house.viewer.user_id, opened.account_id)
    house.viewer = house.app.people.adding.get_viewer(house.viewer.email)
    return opened


def upload(
    house: House, account: Account, content: bytes, file_name: str = "cdr.csv", viewer: Viewer | None = None
) -> TrafficImport:
    wanted = TrafficUpload(account.account_id, file_name)
    return house.app.traffic.upload(viewer or house.viewer, wanted, io.BytesIO(content), house.now)


def begin(house: House, account: Account, content: bytes, file_name: str = "cdr.csv") -> TrafficImport:
    """Upload a file and begin its import as proposed."""
    traffic = house.app.traffic
    found = upload(house, account, content, file_name)
    return traffic.begin(house.viewer, found.import_id, traffic.propose(house.viewer, found.import_id).mapping)


def imported(house: House, account: Account, content: bytes, file_name: str = "cdr.csv") -> TrafficImport:
    """Import a file to its end; return how it ended."""
    found = begin(house, account, content, file_name)
    house.app.traffic.run(found.import_id, house.clock)
    return house.app.traffic.get(house.viewer, found.import_id)
