"""The two steps of Create Campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.accounts.accounts import Account, label_accounts
from core.domain.people.permissions import Permission
from core.domain.texts.placeholders import list_doubled_braces, list_stray_braces
from core.domain.texts.simplifying import list_replacements
from core.domain.words.characters import name_character
from core.domain.words.names import NAME_MAX, NAME_MIN
from core.services.campaigns.composing import Preview as Merged
from pages._ui import formats, session, widgets
from pages._ui.components.composer import Preview, composer, position
from pages._ui.panels import limit_fields, sender_field
from pages._ui.screens.create_campaign import campaign_schedule, placeholder_panel
from pages._ui.screens.create_campaign.campaign_form import COMPOSER, KEY, Form
from pages._ui.screens.create_campaign.campaign_panels import LEFT_OUT, open_list_panel

NAME_HELP = f"{NAME_MIN} to {NAME_MAX} characters; only your colleagues see it."
SENDER_HELP = f"{sender_field.HELP} Recipients see it as the sender of the SMS."


@dataclass(frozen=True)
class Step:
    """
    What was drawn: where the errors of each field belong, and the message *merged* for one recipient, if it is.

    Not *is_timed* while a schedule is wanted whose time cannot be read.
    """

    places: Mapping[str, DeltaGenerator]
    is_last: bool = False
    merged: Merged | None = None
    is_timed: bool = True


def recipients(form: Form, accounts: Sequence[Account]) -> Step:
    """Draw the first step: name, account, sender, list and placeholders."""
    name = _name(form, f"{KEY}_name")
    _account(form, accounts)
    form.sender_id = st.text_input(
        "Sender", form.sender_id, max_chars=17, key=f"{KEY}_sender", help=SENDER_HELP
    ).strip()
    sender = st.empty()
    with sender:
        sender_field.judge(form.sender_id)
    with st.container(border=True, key=f"{KEY}_recipients"):
        st.markdown("**Recipients**")
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Select Distribution List", key=f"{KEY}_select"):
                open_list_panel()
            if form.chosen and st.button("Leave out lists", key=f"{KEY}_leave_out", type="tertiary"):
                open_list_panel(LEFT_OUT)
        _chosen(form)
        chosen = st.empty()
        _no_lists_yet(form)
        _personalize(form)
        mapping = st.empty()
    return Step({"name": name, "sender_id": sender, "list_id": chosen, "placeholders": mapping})


def message(form: Form) -> Step:
    """Draw the second step."""
    called, limits = st.columns([2, 1], vertical_alignment="bottom")
    with called:
        name = _name(form, f"{KEY}_name_again")
    with limits:
        _limits(form)
    app, viewer = session.current()
    merged = None
    with widgets.show_errors():
        merged = app.campaigns.composing.preview(viewer, form.draft(), position(COMPOSER) - 1)
    shown = Preview(
        sender_id=form.sender_id,
        name=form.name,
        values=merged.values if merged else {},
        position=merged.position + 1 if merged else 1,
        total=merged.total if merged else 0,
        simplifies=form.simplifies,
    )
    form.message = composer(key=COMPOSER, value=form.message, preview=shown).text
    if merged:
        st.markdown(f"Recipients: **{formats.number(merged.total)}**")
    _simplify(form)
    _stray_braces(form)
    is_timed, schedule = campaign_schedule.show(form)
    # What is wrong with the message has no place of its own: under the phone nobody would see it.
    places = {"name": name, "schedule_at": schedule}
    return Step(places, is_last=True, merged=merged, is_timed=is_timed)


def _simplify(form: Form) -> None:
    """Offer to replace typographic characters, and show which, before it happens."""
    form.simplifies = st.toggle(
        "Replace typographic characters",
        form.simplifies,
        key=f"{KEY}_simplifies",
        help="Curly quotes, dashes and similar characters turn the whole message into Unicode, where an SMS holds 70 "
        "characters instead of 160. Replacing them, here and in placeholder values, keeps the text GSM-7.",
    )
    found = list_replacements(form.message)
    if not found:
        return
    pairs = ",  ".join(f"{_named(old)} → {_named(new) or 'nothing'}" for old, new in found)
    st.caption(f"{'Replaced when sent' if form.simplifies else 'Would be replaced'}: {pairs}")


def _limits(form: Form) -> None:
    """Draw what the campaign is limited to in one line, at the top, which opens to the fields: few ever need them."""
    with st.popover(_limits_in_words(form), icon=":material/speed:", key=f"{KEY}_limits", width="stretch"):
        form.budget_eur = limit_fields.budget(
            "Budget [EUR]",
            form.budget_eur,
            key=f"{KEY}_budget",
            explained="What the whole campaign may cost. If it would cost more, it is not launched; if its budget is "
            "lowered while it is sent, it pauses before exceeding it.",
        )
        form.rate_tps = limit_fields.rate(
            "Segments per second",
            form.rate_tps,
            key=f"{KEY}_rate",
            explained="How fast the campaign is sent at most. The account's limit and the gateway's apply as well. It "
            "can be changed while it is sent.",
        )


def _limits_in_words(form: Form) -> str:
    """Return the campaign's own limits as their fields hold them: the line is drawn before they are."""
    eur = st.session_state.get(f"{KEY}_budget", form.budget_eur)
    rate_tps = st.session_state.get(f"{KEY}_rate", form.rate_tps)
    said = [] if eur is None else [formats.euros(formats.eur_to_cents(eur))]
    said += [] if rate_tps is None else [formats.per_second(rate_tps)]
    return f"Limits: {', '.join(said) or 'none'}"


def _named(characters: str) -> str:
    """Return *characters* to be read, those by name that nobody would see; "..." stays as it is."""
    return formats.plain(name_character(characters) if len(characters) == 1 else characters)


def _stray_braces(form: Form) -> None:
    names = form.placeholders if form.personalize else ()
    for text, left in list_doubled_braces(form.message, names):
        rest = formats.plain(left)
        st.caption(f":material/info: {formats.plain(text)} has too many braces: {rest} will be sent.")
    for text in list_stray_braces(form.message, names):
        st.caption(f":material/info: {formats.plain(text)} is not a placeholder: it will be sent as it is.")


def _name(form: Form, key: str) -> DeltaGenerator:
    form.name = st.text_input("Campaign Name", form.name, max_chars=NAME_MAX, key=key, help=NAME_HELP)
    return st.empty()


def _account(form: Form, accounts: Sequence[Account]) -> None:
    ids, key = [account.account_id for account in accounts], f"{KEY}_account"
    is_closed = bool(form.account_id) and form.account_id not in ids
    chosen: str | None = None if is_closed else form.account_id or ids[0]
    place = st.empty()
    if len(accounts) > 1 or is_closed:
        names = label_accounts(accounts)
        if st.session_state.get(key) not in ids:
            st.session_state.pop(key, None)
        index = ids.index(chosen) if chosen else None
        chosen = st.selectbox(
            "Account", ids, index, format_func=names.__getitem__, key=key, placeholder="Choose another account"
        )
    if chosen is None:
        place.warning(_closed(form), icon=":material/lock:")
    elif chosen != form.account_id:
        # Lists belong to one account; those of another cannot be sent to.
        form.account_id, form.chosen, form.left_out = chosen, (), ()


def _closed(form: Form) -> str:
    """Return which account the draft is of, why it sends nothing, and what to do."""
    app, viewer = session.current()
    for account in app.accounts.managing.list_accounts(viewer):
        if account.account_id == form.account_id:
            return (
                f"This draft belongs to the account **{formats.plain(account.display_name)}**, which is "
                f"{account.closed_because}.  \nNothing changes until you choose another account. The lists are then "
                "removed from the draft, because they belong to this one."
            )
    return "This draft uses an account that you do not belong to.  \nChoose another one."


def _chosen(form: Form) -> None:
    """Draw the lists that are sent to, and those left out."""
    for item in form.chosen:
        count = formats.count(item.entry_count, "recipient", "recipients")
        st.markdown(f":material/contacts: {formats.plain(item.name)} – {count}")
    if len(form.chosen) > 1:
        total = sum(item.entry_count for item in form.chosen)
        st.caption(f"{formats.number(total)} in total. A number on several lists gets one message.")
    for item in form.left_out:
        st.markdown(f":material/person_off: left out: {formats.plain(item.name)}")


def _no_lists_yet(form: Form) -> None:
    _, viewer = session.current()
    if not form.chosen and viewer.may(Permission.DISTRIBUTION_LISTS):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("No suitable list yet? Add one first.", width="content")
            widgets.link("Distribution Lists", "distribution_lists", key=f"{KEY}_to_lists")


def _personalize(form: Form) -> None:
    form.personalize = st.checkbox(
        "Personalize",
        form.personalize,
        disabled=not form.chosen,
        key=f"{KEY}_personalize",
        help="Put values from the list's columns, such as a first name, into the message.",
    )
    widgets.why_not("" if form.chosen else "Select a distribution list first.")
    if form.personalize:
        _mapping(form)


def _mapping(form: Form) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, column in form.placeholders.items():
            st.badge(f"{{{name}}} = {column}", color="violet")
        if st.button("Placeholders", icon=":material/data_object:", key=f"{KEY}_open_placeholders"):
            placeholder_panel.open_panel()
