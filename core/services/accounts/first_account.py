"""The account a fresh installation starts with, so that a first campaign can be sent at once."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account, AccountStatus, AccountType
from core.domain.accounts.pricing import Price
from core.domain.gateways.gateways import SIMULATOR
from core.identifiers import new_id
from core.state.accounts import accounts
from core.state.people import users

# The simulator's list price: one for everywhere, since nobody is billed.
PRICES = (Price("", "", Decimal("5.0000")),)


def open_first_account(session: Session, user_id: str, rate_tps: int, now: datetime) -> None:
    """Open a Campaign account on the simulator gateway for the first person; *rate_tps* is segments per second."""
    account = Account(
        account_id=new_id(),
        name="simulator",
        display_name="Simulator",
        account_type=AccountType.CAMPAIGN,
        status=AccountStatus.ACTIVE,
        gateway=SIMULATOR,
        rate_tps=rate_tps,
    )
    accounts.add_account(session, account, now)
    accounts.set_prices(session, account.account_id, PRICES)
    users.add_membership(session, user_id, account.account_id)
