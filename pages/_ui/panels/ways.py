"""The way a campaign goes: from which account, and through which gateway."""

from core.domain.accounts.accounts import Account
from pages._ui import formats


def gateways(account: Account, tested: str = "") -> str:
    """Return the gateway, and the one that takes its place; a test of one, *tested*, goes by that whatever happens."""
    if tested or not account.fallback_gateway:
        return tested or account.gateway or formats.NOTHING
    return f"{account.gateway}, otherwise {account.fallback_gateway}"


def sentence(account: Account) -> str:
    """Return it as a sentence, in Markdown."""
    named, first = formats.plain(account.display_name), formats.plain(account.gateway or formats.NOTHING)
    said = f"Goes from the account **{named}** through the gateway **{first}**"
    if account.fallback_gateway:
        said += f", or through **{formats.plain(account.fallback_gateway)}** where that one does not take it"
    return f"{said}."
