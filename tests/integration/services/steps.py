"""What campaigns go through in these tests, and what the stores then hold of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from threading import Barrier

from core.domain.accounts.pricing import Price
from core.domain.campaigns.campaigns import Campaign
from core.domain.messages.messages import OutboundMessage, SubmitResult
from core.state.accounts import accounts
from core.state.campaigns import ledger
from core.state.suppressions import suppressions
from tests.support.application.factories import make_origin
from tests.support.application.house import House

PATIENCE_S = 60


def price(house: House, cents: str = "5", country: str = "", mccmnc: str = "") -> None:
    with house.app.state.write() as session:
        accounts.set_prices(session, house.account.account_id, [Price(country, mccmnc, Decimal(cents))])


def set_budget(house: House, cents: str | None) -> None:
    with house.app.state.write() as session:
        budget = None if cents is None else Decimal(cents)
        accounts.set_budget(session, house.account.account_id, budget)


def suppress(house: House, *numbers: str) -> None:
    with house.app.state.write() as session:
        suppressions.add_suppressions(session, house.account.account_id, numbers, make_origin(created_at=house.now))


def save(house: House, list_id: str, **overrides: object) -> Campaign:
    return house.app.campaigns.composing.save(house.viewer, house.draft(list_id, **overrides), house.now)


def launch(house: House, campaign: Campaign, fingerprint: str = "") -> Campaign:
    return house.app.campaigns.launching.launch(house.viewer, campaign.campaign_id, house.now, fingerprint)


def work(house: House) -> None:
    house.app.work.run_until_idle(house.clock)


def at_submit(house: House, action: Callable[[], object], turn: int = 1) -> None:
    """Let *action* happen while the sub-window of this *turn* is on its way to the gateway."""
    gateway = house.simulator
    submit = gateway.submit
    turns = []

    def interrupted(messages: list[OutboundMessage], now: datetime, *rest: object) -> list[SubmitResult]:
        turns.append(1)
        if len(turns) == turn:
            action()
        return submit(messages, now, *rest)

    gateway.submit = interrupted


def at_once(actions: list[Callable[[], object]]) -> list[object]:
    """Do all of it in threads that start together; return what each returned or raised."""
    together = Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        together.wait(PATIENCE_S)
        try:
            return action()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def receivers(house: House) -> list[str]:
    """Return who was sent something, as the gateway has it, with whoever was sent to twice standing there twice."""
    return sorted(accepted.msisdn for accepted in house.simulator.journal.list_accepted())


def billed(house: House, campaign_id: str) -> Decimal:
    return _ask(house, "SELECT coalesce(sum(price_eur_cents), 0) FROM lake.messages WHERE campaign_id = ?", campaign_id)


def announced(house: House, campaign_id: str, outcome: str) -> Decimal:
    """Return the price in the frozen audience of all that ended as *outcome*."""
    sql = (
        "SELECT coalesce(sum(price_eur_cents), 0) FROM lake.audience AS a"
        " JOIN lake.unsent AS u ON u.message_id = a.message_id WHERE a.campaign_id = ? AND u.outcome = ?"
    )
    return _ask(house, sql, campaign_id, outcome)


def count_frozen(house: House, campaign_id: str) -> int:
    """Return how many traces of a frozen audience there are, in both stores."""
    tables = ("audience", "unsent", "frozen_audiences")
    counts = [_ask(house, f"SELECT count(*) FROM lake.{name} WHERE campaign_id = ?", campaign_id) for name in tables]
    with house.app.state.read() as session:
        return sum(map(int, counts)) + ledger.count_batches(session, campaign_id)


def _ask(house: House, sql: str, *values: object) -> Decimal:
    with house.app.lake.read() as cursor:
        (found,) = cursor.execute(sql, list(values)).fetchone()
    return Decimal(found)
