"""Watching gateways: how one stands just now, put together from what all processes have told of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.domain.accounts.accounts import Account
from core.domain.campaigns.campaigns import Campaign, CampaignStatus
from core.domain.gateways.gateways import GatewaySetup
from core.domain.gateways.sights import (
    GatewaySight,
    InUse,
    LinkState,
    ProcessSight,
    SeenFault,
    Standing,
    find_fault,
    find_refused_at,
    judge,
)
from core.domain.people.permissions import Permission, Viewer
from core.services.accounts.managing_accounts import require_administrator
from core.services.accounts.telling_sights import BELIEVED
from core.state.accounts import accounts, gateways, sights
from core.state.campaigns import holding
from core.state.engine.store import State

# Of all processes together, so many errors are shown.
FAULTS_MOST = 5
# What is sent goes by another gateway, where the account has one.
_TAKING_NOTHING = frozenset({Standing.UNCONNECTED, Standing.REFUSING, Standing.FAILING})


@dataclass(frozen=True)
class LiveLink:
    """A connection, and which of the workers holds it, counted from 1."""

    worker: int
    link: LinkState


@dataclass(frozen=True)
class LiveGateway:
    """
    A gateway as it stands just now.

    *in_use*, messages and receipts a second are of all processes together, *faults* the last ones, the newest first,
    *refused_at* when it took nothing, None where it has worked since. *held* are the names of the viewer's campaigns
    that wait for it, and so many others do. *detours* are the accounts that go by their fallback gateway meanwhile,
    each with that gateway.
    """

    setup: GatewaySetup
    standing: Standing
    worker_count: int
    links: tuple[LiveLink, ...]
    in_use: InUse
    submitted_per_s: float
    receipts_per_s: float
    faults: tuple[SeenFault, ...]
    refused_at: datetime | None
    held: tuple[str, ...]
    others_held_count: int
    detours: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Stuck:
    """By which gateway a campaign would be sent, and in words why that one takes nothing just now."""

    gateway: str
    fault: str


class WatchingGateways:
    """What the page of a gateway shows."""

    def __init__(self, state: State) -> None:
        """Take the store."""
        self._state = state

    def look(self, viewer: Viewer, name: str, now: datetime) -> LiveGateway:
        """Return how the gateway stands. Raises: Forbidden: not an administrator. NotFound."""
        require_administrator(viewer)
        with self._state.read() as session:
            setup = gateways.get_gateway(session, name).setup
            told = sights.list_sights(session, now - BELIEVED, now + BELIEVED)
            waiting = holding.list_waiting(session, name)
            seen = _seen(told, name)
            standing = judge(setup, seen)
            detours = _list_detours(session, name, told) if standing in _TAKING_NOTHING else ()
        held = tuple(campaign for account_id, campaign in waiting if account_id in viewer.account_ids)
        return LiveGateway(
            setup,
            standing,
            sum(process.is_worker for process in told),
            _links(told, name),
            InUse(sum(each.in_use.count for each in seen), sum(each.in_use.most for each in seen)),
            sum(each.submitted_per_s for each in seen),
            sum(each.receipts_per_s for each in seen),
            _faults(seen),
            find_refused_at(setup, seen),
            held,
            len(waiting) - len(held),
            detours,
        )

    def list_standings(self, viewer: Viewer, now: datetime) -> dict[str, Standing]:
        """Return how each gateway stands, by name. Raises: Forbidden: not an administrator."""
        require_administrator(viewer)
        with self._state.read() as session:
            return _judge_all(session, sights.list_sights(session, now - BELIEVED, now + BELIEVED))

    def list_stuck(self, viewer: Viewer, found: Collection[Campaign], now: datetime) -> Mapping[str, Stuck]:
        """
        Return by id which of the campaigns have no gateway that takes anything just now.

        They are being sent: it is seconds before such a campaign is paused, and longer after an outage that begins anew
        and again. Or they are paused for the gateway's sake, and their fault says what follows, too.
        Others' campaigns are left out. Raises: Forbidden: without the permissions Campaign and QuickSend.
        """
        viewer.require_any(Permission.CAMPAIGN, Permission.QUICK_SEND)
        mine = [each for each in found if each.account_id in viewer.account_ids]
        active = [each for each in mine if each.status is CampaignStatus.ACTIVE]
        paused = {each.campaign_id: each for each in mine if each.status is CampaignStatus.PAUSED}
        if not active and not paused:
            return {}
        with self._state.read() as session:
            held = holding.find_held(session, paused)
            senders = {
                each.account_id: each for each in accounts.list_accounts(session, {each.account_id for each in active})
            }
            setups = gateways.list_gateways(session)
            told = sights.list_sights(session, now - BELIEVED, now + BELIEVED)
        faults = {setup.name: find_fault(setup, _seen(told, setup.name), now) for setup in setups}
        stuck = {key: Stuck(gateway, paused[key].fault.replace("\n", " ")) for key, gateway in held.items()}
        for campaign in active:
            account = senders[campaign.account_id]
            ways = [campaign.gateway] if campaign.gateway else [account.gateway, account.fallback_gateway]
            said = [faults.get(name, "") for name in ways if name]
            if said and all(said):
                stuck[campaign.campaign_id] = Stuck(ways[0], said[0])
        return stuck


def find_way(session: Session, campaign: Campaign, account: Account, now: datetime) -> str:
    """Return the name of the gateway by which the messages of the account's *campaign* go just now."""
    if campaign.gateway:
        return campaign.gateway
    if not account.fallback_gateway:
        return account.gateway
    standings = _judge_all(session, sights.list_sights(session, now - BELIEVED, now + BELIEVED))
    is_detour = standings.get(account.gateway) in _TAKING_NOTHING and _takes(standings, account.fallback_gateway)
    return account.fallback_gateway if is_detour else account.gateway


def _list_detours(session: Session, name: str, told: Sequence[ProcessSight]) -> tuple[tuple[str, str], ...]:
    standings = _judge_all(session, told)
    found = accounts.list_fallbacks(session, name)
    return tuple((account, other) for account, other in found if _takes(standings, other))


def _judge_all(session: Session, told: Sequence[ProcessSight]) -> dict[str, Standing]:
    return {setup.name: judge(setup, _seen(told, setup.name)) for setup in gateways.list_gateways(session)}


def _takes(standings: Mapping[str, Standing], name: str) -> bool:
    return standings.get(name) not in {None, *_TAKING_NOTHING}


def _seen(told: Sequence[ProcessSight], name: str) -> list[GatewaySight]:
    return [process.gateways[name] for process in told if name in process.gateways]


def _links(told: Sequence[ProcessSight], name: str) -> tuple[LiveLink, ...]:
    workers = [process for process in told if process.is_worker]
    return tuple(
        LiveLink(number, link)
        for number, process in enumerate(workers, 1)
        if name in process.gateways
        for link in process.gateways[name].links
    )


def _faults(seen: Sequence[GatewaySight]) -> tuple[SeenFault, ...]:
    """Return what went wrong last, the same of several processes once."""
    by_text = dict[str, SeenFault]()
    for fault in (each for sight in seen for each in sight.faults):
        same = by_text.get(fault.text, fault)
        by_text[fault.text] = SeenFault(
            fault.text, min(same.first_at, fault.first_at), max(same.last_at, fault.last_at)
        )
    return tuple(sorted(by_text.values(), key=lambda each: each.last_at, reverse=True)[:FAULTS_MOST])
