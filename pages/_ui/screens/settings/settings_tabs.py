"""The tabs of the Settings page."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from core.domain.people.passwords import MAX, RULES
from core.domain.people.people import EMAIL_MAX, LANGUAGES, Person, SmsSettings, check_email
from core.domain.texts.simplifying import group_replacements
from core.domain.times.time_zones import list_time_zones, offset_text
from core.files.pictures import MAX_BYTES, MAX_PIXELS
from core.services.people.own_account import NewPassword, Profile
from core.services.people.signing_in import Device
from pages._ui import formats, session, widgets
from pages._ui.open_pages import open_pages
from pages._ui.panels import avatars, sender_field

KEY = "settings"
EMAIL_PANEL = f"{KEY}_email"
UNICODE = ("Keep Unicode", "Replace typographic characters")
_KEPT = (
    "Messages are sent as they are written. One curly quote or dash turns a message into Unicode, where an SMS holds "
    "70 characters instead of 160."
)
_REPLACED = (
    "Curly quotes, dashes and similar characters are replaced, so that the text stays GSM-7. Accents, other scripts "
    "and emoji are left as they are."
)
_SHOWN_AS = {" ": "a space", "": "nothing", "\n": "a new line"}
_SESSIONS_SHOWN = 15
_RARE = 0x3000


def general(person: Person) -> None:
    """Draw the General tab: who somebody is, and the picture."""
    about, picture = st.columns((3, 2))
    with about, widgets.card("User info", key=f"{KEY}_about"):
        _email_change(person)
        _profile(person)
    with picture, widgets.card("Profile image", key=f"{KEY}_picture"):
        _picture()


def sms(person: Person) -> None:
    """Draw the SMS settings tab: what new messages begin with."""
    app, viewer = session.current()
    with st.container(width=640):
        st.caption("New campaigns and Quick Send start with these settings. You can change them for each message.")
        chosen = st.radio(
            "Unicode feature", UNICODE, int(person.sms.simplifies), captions=(_KEPT, _REPLACED), key=f"{KEY}_unicode"
        )
        with st.expander("Which characters are replaced", icon=":material/spellcheck:"):
            st.caption("On the left is what is sent instead.")
            widgets.facts({formats.plain(_named(new)): _list(olds) for new, olds in group_replacements().items()})
        sender_id = st.text_input(
            "Default sender ID", person.sms.sender_id, max_chars=17, key=f"{KEY}_sender", help=sender_field.HELP
        ).strip()
        sender_field.judge(sender_id)
        if st.button("Update", type="primary", key=f"{KEY}_sms_update"):
            with widgets.show_errors():
                settings = SmsSettings(chosen == UNICODE[1], sender_id)
                _saved(app.people.own_account.change_sms_settings(viewer, settings, session.now()))


def password() -> None:
    """Draw the Password reset tab: a new password, and where else one is signed in."""
    with st.container(width=640):
        with widgets.card("New password", key=f"{KEY}_new_password"):
            _password()
        with widgets.card("Logged in elsewhere", key=f"{KEY}_sessions"):
            _sessions()


def show_open() -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(EMAIL_PANEL):
        _email_panel()


def _key(form: str, field: str) -> str:
    """Return the key of a form's field; another one each time the form starts over."""
    return f"{KEY}_{field}_{st.session_state.get(f'{KEY}_{form}_round', 0)}"


def _start_over(form: str) -> None:
    st.session_state[f"{KEY}_{form}_round"] = st.session_state.get(f"{KEY}_{form}_round", 0) + 1


def _saved(changed: bool) -> None:
    widgets.flash("Your settings are saved." if changed else "Nothing was changed.")
    st.rerun()


def _profile(person: Person) -> None:
    app, viewer = session.current()
    with st.form(f"{KEY}_general", border=False):
        email = st.text_input(
            "Email",
            person.email,
            max_chars=EMAIL_MAX,
            key=_key("general", "new_email"),
            autocomplete="email",
            help="You log in with it. A change has to be confirmed from the new address.",
        )
        places = {"email": st.empty()}
        name = st.text_input(
            "Name",
            person.name,
            max_chars=100,
            key=f"{KEY}_name",
            autocomplete="name",
            help="Emails to you begin with it.",
        )
        places["name"] = st.empty()
        phone = st.text_input(
            "Phone (E.G. +15417963010)",
            person.phone,
            max_chars=30,
            key=f"{KEY}_phone",
            autocomplete="tel",
            help="A number where you can be reached, with the country code. You can leave it empty.",
        )
        places["phone"] = st.empty()
        language, time_zone = _language(person), _time_zone(person)
        update = st.form_submit_button("Update", type="primary", key=f"{KEY}_update")
    if update:
        with widgets.show_errors(places):
            new_email = check_email(email).lower()
            profile = Profile(name, phone, language, time_zone)
            changed = app.people.own_account.change_profile(viewer, profile, session.now())
            if new_email == person.email:
                _saved(changed)
            widgets.open_panel(EMAIL_PANEL, new_email)


def _language(person: Person) -> str:
    codes = list(LANGUAGES)
    return st.selectbox(
        "Language",
        codes,
        codes.index(person.language) if person.language in codes else 0,
        format_func=lambda code: LANGUAGES[code],
        key=f"{KEY}_language",
        help="Heliograph is available in English only, for now.",
    )


def _time_zone(person: Person) -> str:
    zones = list_time_zones()
    if person.time_zone not in zones:
        zones = (person.time_zone, *zones)
    hour = f"{session.now():%Y-%m-%dT%H}"
    return st.selectbox(
        "Time zone",
        zones,
        zones.index(person.time_zone),
        format_func=lambda name: _with_offset(name, hour),
        key=f"{KEY}_time_zone",
        help="Times are shown in it, and schedules are set in it. Type part of a city's name to find yours.",
    )


@lru_cache(maxsize=1_000)
def _with_offset(name: str, hour: str) -> str:  # noqa: ARG001 - within an hour the offsets stay
    return f"{name} ({offset_text(name, session.now())})"


def _email_change(person: Person) -> None:
    app, viewer = session.current()
    pending = app.people.own_account.find_email_change(viewer, session.now())
    if pending is None:
        return
    until = formats.moment(pending.expires_at, viewer.time_zone)
    st.info(
        f"A link was sent to {formats.plain(pending.email)}. It works until {until}; "
        f"until you open it, you log in with {formats.plain(person.email)}. "
        f"{formats.plain(app.people.mailing.detour)}",
        icon=":material/mark_email_unread:",
    )
    if st.button("Withdraw the change", key=f"{KEY}_withdraw", type="tertiary", icon=":material/undo:"):
        with widgets.show_errors():
            app.people.own_account.withdraw_email_change(viewer, session.now())
            widgets.flash("Your email stays as it is.")
            st.rerun()


@st.dialog("Change Email", position="right", icon=":material/alternate_email:", on_dismiss=widgets.close_panel)
def _email_panel() -> None:
    app, viewer = session.current()
    new = widgets.open_subject()
    st.markdown(
        f"We will send a link to **{formats.plain(new)}**. Once you have opened it, you log in with this email. "
        "Enter your current password to confirm that it is you."
    )
    with st.form(f"{KEY}_email_form", border=False):
        current = st.text_input(
            "Current Password",
            type="password",
            max_chars=MAX,
            key=f"{KEY}_email_password",
            autocomplete="current-password",
        )
        sends = st.form_submit_button("Send link", type="primary", key=f"{KEY}_email_send", width="stretch")
    if sends:
        with widgets.show_errors():
            app.people.own_account.ask_email_change(viewer, new, current, session.now())
            widgets.flash(app.people.mailing.detour or f"A link is on its way to {new}.", icon=":material/mail:")
            widgets.close_panel()
            _start_over("general")
            st.rerun()


def _picture() -> None:
    app, viewer = session.current()
    place = st.container()
    file = st.file_uploader(
        "Picture",
        type=["png", "jpg", "jpeg"],
        max_upload_size=MAX_BYTES >> 20,
        key=_key("picture", "file"),
        help=f"PNG or JPEG, up to {MAX_BYTES >> 20} MB and {MAX_PIXELS // 1_000_000} megapixels. Only the middle of "
        "the picture is kept.",
    )
    with place, widgets.show_errors():
        if file:
            avatars.show(
                avatars.preview_address(file.getvalue(), app.people.own_account.draw_avatar), "The new picture"
            )
            st.caption("It will look like this.")
            if st.button("Save picture", type="primary", key=f"{KEY}_picture_save"):
                app.people.own_account.set_avatar(viewer, file.getvalue(), session.now())
                open_pages.done_with(file)
                _new_picture("Your picture is saved.")
        elif address := avatars.own_address():
            avatars.show(address, "Your picture")
            if st.button("Remove", icon=":material/delete:", key=f"{KEY}_picture_remove"):
                app.people.own_account.delete_avatar(viewer, session.now())
                _new_picture("Your picture is removed.")
        else:
            st.caption("Without a picture, your initials are shown.")


def _new_picture(said: str) -> None:
    _start_over("picture")
    widgets.flash(said)
    st.rerun()


def _password() -> None:
    app, viewer = session.current()
    with st.form(f"{KEY}_password", border=False):
        typed = [
            st.text_input(
                f"{which} Password",
                type="password",
                max_chars=MAX,
                key=_key("password", which.lower()),
                autocomplete="current-password" if which == "Current" else "new-password",
                help=_RULE if which == "New" else None,
            )
            for which in ("Current", "New", "Confirm")
        ]
        place = st.empty()
        update = st.form_submit_button("Update", type="primary", key=f"{KEY}_password_update")
    if update:
        with widgets.show_errors(dict.fromkeys(("", "current", "password", "confirm"), place)):
            ended = app.people.own_account.change_password(viewer, NewPassword(*typed), session.token(), session.now())
            others = f" {formats.count(ended, 'other session', 'other sessions')} ended." if ended else ""
            widgets.flash(f"Your password is changed.{others}")
            _start_over("password")
            st.rerun()


_RULE = f"It needs {', '.join(words for _, words in RULES[:-1])} and {RULES[-1][1]}. All your other sessions will end."


def _sessions() -> None:
    app, viewer = session.current()
    devices = app.people.signing_in.list_sessions(viewer, session.token(), session.now())
    others = [device for device in devices if not device.is_current]
    if not others:
        st.caption("You are not logged in anywhere else.")
        return
    for device in others[:_SESSIONS_SHOWN]:
        _session(device)
    if len(others) > _SESSIONS_SHOWN:
        st.caption(f"And {formats.count(len(others) - _SESSIONS_SHOWN, 'more session', 'more sessions')}.")
    sure = "You will be logged in only here. Unsaved work in the other sessions may be lost."
    if widgets.confirmed("End all other sessions", text=sure, key=f"{KEY}_end_all", icon=":material/logout:"):
        with widgets.show_errors():
            ended = app.people.signing_in.revoke_others(viewer, session.token(), session.now())
            widgets.flash(f"{formats.count(ended, 'session', 'sessions')} ended.")
            st.rerun()


def _session(device: Device) -> None:
    app, viewer = session.current()
    with st.container(horizontal=True, vertical_alignment="center", key=f"{KEY}_session_{device.session_id}"):
        with st.container(gap=None):
            st.markdown(f"**{formats.plain(device.browser)}**")
            active, since = (formats.moment(at, viewer.time_zone) for at in (device.active_at, device.created_at))
            st.caption(f"{formats.plain(device.address)} · last active {active} · since {since}")
        ends = st.button("End session", key=f"{KEY}_end_{device.session_id}")
    if ends:
        with widgets.show_errors():
            app.people.signing_in.revoke_session(viewer, device.session_id, session.now())
            widgets.flash("The session has ended.")
            st.rerun()


def _named(replacement: str) -> str:
    return _SHOWN_AS.get(replacement, replacement)


def _list(characters: Sequence[str]) -> str:
    """Return the characters, those that cannot be seen, or that few fonts have, by their names."""
    seen = [each for each in characters if each.isprintable() and not each.isspace() and ord(each) < _RARE]
    named = [unicodedata.name(each, "tab").lower() for each in characters if each not in seen]
    return ", ".join([*filter(None, [" ".join(seen)]), *named])
