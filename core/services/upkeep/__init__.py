"""Upkeep: what workers do so that all else stays fast and small. Begin with `rolling_up`."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from core.config import Settings
from core.domain.times.off_peak import parse_off_peak
from core.errors import ConfigurationError
from core.gateways.simulator.journal import forget_log
from core.history.audience.audience_store import AudienceStore
from core.history.audience.contacts import ContactStore
from core.history.catalog.identity import LakeRegister
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance
from core.history.lake.rebuilding import Rebuilding
from core.history.lake.watch import ChangeWatch
from core.history.numbers.number_index import NumberIndex
from core.history.rollups.rollups import Rollups
from core.services.leases import Leases
from core.services.upkeep.forgetting import Forgettable, Forgetting
from core.services.upkeep.forgetting.audiences import AudienceForgetting
from core.services.upkeep.forgetting.contacts import ContactForgetting
from core.services.upkeep.forgetting.files import FileForgetting
from core.services.upkeep.forgetting.limits import LimitForgetting
from core.services.upkeep.forgetting.replies import ReplyForgetting
from core.services.upkeep.forgetting.told import ToldForgetting
from core.services.upkeep.indexing import Indexing
from core.services.upkeep.maintaining import Maintaining, MaintenanceRules
from core.services.upkeep.mending_times import MendingTimes
from core.services.upkeep.rebuilding_history import RebuildingHistory
from core.services.upkeep.rolling_up import RollingUp
from core.services.upkeep.settled import Settled
from core.state.engine.store import State
from core.state.upkeep.mending import Furthest


@dataclass(frozen=True)
class Upkeep:
    """What keeps both stores in order."""

    rolling_up: RollingUp
    indexing: Indexing
    maintaining: Maintaining
    forgetting: Forgetting
    rebuilding: RebuildingHistory
    mending_times: MendingTimes


def build(  # noqa: PLR0913, PLR0917 - what every room has that is over some day
    settings: Settings,
    state: State,
    lake: Lake,
    register: LakeRegister,
    leases: Leases,
    furthest: Furthest,
    kinds: Iterable[Forgettable],
) -> Upkeep:
    """
    Return the services of upkeep.

    Args:
        settings: What the environment says.
        state: Where all else is.
        lake: Where messages and contacts are.
        register: What the installation knows of its lake.
        leases: Whose end is the end of all that goes on for long.
        furthest: How far ahead a stored time may lie.
        kinds: What other rooms have that is over some day.

    Raises: ConfigurationError: the rules of maintenance make no sense.
    """
    watch = ChangeWatch(lake)
    return Upkeep(
        RollingUp(state, Rollups(lake), Settled(watch.number), leases.stop),
        Indexing(NumberIndex(lake), Settled(watch.number), leases.stop),
        Maintaining(Maintenance(lake), _rules(settings), Settled(watch.number), leases.stop),
        Forgetting([*kinds, *_kinds(settings, state, lake)]),
        RebuildingHistory(state, Rebuilding(settings, register)),
        MendingTimes(state, furthest),
    )


def _rules(settings: Settings) -> MaintenanceRules:
    if settings.history_keep_h < 1:
        raise ConfigurationError(
            f"HELIOGRAPH_HISTORY_KEEP_H is {settings.history_keep_h}.",
            hint="Keep them for at least an hour: somebody may still be reading them.",
        )
    return MaintenanceRules(
        off_peak=parse_off_peak(settings.maintenance_hours, settings.maintenance_zone),
        keep=timedelta(hours=settings.history_keep_h),
        busy_files=max(2, settings.maintenance_files),
    )


def _kinds(settings: Settings, state: State, lake: Lake) -> list[Forgettable]:
    """Return what is forgotten besides what another room has of its own."""
    contacts = ContactStore(lake)
    people = AudienceForgetting(state, AudienceStore(lake), contacts, timedelta(days=settings.audience_keep_days))
    rejected = timedelta(days=settings.rejected_keep_days)
    left = ContactForgetting(state, contacts)
    said = ReplyForgetting(state, timedelta(days=settings.reply_keep_days))
    told, limits = ToldForgetting(state), LimitForgetting(state)
    files = FileForgetting(state, settings.uploads_dir, settings.outbox_dir, rejected)
    return [
        Forgettable("numbers of Quick Sends", people.forget_numbers),
        Forgettable("contacts of nobody", left.forget_left),
        Forgettable("audiences", people.forget_audiences),
        Forgettable("texts of test sends", people.forget_test_texts),
        Forgettable("replies", said.forget_replies),
        Forgettable("notifications", told.forget_notifications),
        Forgettable("months of spending", limits.forget_spending),
        Forgettable("logs of departures", limits.forget_departures),
        Forgettable("uploads and rejected rows", files.forget_uploads),
        Forgettable("mails in the outbox", files.forget_mails),
        Forgettable("the simulator's log", functools.partial(forget_log, settings.simulator_path)),
        # Last of all: it empties the log that the others have written.
        Forgettable("the state store's log", lambda _: state.scrub()),
    ]
