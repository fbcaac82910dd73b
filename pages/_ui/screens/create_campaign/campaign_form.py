"""What a person is filling in on Create Campaign, from one rerun to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import streamlit as st

from core.bootstrap import App
from core.domain.campaigns.campaigns import Campaign, CampaignDraft, CampaignStatus
from core.domain.campaigns.schedules import format_schedule
from core.domain.imports.lists import DistributionList
from core.domain.people.permissions import Viewer
from core.domain.texts.sender_id import parse_sender_id
from core.domain.words.names import NAME_MIN
from core.errors import Conflict, InvalidInput, InvalidSenderId, InvalidTransition
from core.services.campaigns.addressing import common_columns
from pages._ui import address, formats, session
from pages._ui.components import composer, scrolling

KEY = "create_campaign"
COMPOSER = f"{KEY}_composer"
CONFLICT = f"{KEY}_conflict"


@dataclass
class Form:
    """
    A draft on its way; *campaign_id* is "" until it is saved.

    It outlives the widgets: those of a step that is not shown are forgotten by Streamlit.
    """

    account_id: str = ""
    campaign_id: str = ""
    version: int = 0
    name: str = ""
    sender_id: str = ""
    message: str = ""
    personalize: bool = False
    placeholders: dict[str, str] = field(default_factory=dict)
    fallbacks: dict[str, str] = field(default_factory=dict)
    chosen: tuple[DistributionList, ...] = ()
    left_out: tuple[DistributionList, ...] = ()
    simplifies: bool = False
    # EUR, as the field has it; None for no end.
    budget_eur: float | None = None
    # Segments per second; None for no limit of its own.
    rate_tps: int | None = None
    # When it is sent, None at once; and what stands in the field for it, None while there is none. What was typed and
    # cannot be taken stays there, with why, until it is mended or the schedule is taken away.
    schedule_at: datetime | None = None
    schedule_text: str | None = None
    schedule_fault: InvalidInput | None = None
    # As it was last stored, to know what is new; and what keeps it from being stored.
    saved: CampaignDraft | None = None
    unsaved_because: str = ""
    is_conflicting: bool = False
    # Whether the browser knows the draft's id: what is typed right after the first save comes with the old address.
    is_announced: bool = True

    def missing(self) -> list[str]:
        """Return what the first step still lacks, in the words of its fields."""
        lacking = [
            (len(self.name.strip()) < NAME_MIN, "Campaign Name"),
            (not _is_sender_id(self.sender_id), "Sender"),
            (not self.chosen, "Recipients"),
        ]
        return [word for is_missing, word in lacking if is_missing]

    def draft(self) -> CampaignDraft:
        """Return what the services take."""
        return CampaignDraft(
            account_id=self.account_id,
            name=self.name,
            sender_id=self.sender_id,
            list_ids=tuple(item.list_id for item in self.chosen),
            message=self.message,
            placeholders=dict(self.placeholders) if self.personalize else {},
            left_out_ids=tuple(item.list_id for item in self.left_out),
            fallbacks=dict(self.fallbacks) if self.personalize else {},
            simplifies=self.simplifies,
            schedule_at=self.schedule_at,
            budget_eur_cents=formats.eur_to_cents(self.budget_eur),
            rate_tps=self.rate_tps,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that all chosen lists have."""
        return common_columns(self.chosen)

    def choose(self, items: Sequence[DistributionList]) -> list[str]:
        """Take *items* as the recipients; return the placeholders that lost their column by it."""
        self.chosen = tuple(items)
        lost = [name for name, column in self.placeholders.items() if column not in self.columns]
        for name in lost:
            del self.placeholders[name]
        return lost


def current(app: App, viewer: Viewer) -> Form:
    """
    Return the form in front of the person: the draft in the page's address, or a new one.

    Raises: NotFound: no such draft. InvalidTransition: it was launched.
    """
    asked = address.get("id")
    held: Form | None = st.session_state.get(f"{KEY}_form")
    if held and not asked and not held.is_announced and _was_open():
        asked = held.campaign_id
        address.put("id", asked)
    elif held and asked == held.campaign_id:
        held.is_announced = True
    if held is None or held.campaign_id != asked:
        held = _load(app, viewer, app.campaigns.composing.get(viewer, asked)) if asked else _new(app, viewer)
        _begin(held)
    return held


def _was_open() -> bool:
    """Whether the run before this one drew the page: Streamlit forgets the tabs on any other."""
    return f"{KEY}_step" in st.session_state


def _begin(form: Form) -> None:
    """
    Forget what the page knew of another form, and let the fields on screen show this one.

    A browser keeps what was typed into a field for as long as it is drawn; it is told what to show instead, or it would
    send the old text back with the next click.
    """
    known = [str(name) for name in st.session_state if str(name).startswith(f"{KEY}_")]
    for name in known:
        if not name.startswith(COMPOSER):
            del st.session_state[name]
    values = {
        f"{KEY}_name": form.name,
        f"{KEY}_name_again": form.name,
        f"{KEY}_account": form.account_id,
        f"{KEY}_sender": form.sender_id,
        f"{KEY}_personalize": form.personalize,
        f"{KEY}_simplifies": form.simplifies,
        f"{KEY}_budget": form.budget_eur,
        f"{KEY}_rate": form.rate_tps,
        f"{KEY}_schedule_time": form.schedule_text or "",
    }
    st.session_state.update({name: value for name, value in values.items() if name in known})
    composer.replace(COMPOSER, form.message)
    st.session_state[f"{KEY}_form"] = form


def save(app: App, viewer: Viewer, form: Form) -> None:
    """
    Store the draft and put it into the page's address.

    Raises: InvalidInput: the schedule time that was typed cannot be taken. Whatever `Composing.save` raises.
    """
    if form.schedule_fault is not None:
        raise form.schedule_fault
    _store(app, viewer, form)


def _store(app: App, viewer: Viewer, form: Form) -> None:
    draft = form.draft()
    stored = app.campaigns.composing.save(viewer, draft, session.now(), form.campaign_id, form.version)
    form.is_announced = bool(form.campaign_id) and form.is_announced
    form.campaign_id, form.version = stored.campaign_id, stored.version
    form.saved, form.unsaved_because, form.is_conflicting = draft, "", False
    address.put("id", stored.campaign_id)


def autosave(app: App, viewer: Viewer, form: Form) -> None:
    """
    Store the draft when anything is new and it can be stored, so that a closed browser or a logout loses nothing.

    What somebody else saved meanwhile is not overwritten. A schedule time that cannot be taken keeps nothing else from
    being stored; the draft keeps the time it had.
    """
    if form.draft() == form.saved or form.is_conflicting or len(form.name.strip()) < NAME_MIN:
        return
    try:
        _store(app, viewer, form)
    except Conflict:
        form.is_conflicting = True
        scrolling.ask(CONFLICT)
    except InvalidInput as error:
        form.unsaved_because = error.message


def reload() -> None:
    """Forget what is in the form; the next run loads the draft as it is stored."""
    forget()


def overwrite(app: App, viewer: Viewer, form: Form) -> None:
    """Store what is in the form over what somebody else saved. Raises: as `save`."""
    form.version = app.campaigns.composing.get(viewer, form.campaign_id).version
    save(app, viewer, form)


def forget() -> None:
    """Start anew at the next visit."""
    st.session_state.pop(f"{KEY}_form", None)


def _is_sender_id(text: str) -> bool:
    try:
        parse_sender_id(text)
    except InvalidSenderId:
        return False
    return True


def _new(app: App, viewer: Viewer) -> Form:
    """Return a new form, with what the person's messages begin with."""
    sms = app.people.own_account.get(viewer).sms
    return Form(sender_id=sms.sender_id, simplifies=sms.simplifies)


def _load(app: App, viewer: Viewer, stored: Campaign) -> Form:
    if stored.status is not CampaignStatus.INACTIVE:
        raise InvalidTransition(
            f"{stored.name} was launched and is no longer a draft.",
            hint="Only drafts can be edited. Clone it instead.",
        )
    there = {item.list_id: item for item in app.campaigns.composing.list_there(viewer, stored)}
    form = Form(
        account_id=stored.account_id,
        campaign_id=stored.campaign_id,
        version=stored.version,
        name=stored.name,
        sender_id=stored.sender_id,
        message=stored.message,
        personalize=bool(stored.placeholders),
        placeholders=dict(stored.placeholders),
        fallbacks=dict(stored.fallbacks),
        chosen=tuple(there[key] for key in stored.list_ids if key in there),
        left_out=tuple(there[key] for key in stored.left_out_ids if key in there),
        simplifies=stored.simplifies,
        budget_eur=None if stored.budget_eur_cents is None else float(stored.budget_eur_cents / 100),
        rate_tps=stored.rate_tps,
        schedule_at=stored.schedule_at,
        schedule_text=format_schedule(stored.schedule_at, viewer.time_zone) if stored.schedule_at else None,
    )
    form.saved = form.draft()
    return form
