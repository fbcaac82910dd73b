"""The panels of the Gateways page: adding a gateway, and how one is set up."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.gateways.gateways import NAME_MAX, GatewaySetup
from core.domain.words.names import NAME_MIN
from core.errors import AppError
from core.gateways.kinds import GatewayKind
from core.services.accounts.managing_accounts import require_administrator
from pages._ui import formats, session, widgets
from pages._ui.screens.gateways import gateway_fields, gateway_live, gateway_test, stray_panel

KEY = "gateways"
DELETE = (
    "Its settings and secrets are deleted. Messages that were sent by it keep its name, and receipts that still arrive "
    "for them are refused."
)
_TESTS, _TESTED = f"{KEY}_tests", f"{KEY}_tested"
_WIDTH = 760


@dataclass(frozen=True)
class _Tested:
    """What came of a test of the gateway called *name*: a *fault* with what to do, or what was *said*."""

    name: str
    said: str = ""
    fault: str = ""
    hint: str = ""


def open_for(name: str, *, tests: bool = False) -> None:
    """Let the gateway's panel be open, with a test of its connection."""
    st.session_state.pop(_TESTED, None)
    st.session_state[_TESTS] = tests
    widgets.open_panel(f"{KEY}_change", name)


def show_open() -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(f"{KEY}_add"):
        _add_panel()
    elif widgets.is_open(f"{KEY}_change"):
        _change_panel(widgets.open_subject())


@st.dialog("Add Gateway", position="right", icon=":material/add:", width=_WIDTH, on_dismiss=widgets.close_panel)
def _add_panel() -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        require_administrator(viewer)
        kinds = app.accounts.setting_up.list_kinds()
        _say_key()
        kind = st.selectbox(
            "Kind",
            list(kinds),
            format_func=lambda name: kinds[name].title,
            key=f"{KEY}_kind",
            help="The protocol or the provider.",
        )
        with st.form(f"{KEY}_add_form", border=False):
            name = st.text_input(
                "Name",
                max_chars=NAME_MAX,
                key=f"{KEY}_name",
                help=f"{NAME_MIN} to {NAME_MAX} characters. Every message keeps it, so it cannot be changed later.",
            )
            form = gateway_fields.draw(kinds[kind], GatewaySetup("", kind), f"{KEY}_add_{kind}")
            wrong, save, tests = _save_buttons(f"{KEY}_add")
        if save or tests:
            with wrong, widgets.show_errors():
                made = app.accounts.setting_up.create(viewer, name, kind, form, session.now())
                gateway_fields.empty_secrets()
                widgets.flash(f"{made.name} is added. Choose it for an account to send by it.")
                open_for(made.name, tests=tests)
                st.rerun()


def _change_panel(name: str) -> None:
    @st.dialog(formats.plain(name), position="right", width=_WIDTH, on_dismiss=widgets.close_panel)
    def panel() -> None:
        _change(name)

    panel()


def _change(name: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        item = app.accounts.setting_up.get(viewer, name)
        kind = app.accounts.setting_up.find_kind(item)
        gateway_live.show(name, kind)
        if kind is None:
            st.warning("This version of Heliograph does not know this kind of gateway.", icon=":material/warning:")
            return
        _test(name)
        gateway_test.show(name)
        _form(item, kind)
        if kind.hears_callbacks:
            with widgets.show_errors():
                _callback(name)
        with widgets.show_errors():
            stray_panel.show(name)


def _form(item: GatewaySetup, kind: GatewayKind) -> None:
    app, viewer = session.current()
    _say_key()
    if item.secrets_at is not None:
        when = formats.moment(item.secrets_at, viewer.time_zone)
        st.caption(f":material/lock: Secrets were last set on {when}.")
    with st.form(f"{KEY}_form", border=False):
        form = gateway_fields.draw(kind, item, f"{KEY}_{item.name}")
        wrong, save, tests = _save_buttons(KEY)
    if save or tests:
        with wrong, widgets.show_errors():
            app.accounts.setting_up.change(viewer, item.name, form, session.now())
            gateway_fields.empty_secrets()
            widgets.flash(f"{item.name} is saved.")
            open_for(item.name, tests=tests)
            st.rerun()


def _save_buttons(key: str) -> tuple[DeltaGenerator, bool, bool]:
    """
    Draw both; return where to say what is wrong, whether to save, and whether to test then, too.

    What is wrong stands above the buttons: whoever has just pressed one at the lower edge sees nothing below it.
    """
    # However long the form is, it lies at the lower edge of the panel (frame.css).
    with st.container(key=f"{key}_form_end"):
        wrong = st.container()
        with st.container(horizontal=True, vertical_alignment="center"):
            save = st.form_submit_button("Save", type="primary", key=f"{key}_save")
            tests = st.form_submit_button("Save and test", icon=":material/network_check:", key=f"{key}_save_and_test")
    return wrong, save, tests


def _test(name: str) -> None:
    """Test the connection where that was asked for, and say what came of the last test."""
    app, viewer = session.current()
    if st.session_state.pop(_TESTS, False):
        with st.spinner("Testing the connection…"):
            try:
                said = app.accounts.setting_up.test_connection(viewer, name, session.now())
                st.session_state[_TESTED] = _Tested(name, said)
            except AppError as error:
                st.session_state[_TESTED] = _Tested(name, fault=error.message, hint=error.hint)
    tested: _Tested | None = st.session_state.get(_TESTED)
    if tested is None or tested.name != name:
        return
    if tested.fault:
        widgets.fault(tested.fault, tested.hint)
    else:
        st.success(f"**The connection works.**  \n{formats.plain(tested.said)}", icon=":material/check_circle:")


def _callback(name: str) -> None:
    app, viewer = session.current()
    url = app.accounts.setting_up.get_callback_url(viewer, name)
    st.subheader("Callback address", anchor=False)
    if url:
        st.code(url, language=None, wrap_lines=True)
        st.caption("Give it to your provider and to nobody else: anyone who knows it can report receipts.")
        if not app.settings.public_url:
            st.warning(
                "Your provider cannot reach this address: it is only for this machine. Ask whoever runs Heliograph to "
                "set HELIOGRAPH_PUBLIC_URL.",
                icon=":material/public_off:",
            )
    else:
        st.caption("Your provider reports to an address of this installation, which has none for it yet.")
    with st.popover("New address" if url else "Create an address", icon=":material/autorenew:", key=f"{KEY}_renew"):
        if url:
            st.markdown("Reports to the present address are refused from then on, until your provider has the new one.")
        if st.button("Ok", type="primary", key=f"{KEY}_renew_ok"):
            app.accounts.setting_up.renew_callback(viewer, name, session.now())
            widgets.flash("The address is new.")
            st.rerun()


def _say_key() -> None:
    app, _ = session.current()
    if not app.accounts.setting_up.has_key:
        st.warning(
            "This installation has no key to encrypt secrets with. Ask whoever runs it to set HELIOGRAPH_SECRET_KEY "
            "for web and worker; `python -m core make-key` prints one.",
            icon=":material/key:",
        )
