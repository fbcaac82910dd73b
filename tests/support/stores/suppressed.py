"""All suppressed numbers of an account: the product never asks for all of them at once."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.state.suppressions.numbers import to_msisdn
from core.state.suppressions.suppressions import is_scope_of
from core.state.tables.suppression_models import SuppressionRow, SuppressionScopeRow


def list_suppressed(session: Session, account_id: str) -> list[str]:
    """Return the account's own, or those of all accounts for "", each once, in order."""
    scopes = select(SuppressionScopeRow.scope_no).where(is_scope_of(account_id))
    asked = select(SuppressionRow.number).where(SuppressionRow.scope_no.in_(scopes)).distinct()
    return [to_msisdn(number) for number in session.scalars(asked.order_by(SuppressionRow.number))]
