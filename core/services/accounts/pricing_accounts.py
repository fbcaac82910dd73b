"""Pricing: the price lists of a Campaign account, from file to the day they count."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from core.domain.accounts.accounts import Account, AccountType
from core.domain.accounts.price_lists import PriceList, ReadPrices
from core.domain.accounts.pricing import Price
from core.domain.imports.cdr import PriceUnit
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, Subject
from core.domain.words.counting import count_of
from core.errors import Conflict, InvalidInput
from core.files.imports.price_lists import write_price_list
from core.files.stored_uploads import store_upload
from core.identifiers import new_id
from core.services.accounts.managing_accounts import require_administrator
from core.state.accounts import accounts
from core.state.engine.store import State
from core.state.reports import audit

log = logging.getLogger(__name__)

# A price list of every network of the world takes a tenth of it.
MAX_BYTES = 1 << 20
ReadFile = Callable[[Path, PriceUnit | None], ReadPrices]


@dataclass(frozen=True)
class PriceUpload:
    """
    What is asked for besides the file.

    *valid_from* is a day of UTC. *unit* is for a header that does not say it. *replaces* says that a list of the same
    day may go.
    """

    valid_from: date
    unit: PriceUnit | None = None
    replaces: bool = False


class PricingAccounts:
    """A list is never changed, only replaced on its own day: what was launched before it keeps the older one."""

    def __init__(self, state: State, uploads_dir: Path, read: ReadFile) -> None:
        """Take the store, where a file lies while it is read, and who reads it."""
        self._state = state
        self._uploads_dir = uploads_dir
        self._read = read

    def list_lists(self, viewer: Viewer, account_id: str, now: datetime) -> tuple[PriceList, ...]:
        """Return the account's price lists, newest first. Raises: Forbidden: not an administrator. NotFound."""
        require_administrator(viewer)
        today = now.astimezone(UTC).date()
        with self._state.read() as session:
            accounts.get_account(session, account_id)
            found = accounts.list_price_lists(session, account_id)
        current = max((day for day, _ in found if day <= today), default=None)
        return tuple(PriceList(day, count, day == current) for day, count in found)

    def get_prices(self, viewer: Viewer, account_id: str, valid_from: date) -> tuple[Price, ...]:
        """Return the prices of the list of that day. Raises: Forbidden, NotFound."""
        require_administrator(viewer)
        with self._state.read() as session:
            return accounts.get_price_list(session, account_id, valid_from)

    def download(self, viewer: Viewer, account_id: str, valid_from: date) -> bytes:
        """Return the list of that day as CSV, as `import_list` reads it. Raises: Forbidden, NotFound."""
        return write_price_list(self.get_prices(viewer, account_id, valid_from))

    def preview(self, viewer: Viewer, account_id: str, content: BinaryIO, unit: PriceUnit | None) -> ReadPrices:
        """
        Return what the file holds, and what is wrong with it; nothing is kept.

        Raises: Forbidden, NotFound. InvalidInput, InvalidFile: it cannot be read at all; with the *field*.
        """
        require_administrator(viewer)
        with self._state.read() as session:
            _require_sending(accounts.get_account(session, account_id))
        with self._stored(content) as path:
            return self._read(path, unit)

    def import_list(
        self, viewer: Viewer, account_id: str, upload: PriceUpload, content: BinaryIO, now: datetime
    ) -> PriceList:
        """
        Keep the file's prices as the list that counts from its day on; all of them, or nothing.

        Raises: Forbidden, NotFound. InvalidInput, InvalidFile: the day has passed, or the file has any fault; with the
            *field*. Conflict: there is a list of that day, and *upload* does not replace it.
        """
        found = self.preview(viewer, account_id, content, upload.unit)
        if found.faults:
            first, others = found.faults[0], len(found.faults) - 1
            rest = f" {count_of(others, 'more row has', 'more rows have')} faults." if others else ""
            raise InvalidInput(
                f"Row {first.row_no}: {first.problem}{rest}",
                hint="Nothing was imported. Correct the file and upload it again.",
                field="file",
            )
        today = now.astimezone(UTC).date()
        if upload.valid_from < today:
            raise InvalidInput(
                f"{upload.valid_from:%d/%m/%Y} has passed.",
                hint="A list applies from today (UTC) or later.",
                field="day",
            )
        with self._state.write() as session:
            account = accounts.lock_account(session, account_id)
            known = accounts.list_price_lists(session, account_id)
            if upload.valid_from in dict(known) and not upload.replaces:
                raise Conflict(
                    f"There is already a price list for {upload.valid_from:%d/%m/%Y}.",
                    hint="Replace it, or choose another day.",
                )
            accounts.replace_prices(session, account_id, found.prices, upload.valid_from)
            details = {"from": f"{upload.valid_from}", "prices": str(len(found.prices))}
            subject = Subject("account", account_id, account.display_name)
            audit.record(session, viewer, Action.PRICES_IMPORTED, subject, now, details)
        log.info("prices_imported", extra={"account_id": account_id, "prices": len(found.prices)})
        return PriceList(upload.valid_from, len(found.prices), is_current=upload.valid_from == today)

    @contextmanager
    def _stored(self, content: BinaryIO) -> Iterator[Path]:
        path = self._uploads_dir / f"prices-{new_id()}"
        try:
            store_upload(content, path, MAX_BYTES)
            yield path
        finally:
            path.unlink(missing_ok=True)


def _require_sending(account: Account) -> None:
    if account.account_type is not AccountType.CAMPAIGN:
        raise InvalidInput(
            f"{account.display_name} sends outside the tool.", hint="Only Campaign accounts have price lists."
        )
