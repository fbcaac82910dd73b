"""The composition root: the one place where all the rooms meet."""

import functools
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.clock import StoreClock, set_off
from core.config import Settings
from core.demo.seeding import DemoSeeding
from core.errors import StorageError
from core.files.apart import APART, Looking
from core.gateways.kinds import GatewayTools
from core.gateways.tally import Tally
from core.history.lake.connection import Lake
from core.services import accounts, campaigns, lists, people, reports, sending, suppressions, traffic, upkeep
from core.services.accounts import Accounts
from core.services.campaigns import Campaigns
from core.services.leases import Leases
from core.services.lists.importing_lists import ImportingLists
from core.services.people import People
from core.services.people.throttling import LONGEST_WINDOW
from core.services.reports import Reports
from core.services.sending import Sending, linking
from core.services.sending.hearing import Hearing
from core.services.sending.receiving import RETRY_MOST_S
from core.services.sending.replying import keep_replies
from core.services.suppressions import Suppressions
from core.services.traffic.importing_traffic import ImportingTraffic
from core.services.upkeep import Upkeep
from core.services.upkeep.forgetting import Forgettable
from core.services.upkeep.lake_register import StoredLakeRegister
from core.services.work_queue import WorkQueue
from core.state.engine.store import State
from core.state.upkeep.mending import Furthest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class App:
    """Everything people and workers ask, over one set of stores: a room for each capability."""

    settings: Settings
    clock: StoreClock
    state: State
    lake: Lake
    people: People
    accounts: Accounts
    lists: ImportingLists
    traffic: ImportingTraffic
    campaigns: Campaigns
    sending: Sending
    suppressions: Suppressions
    reports: Reports
    upkeep: Upkeep
    demo: DemoSeeding
    work: WorkQueue

    def health(self, now: datetime) -> dict[str, bool]:  # noqa: ARG002 - every question to the App may depend on the time
        """Return for each store whether it answers."""
        return {
            "state": _answers(self.people.signing_in.needs_setup),
            "lake": _answers(self.lake.ping),
        }

    def close(self) -> None:
        """Close the gateways, which still have answers to hear, then the stores."""
        self.accounts.gateways.close_all()
        self.accounts.telling.end()
        self.lake.close()
        self.state.close()


def build_app(settings: Settings, looking: Looking = APART) -> App:
    """
    Compose an application. Nothing connects before it is asked something.

    Args:
        settings: What the environment says.
        looking: Who looks into uploaded files before they are taken; a test has nobody to hold up, and looks itself.
    """
    state = State(settings.state_url)
    register = StoredLakeRegister(state)
    lake, leases = Lake(settings, register), Leases(state, settings.lease_s)
    of_people = people.build(settings, state, looking.portrait)
    tell_time = set_off(state.tell_time, Path(settings.clock_file)) if settings.clock_file else state.tell_time
    clock = StoreClock(tell_time)
    tally = Tally()
    tools = GatewayTools(settings, Hearing(state, clock, keep_replies, tally), clock, tally)
    of_accounts = accounts.build(settings, state, lake, looking, tools, leases)
    of_lists = lists.build(settings, state, lake, of_accounts, looking, leases)
    of_traffic = traffic.build(settings, state, lake, looking, leases)
    of_sending = sending.build(settings, state, lake, of_accounts, leases, tools.inbox, clock.read_stepped_s)
    of_suppressions = suppressions.build(settings, state, looking, leases)
    of_campaigns = campaigns.build(
        settings, state, lake, of_accounts, of_sending.batch_history, of_suppressions.numbers, leases
    )
    of_reports = reports.build(settings, state, lake, of_suppressions.managing, leases)
    kinds = [
        Forgettable("deleted lists", of_lists.finish_deletions),
        Forgettable("uploads nobody mapped", of_traffic.delete_forgotten),
        Forgettable("what providers said", of_sending.forget),
        Forgettable("changes of suppressions", of_suppressions.numbers.forget_changes),
        Forgettable("exports", of_reports.exporting.delete_expired),
        Forgettable("what processes saw that are gone", of_accounts.telling.forget_gone),
        Forgettable("sessions, links and failed tries", of_people.signing_in.delete_ended),
    ]
    of_upkeep = upkeep.build(settings, state, lake, register, leases, _furthest(settings), kinds)
    demo = DemoSeeding(settings, state, lake, leases)
    rooms = of_lists, of_traffic, of_campaigns, of_sending, of_suppressions, of_reports, of_upkeep, demo
    work = WorkQueue(*rooms, leases, state)
    return App(settings, clock, state, lake, of_people, of_accounts, *rooms, work)


@functools.cache
def shared_app() -> App:
    """Return this process's application, built from the environment on first use."""
    return build_app(Settings.from_environment())


def _furthest(settings: Settings) -> Furthest:
    return Furthest(
        lease=timedelta(seconds=settings.lease_s),
        receipt=timedelta(seconds=RETRY_MOST_S),
        reply=linking.RETRY_MOST,
        attempt=LONGEST_WINDOW,
        export=timedelta(hours=settings.export_keep_h),
        invitation=timedelta(hours=settings.invitation_h),
        link=timedelta(minutes=settings.link_min),
    )


def _answers(question: object) -> bool:
    assert callable(question)
    try:
        question()
    except StorageError:
        return False
    except Exception:
        # Whatever it is, this process cannot do its work, and whoever asks wants to hear just that.
        log.exception("health_question_failed")
        return False
    return True
