"""
Deciding: what is judged once more in the transaction that lets a campaign send.

Between a look and a click a person may lose a permission, and an account may be deactivated or given another budget.
Whoever lets something be sent asks here, and holds the account until the decision is written. It is locked before the
campaign, as by whoever deactivates it.
"""

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account, require_sending
from core.domain.people.permissions import Permission, Viewer
from core.errors import Forbidden
from core.state.accounts import accounts
from core.state.people import users


def decide_sender(session: Session, viewer: Viewer, permission: Permission, account_id: str) -> Account:
    """
    Return the account, locked until the transaction ends, if the viewer still has the *permission* to send with it.

    Raises: Forbidden: the person or the account may not send, or not any more. NotFound: not the viewer's account.
    """
    viewer.require(permission)
    viewer.require_account(account_id, "account")
    account = accounts.lock_account(session, account_id)
    require_sending(account)
    require_still(session, viewer, permission, account)
    return account


def require_still(session: Session, viewer: Viewer, permission: Permission, account: Account) -> None:
    """Raise Forbidden unless the viewer has the *permission* with the account as the store knows it this moment."""
    if permission not in users.find_permissions(session, viewer.user_id, account.account_id):
        raise Forbidden(
            f"You may no longer send with the account {account.display_name}.",
            hint="Your permissions were changed a moment ago. Ask whoever manages users.",
        )
