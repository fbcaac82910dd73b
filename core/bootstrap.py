"""The composition root: the one place where all the parts meet."""

import functools
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import StoreClock
from core.config import Settings
from core.demo.seeding import DemoSeeding
from core.domain.off_peak import parse_off_peak
from core.domain.preflight import Frequency
from core.errors import ConfigurationError, StorageError
from core.files.apart import APART, Looking
from core.gateways.registry import Gateways
from core.gateways.simulator.journal import forget_log
from core.history.audience.audience_store import AudienceStore
from core.history.audience.contacts import ContactStore
from core.history.audience.outcomes import Outcomes
from core.history.audience.preflight import PreflightStore
from core.history.lake.connection import Lake
from core.history.lake.maintenance import Maintenance
from core.history.lake.rebuilding import Rebuilding
from core.history.messages.message_store import MessageStore
from core.history.messages.outside_traffic import OutsideTraffic
from core.history.messages.queries import MessageQueries
from core.history.messages.tracing import Traces
from core.history.numbers.number_index import NumberIndex
from core.history.rollups.adding_up import RollupReader
from core.history.rollups.rollups import Rollups
from core.history.rollups.spending import Spending
from core.history.rollups.statistics import Statistics
from core.history.rollups.traffic import TrafficReader
from core.mail.post import OutboxPost, Post, SmtpPost
from core.services.accounts.budgeting import Budgeting
from core.services.accounts.encryption import Sealing
from core.services.accounts.keeping_credentials import KeepingCredentials
from core.services.accounts.managing_accounts import ManagingAccounts
from core.services.accounts.pricing_accounts import PricingAccounts
from core.services.alone import Alone
from core.services.campaigns.addressing import Addressing
from core.services.campaigns.composing import Composing
from core.services.campaigns.controlling import Controlling, ControllingTools
from core.services.campaigns.launching import Launching, LaunchingTools
from core.services.campaigns.preflighting import Preflighting
from core.services.campaigns.quick_sending import QuickSending
from core.services.lists.importing_lists import Importing, ImportLimits
from core.services.people.adding_people import AddingPeople
from core.services.people.explaining import Explaining
from core.services.people.following_links import Accepting
from core.services.people.inviting import Inviting
from core.services.people.mailing import Mailing
from core.services.people.managing_people import ManagingPeople
from core.services.people.own_account import OwnAccount
from core.services.people.resetting_passwords import Recovering
from core.services.people.signing_in import SigningIn
from core.services.people.throttling import LONGEST_WINDOW
from core.services.reports.auditing import Auditing
from core.services.reports.export_contents import Sources
from core.services.reports.exporting import Exporting, ExportLimits
from core.services.reports.reporting import History, Reporting
from core.services.reports.saved_views import Remembering
from core.services.reports.tracing import Tracing
from core.services.sending.account_pacing import AccountPacing
from core.services.sending.batch_history import Settling
from core.services.sending.batches import SendingLimits, SendingTools
from core.services.sending.receiving import RETRY_MOST_S, Receiving
from core.services.sending.reconciling import Reconciling
from core.services.sending.submitting import Sending
from core.services.traffic.importing_traffic import ImportingTraffic, TrafficLimits
from core.services.upkeep.forgetting import Forgetting, Kind
from core.services.upkeep.forgetting.audiences import AudienceForgetting
from core.services.upkeep.forgetting.contacts import ContactForgetting
from core.services.upkeep.forgetting.files import FileForgetting
from core.services.upkeep.forgetting.told import ToldForgetting
from core.services.upkeep.indexing import Indexing
from core.services.upkeep.lake_register import KnowingLake
from core.services.upkeep.maintaining import Maintaining, MaintenanceRules
from core.services.upkeep.mending_times import MendingTimes
from core.services.upkeep.rebuilding_history import RebuildingHistory
from core.services.upkeep.rolling_up import RollingUp
from core.services.work_queue import Working
from core.state.mending import Furthest
from core.state.store import State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class App:
    """Everything people and workers ask, over one set of stores."""

    settings: Settings
    clock: StoreClock
    state: State
    lake: Lake
    gateways: Gateways
    signing_in: SigningIn
    mailing: Mailing
    recovering: Recovering
    accepting: Accepting
    own_account: OwnAccount
    people: AddingPeople
    inviting: Inviting
    managing_people: ManagingPeople
    explaining: Explaining
    accounts: ManagingAccounts
    credentials: KeepingCredentials
    pricing: PricingAccounts
    importing: Importing
    importing_traffic: ImportingTraffic
    composing: Composing
    preflighting: Preflighting
    launching: Launching
    controlling: Controlling
    quick_sending: QuickSending
    sending: Sending
    receiving: Receiving
    reporting: Reporting
    reconciling: Reconciling
    tracing: Tracing
    rolling_up: RollingUp
    indexing: Indexing
    auditing: Auditing
    exporting: Exporting
    forgetting: Forgetting
    maintaining: Maintaining
    rebuilding_history: RebuildingHistory
    remembering: Remembering
    demo: DemoSeeding
    working: Working

    def health(self, now: datetime) -> dict[str, bool]:  # noqa: ARG002 - every question to the App may depend on the time
        """Return for each store whether it answers."""
        return {
            "state": _answers(self.signing_in.needs_setup),
            "lake": _answers(self.lake.ping),
        }

    def close(self) -> None:
        """Close the stores."""
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
    register = KnowingLake(state)
    lake = Lake(settings, register)
    credentials = KeepingCredentials(state, Sealing(settings.secret_key))
    gateways = Gateways(settings, credentials.find)
    contacts, audience, messages = ContactStore(lake), AudienceStore(lake), MessageStore(lake)
    signing_in = SigningIn(
        state,
        idle_s=settings.session_idle_s,
        lifetime_s=settings.session_lifetime_s,
        rate_tps=settings.default_rate_tps,
    )
    mailing = Mailing(_post(settings), settings.address)
    accounts = ManagingAccounts(state, gateways)
    importing = Importing(state, contacts, accounts, _import_limits(settings), looking.columns)
    importing_traffic = ImportingTraffic(state, OutsideTraffic(lake), _traffic_limits(settings), looking.cdr_sample)
    composing = Composing(state, contacts, accounts, Addressing(state), placeholders_max=settings.placeholders_max)
    budgeting = Budgeting(state, Spending(lake))
    frequency = Frequency(settings.frequent_most, settings.frequent_days)
    preflighting = Preflighting(state, PreflightStore(lake), composing, budgeting, frequency)
    launching = Launching(
        LaunchingTools(state, audience, contacts, composing, accounts, preflighting, budgeting),
        batch_size=settings.batch_size,
        lease_s=settings.lease_s,
    )
    settling = Settling(state, messages)
    controls = ControllingTools(state, audience, contacts, composing, accounts, budgeting, settling)
    controlling = Controlling(controls, settings.lease_s)
    quick_sending = QuickSending(state, contacts, accounts, composing, budgeting, settings.quick_send_max)
    limits = SendingLimits(settings.sub_window, settings.lease_s)
    sending = Sending(SendingTools(state, audience, gateways, settling, limits, AccountPacing()))
    receiving = Receiving(state, messages, gateways, settings.lease_s)
    demo = DemoSeeding(settings, state, lake)
    rolling_up, indexing = RollingUp(state, Rollups(lake)), Indexing(NumberIndex(lake))
    rollups = RollupReader(lake, settings.rollup_memory_mib << 20)
    history = History(MessageQueries(rollups), Statistics(rollups), TrafficReader(rollups), rollups)
    reporting = Reporting(state, history)
    auditing = Auditing(state)
    exporting = Exporting(state, Sources(reporting, auditing), _export_limits(settings))
    maintaining = Maintaining(Maintenance(lake), _maintenance_rules(settings))
    forgetting = Forgetting(
        [
            Kind("deleted lists", importing.finish_deletions),
            Kind("uploads nobody mapped", importing_traffic.delete_forgotten),
            Kind("exports", exporting.delete_expired),
            Kind("sessions, links and failed tries", signing_in.delete_ended),
            *_kinds(settings, state, audience, contacts),
        ]
    )
    return App(
        settings=settings,
        clock=StoreClock(state.tell_time),
        state=state,
        lake=lake,
        gateways=gateways,
        signing_in=signing_in,
        mailing=mailing,
        recovering=Recovering(state, signing_in.passwords, mailing, settings.link_min),
        accepting=Accepting(state, signing_in.passwords, mailing),
        own_account=OwnAccount(state, mailing, signing_in.passwords, settings.link_min, looking.portrait),
        people=AddingPeople(state, signing_in, settings.default_rate_tps),
        inviting=Inviting(state, mailing, settings.invitation_h),
        managing_people=ManagingPeople(state),
        explaining=Explaining(state),
        accounts=accounts,
        credentials=credentials,
        pricing=PricingAccounts(state, settings.uploads_dir, looking.prices),
        importing=importing,
        importing_traffic=importing_traffic,
        composing=composing,
        preflighting=preflighting,
        launching=launching,
        controlling=controlling,
        quick_sending=quick_sending,
        sending=sending,
        receiving=receiving,
        reporting=reporting,
        reconciling=Reconciling(state, Outcomes(lake)),
        tracing=Tracing(state, Traces(lake)),
        rolling_up=rolling_up,
        indexing=indexing,
        auditing=auditing,
        exporting=exporting,
        forgetting=forgetting,
        maintaining=maintaining,
        rebuilding_history=RebuildingHistory(state, Rebuilding(settings, register)),
        remembering=Remembering(state),
        demo=demo,
        working=Working(
            importing,
            importing_traffic,
            launching,
            controlling,
            sending,
            receiving,
            demo,
            rolling_up,
            exporting,
            maintaining,
            indexing,
            forgetting,
            MendingTimes(state, _furthest(settings)),
            Alone(state, settings.lease_s),
        ),
    )


@functools.cache
def shared_app() -> App:
    """Return this process's application, built from the environment on first use."""
    return build_app(Settings.from_environment())


def _post(settings: Settings) -> Post:
    if settings.smtp_url:
        return SmtpPost(settings.smtp_url, settings.mail_from)
    return OutboxPost(settings.outbox_dir, settings.mail_from)


def _import_limits(settings: Settings) -> ImportLimits:
    return ImportLimits(
        uploads_dir=settings.uploads_dir,
        max_bytes=settings.upload_max_mib << 20,
        max_rows=settings.list_max_rows,
        lease_s=settings.lease_s,
    )


def _traffic_limits(settings: Settings) -> TrafficLimits:
    return TrafficLimits(
        uploads_dir=settings.uploads_dir,
        max_bytes=settings.traffic_max_mib << 20,
        max_rows=settings.traffic_max_rows,
        lease_s=settings.lease_s,
    )


def _export_limits(settings: Settings) -> ExportLimits:
    return ExportLimits(
        folder=settings.exports_dir,
        keep=timedelta(hours=settings.export_keep_h),
        max_rows=settings.export_max_rows,
        lease_s=settings.lease_s,
    )


def _furthest(settings: Settings) -> Furthest:
    return Furthest(
        lease=timedelta(seconds=settings.lease_s),
        receipt=timedelta(seconds=RETRY_MOST_S),
        attempt=LONGEST_WINDOW,
        export=timedelta(hours=settings.export_keep_h),
        invitation=timedelta(hours=settings.invitation_h),
        link=timedelta(minutes=settings.link_min),
    )


def _kinds(settings: Settings, state: State, audience: AudienceStore, contacts: ContactStore) -> list[Kind]:
    """Return what is forgotten besides what a service has of its own."""
    people = AudienceForgetting(state, audience, contacts, timedelta(days=settings.audience_keep_days))
    rejected = timedelta(days=settings.rejected_keep_days)
    left = ContactForgetting(state, contacts)
    files = FileForgetting(state, settings.uploads_dir, settings.outbox_dir, rejected)
    return [
        Kind("numbers of Quick Sends", people.forget_numbers),
        Kind("contacts of nobody", left.forget_left),
        Kind("audiences", people.forget_audiences),
        Kind("texts of test sends", people.forget_test_texts),
        Kind("notifications", ToldForgetting(state).forget_notifications),
        Kind("uploads and rejected rows", files.forget_uploads),
        Kind("mails in the outbox", files.forget_mails),
        Kind("the simulator's log", functools.partial(forget_log, settings.simulator_path)),
        # Last of all: it empties the log that the others have written.
        Kind("the state store's log", lambda _: state.scrub()),
    ]


def _maintenance_rules(settings: Settings) -> MaintenanceRules:
    if settings.history_keep_h < 1:
        raise ConfigurationError(
            f"HELIOGRAPH_HISTORY_KEEP_H is {settings.history_keep_h}.",
            hint="Keep them for an hour at least: somebody may still read them.",
        )
    return MaintenanceRules(
        off_peak=parse_off_peak(settings.maintenance_hours, settings.maintenance_zone),
        keep=timedelta(hours=settings.history_keep_h),
        busy_files=max(2, settings.maintenance_files),
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
