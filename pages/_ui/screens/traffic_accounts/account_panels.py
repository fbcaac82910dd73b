"""The panels of the Traffic Accounts page: naming an account, creating one, and how it sends."""

from collections.abc import Sequence
from decimal import Decimal

import streamlit as st

from core.domain.accounts.accounts import RATE_MAX, RATE_MIN, Account, AccountType
from core.domain.words.names import NAME_MAX, NAME_MIN
from core.services.accounts.managing_accounts import AccountSettings, NewAccount, require_administrator
from pages._ui import formats, session, widgets
from pages._ui.panels import limit_fields
from pages._ui.screens.traffic_accounts import account_spending, price_panels

KEY = "traffic_accounts"
DEACTIVATE = (
    "Nobody can create campaigns or send with it, and its individual messages are hidden until it is active again. "
    "Campaigns being sent are paused and have to be resumed by hand. Statistics still count its messages."
)
ACTIVATE = (
    "People can create campaigns and send with it again. Its paused campaigns stay paused until they are resumed."
)
# As much as three SMS have room for; what it needs is judged when it is saved.
_CONFIRMATION_MAX = 459
_NAME_HELP = f"{NAME_MIN} to {NAME_MAX} characters."
_TYPES = {
    AccountType.HTTP: "To review and track messages that are sent outside the tool.",
    AccountType.SMPP: "To review and track messages that are sent outside the tool.",
    AccountType.CAMPAIGN: "To create campaigns and send, and to review and track the messages.",
}


def show_open() -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(f"{KEY}_create"):
        _create_panel()
        return
    app, viewer = session.current()
    for name, panel in (("rename", _rename_panel), ("run", _run_panel)):
        if widgets.is_open(f"{KEY}_{name}"):
            with widgets.show_errors():
                panel(app.accounts.managing.get(viewer, widgets.open_subject()))


def nothing_here() -> None:
    """Draw what stands where the viewer belongs to no account."""
    with widgets.empty_state(
        ":material/hub:",
        "No traffic accounts",
        "You do not belong to any traffic account. Ask an administrator to add you to one.",
    ):
        pass


def _rename_panel(item: Account) -> None:
    @st.dialog(formats.plain(item.name), position="right", icon=":material/edit:", on_dismiss=widgets.close_panel)
    def panel() -> None:
        app, viewer = session.current()
        key = f"{KEY}_rename_{item.account_id}"
        with st.form(f"{key}_form", border=False):
            name = st.text_input(
                "Display Name", item.display_name, max_chars=NAME_MAX, key=f"{key}_name", help=_NAME_HELP
            )
            st.caption("The name people who work with the account see.")
            save = st.form_submit_button("Save", type="primary", key=f"{KEY}_rename_save", width="stretch")
        if save:
            with widgets.show_errors():
                app.accounts.managing.rename(viewer, item.account_id, name, session.now())
                _finish("The display name is saved.")

    panel()


@st.dialog("Create Account", position="right", icon=":material/add:", on_dismiss=widgets.close_panel)
def _create_panel() -> None:
    app, viewer = session.current()
    name = st.text_input("Account Name", max_chars=NAME_MAX, key=f"{KEY}_create_name", help=_NAME_HELP)
    display_name = st.text_input(
        "Display Name",
        max_chars=NAME_MAX,
        key=f"{KEY}_create_display_name",
        help="The name people who work with the account see.",
    )
    kind = st.radio(
        "Account Type",
        list(_TYPES),
        index=2,
        captions=list(_TYPES.values()),
        format_func=lambda item: item.value,
        key=f"{KEY}_create_type",
    )
    settings = None
    if kind is AccountType.CAMPAIGN:
        names = _list_gateways()
        settings = _settings(names, AccountSettings(names[0], app.settings.default_rate_tps), f"{KEY}_create")
    if st.button("Create", type="primary", key=f"{KEY}_create_save", width="stretch"):
        with widgets.show_errors():
            new = app.accounts.managing.create(viewer, NewAccount(name, display_name, kind, settings), session.now())
            free = " Its messages cost nothing until it has a price list." if settings else ""
            _finish(f"{new.display_name} is created, and you belong to it.{free}")


def _settings(names: Sequence[str], before: AccountSettings, key: str) -> AccountSettings:
    """Draw how an account sends, as it was *before*, and return what is chosen."""
    index = names.index(before.gateway) if before.gateway in names else 0
    gateway = st.selectbox(
        "Gateway",
        names,
        index,
        key=f"{key}_gateway",
        help="The provider it sends through. Gateways are set up on the Gateways page.",
    )
    fallback = st.selectbox(
        "Fallback gateway",
        ["", *names],
        names.index(before.fallback_gateway) + 1 if before.fallback_gateway in names else 0,
        format_func=lambda name: name or "None",
        key=f"{key}_fallback_gateway",
        help="For messages that the first gateway certainly did not take, and for no others.",
    )
    rate = st.number_input(
        "Segments per second",
        RATE_MIN,
        RATE_MAX,
        before.rate_tps,
        key=f"{key}_rate",
        help="The limit for all campaigns of the account together. It applies to running ones immediately.",
    )
    budget = _budget(before.budget_eur, f"{key}_budget")
    return AccountSettings(gateway, rate, budget, fallback, _confirmation(before.stop_confirmation, key))


def _budget(before: Decimal | None, key: str) -> Decimal | None:
    budget = limit_fields.budget(
        "Monthly budget [EUR]",
        None if before is None else float(before),
        key=key,
        explained="For a calendar month (UTC). A campaign that would cost more than is left is not launched, and one "
        "being sent pauses before it would exceed the budget. People are told at 80 %.",
    )
    return None if budget is None else Decimal(f"{budget:.2f}")


def _confirmation(before: str, key: str) -> str:
    return st.text_area(
        "Confirmation of a STOP",
        before,
        max_chars=_CONFIRMATION_MAX,
        placeholder="No message",
        key=f"{key}_stop_confirmation",
        help="Sent once to whoever replies STOP to a message of this account, from the sender they answered. It is "
        "counted and priced as a Quick Send. Empty: nothing is sent, and STOP is followed all the same.",
    )


def _list_gateways() -> list[str]:
    app, viewer = session.current()
    return [each.setup.name for each in app.accounts.setting_up.list_gateways(viewer)]


def _run_panel(item: Account) -> None:
    @st.dialog(formats.plain(item.display_name), position="right", width=760, on_dismiss=widgets.close_panel)
    def panel() -> None:
        _run(item.account_id)

    panel()


def _run(account_id: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        require_administrator(viewer)
        item = app.accounts.managing.get(viewer, account_id)
        with st.container(horizontal=True, vertical_alignment="center"):
            widgets.status_badge(item.status)
            st.caption(f"{item.account_type} account {formats.plain(item.name)}", width="content")
        if item.account_type is not AccountType.CAMPAIGN:
            st.info(
                "Its messages are sent outside the tool: it has no gateway, rate, budget or prices here.",
                icon=":material/info:",
            )
            return
        # With a state of its own it stays where it is when something was saved.
        names, key = ("Sending", "Price list"), f"{KEY}_tab_{account_id}"
        sending, prices = st.tabs(names, key=key, on_change="rerun")
        with sending:
            _sending(item)
        with prices, widgets.show_errors():
            price_panels.show(item)


def _sending(item: Account) -> None:
    app, viewer = session.current()
    cents = item.monthly_budget_eur_cents
    budget = None if cents is None else cents / 100
    before = AccountSettings(item.gateway, item.rate_tps, budget, item.fallback_gateway, item.stop_confirmation)
    account_spending.show(app.accounts.spending.list_months(viewer, [item.account_id], session.now())[item.account_id])
    lists = app.accounts.pricing.list_lists(viewer, item.account_id, session.now())
    if budget is not None and not any(each.is_current for each in lists):
        st.warning(
            "**Messages cost nothing without a price list, so the budget stops nothing.** Import one under "
            "*Price list*.",
            icon=":material/sell:",
        )
    with st.form(f"{KEY}_sending_form", border=False):
        settings = _settings(_list_gateways(), before, f"{KEY}_{item.account_id}")
        save = st.form_submit_button("Save", type="primary", key=f"{KEY}_sending_save")
    if save:
        with widgets.show_errors():
            app.accounts.managing.change(viewer, item.account_id, settings, session.now())
            widgets.flash("The account's settings are saved.")
            st.rerun()


def _finish(text: str) -> None:
    widgets.flash(text)
    widgets.close_panel()
    st.rerun()
