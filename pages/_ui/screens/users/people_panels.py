"""The panels of the Users page: inviting somebody, changing somebody, and what the icons in a row do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core.bootstrap import App
from core.domain.accounts.accounts import Account
from core.domain.people.access import Act, is_within, may
from core.domain.people.people import Person, UserStatus
from core.domain.people.permissions import PRESETS, Permission, Viewer, preset_of
from core.services.people.inviting import Invitation
from core.services.people.managing_people import Change
from pages._ui import address, formats, session, widgets

KEY = "users"
CUSTOM = "Custom"
# Whoever is invited gets the least by default, and everything only on purpose.
ROLES = ("Campaign manager", "Reporting manager", "User manager", "Administrator")
OPENS: Mapping[Permission, str] = {
    Permission.DISTRIBUTION_LISTS: "upload lists of contacts, and see their numbers",
    Permission.CAMPAIGN: "write, schedule and launch campaigns",
    Permission.QUICK_SEND: "send to a few numbers at once",
    Permission.STATISTICS: "count and compare messages",
    Permission.MESSAGE_HISTORY: "look at individual messages",
    Permission.USERS: "invite people, and change what they may do",
    Permission.TRAFFIC_ACCOUNTS: "look at accounts and name them, import outside traffic",
    Permission.BRANDING: "change logo and colors",
    Permission.AUDIT: "see who did what",
}
DELETE_WARNING = "They are logged out immediately and can no longer log in. Their lists and campaigns stay."


@dataclass(frozen=True)
class Order:
    """By which column, and in which direction."""

    column: str
    descending: bool = False


ORDERS = {
    "Name": Order("name"),
    "Name, Z to A": Order("name", descending=True),
    "Email": Order("email"),
    "Status": Order("status"),
    "Newest first": Order("created_at", descending=True),
    "Oldest first": Order("created_at"),
}


def choose_order() -> Order:
    """Draw the menu and return the order of all people, not only of those on the page."""
    label = st.selectbox(
        "Sort by",
        list(ORDERS),
        key=f"{KEY}_sort",
        format_func=lambda name: f"Sort by: {name}",
        label_visibility="collapsed",
        bind=address.bound(f"{KEY}_sort"),
        width=210,
    )
    return ORDERS[label]


def icons(viewer: Viewer, people: Sequence[Person]) -> dict[str, list[str | None]]:
    """Return for each row what *viewer* may do with the person in it."""

    def column(icon: str, *acts: Act) -> list[str | None]:
        return [icon if any(may(viewer, person, act) for act in acts) else None for person in people]

    pause = column(":material/pause:", Act.DEACTIVATE)
    play = column(":material/play_arrow:", Act.ACTIVATE)
    return {
        "edit": column(":material/edit:", Act.CHANGE),
        "pause": [first or second for first, second in zip(pause, play, strict=True)],
        "delete": column(":material/delete:", Act.DELETE),
        "resend": column(":material/forward_to_inbox:", Act.INVITE_AGAIN),
    }


def act(action: str, user_id: str) -> None:
    """Do what the icon stands for. Raises: as `ManagingPeople` and `Inviting`."""
    app, viewer = session.current()
    person = app.people.managing.get(viewer, user_id)
    if action == "edit":
        widgets.open_panel(f"{KEY}_edit", user_id)
    elif action == "delete":
        title = f"Delete {person.name}?"
        widgets.ask(f"{KEY}_delete", user_id, title=title, text=f"{person.email}. {DELETE_WARNING}")
    elif action == "resend":
        with st.spinner("Sending the invitation…"):
            app.people.inviting.resend(viewer, user_id, session.now())
        sent = app.people.mailing.detour or f"The link goes to {person.email}."
        widgets.flash(f"{person.name} gets a new invitation. {sent}", icon=":material/forward_to_inbox:")
        st.rerun()
    else:
        widgets.flash(_switch(app, viewer, person))
        st.rerun()


def _switch(app: App, viewer: Viewer, person: Person) -> str:
    """Pause or activate *person*; return what has happened in words."""
    if person.status is not UserStatus.INACTIVE:
        app.people.managing.deactivate(viewer, person.user_id, session.now())
        return f"{person.name} is Inactive, and logged out everywhere."
    now = app.people.managing.activate(viewer, person.user_id, session.now())
    if now.status is UserStatus.PENDING:
        return f"{person.name} is Pending. Earlier links no longer work: resend the invitation."
    return f"{person.name} is Active again."


def delete_answered() -> None:
    """Ask whether somebody is to be deleted, and do it after OK."""
    if user_id := widgets.answered(f"{KEY}_delete"):
        app, viewer = session.current()
        gone = app.people.managing.delete(viewer, user_id, session.now())
        widgets.flash(f"{gone.name} was deleted.")


def show_open() -> None:
    """Draw the panel that is open, if any; the page calls it last."""
    if widgets.is_open(f"{KEY}_invite"):
        _invite_panel()
    elif widgets.is_open(f"{KEY}_edit"):
        app, viewer = session.current()
        with widgets.show_errors():
            _edit_panel(app.people.managing.get(viewer, widgets.open_subject()))


@st.dialog("Invite user", position="right", icon=":material/person_add:", on_dismiss=widgets.close_panel)
def _invite_panel() -> None:
    app, viewer = session.current()
    key = f"{KEY}_invite"
    name = st.text_input("Name", max_chars=100, key=f"{key}_name", help="As it will appear in the tool.")
    email = st.text_input(
        "Email",
        max_chars=254,
        key=f"{key}_email",
        help=app.people.mailing.detour or "Where the invitation is sent.",
    )
    permissions = _choose_permissions(viewer, key, frozenset())
    chosen = _choose_accounts(app.accounts.managing.list_accounts(viewer), key, frozenset(), permissions)
    if _save_or_cancel(key, "Save"):
        with widgets.show_errors(), st.spinner("Sending the invitation…"):
            invited = app.people.inviting.invite(viewer, Invitation(name, email, permissions, chosen), session.now())
            sent = app.people.mailing.detour or f"The link goes to {invited.email}."
            _done(f"{invited.name} is invited. {sent}", ":material/forward_to_inbox:")


def _edit_panel(person: Person) -> None:
    @st.dialog(
        f"Edit {formats.plain(person.name)}",
        position="right",
        icon=":material/edit:",
        on_dismiss=widgets.close_panel,
    )
    def panel() -> None:
        _edit(person.user_id)

    panel()


def _edit(user_id: str) -> None:
    app, viewer = session.current()
    with widgets.show_errors():
        person = app.people.managing.get(viewer, user_id)
        key = f"{KEY}_edit_{user_id}"
        st.text(person.email)
        name, permissions = person.name, person.permissions
        if is_within(viewer, person):
            name = st.text_input("Name", person.name, max_chars=100, key=f"{key}_name")
            permissions = _choose_permissions(viewer, key, person.permissions)
        else:
            st.info(
                f"{formats.plain(person.name)} has permissions that you do not have, so you can only change the "
                "traffic accounts.",
                icon=":material/lock:",
            )
        chosen = _choose_accounts(app.accounts.managing.list_accounts(viewer), key, person.account_ids, permissions)
        if _save_or_cancel(key, "Save"):
            changed = app.people.managing.change(viewer, user_id, Change(name, permissions, chosen), session.now())
            _done(f"Your changes to {changed.name} are saved.", ":material/check_circle:")


def _choose_permissions(viewer: Viewer, key: str, held: frozenset[Permission]) -> frozenset[Permission]:
    """Draw the roles that *viewer* may give and, for a custom one, a check box for each permission."""
    roles = [*(role for role in ROLES if viewer.may(*PRESETS[role])), CUSTOM]
    now = preset_of(held) if held else roles[0]
    role = st.selectbox("Permissions", roles, roles.index(now), key=f"{key}_role")
    if role == CUSTOM:
        chosen = frozenset(
            permission
            for permission in Permission
            if viewer.may(permission)
            and st.checkbox(
                f"**{permission}** – {OPENS[permission]}", permission in held, key=f"{key}_permission_{permission.name}"
            )
        )
    else:
        chosen = PRESETS[role]
        st.caption(f"Opens {', '.join(permission for permission in Permission if permission in chosen)}.")
    if not viewer.is_administrator:
        st.caption("You can give the permissions that you have yourself; an administrator can give any.")
    return chosen


def _choose_accounts(
    mine: Sequence[Account], key: str, held: frozenset[str], permissions: frozenset[Permission]
) -> frozenset[str]:
    """Draw the viewer's accounts; say what the chosen ones do not open."""
    by_id = {account.account_id: account for account in mine}
    chosen = st.multiselect(
        "Traffic accounts",
        list(by_id),
        [account_id for account_id in by_id if account_id in held],
        format_func=lambda account_id: _label(by_id[account_id]),
        placeholder="None",
        key=f"{key}_accounts",
        help="To send, somebody needs an active account of type Campaign. For statistics and message history any "
        "account will do.",
    )
    if others := len(held - by_id.keys()):
        one = others == 1
        st.caption(
            f"Also belongs to {formats.count(others, 'account', 'accounts')} that {'is' if one else 'are'} not yours: "
            f"{'it stays' if one else 'they stay'}."
        )
    sends = permissions & {Permission.CAMPAIGN, Permission.QUICK_SEND}
    if sends and not any(by_id[account_id].can_send for account_id in chosen) and not held - by_id.keys():
        st.info("Without an active account of type Campaign, sending is closed.", icon=":material/info:")
    return frozenset(chosen)


def _label(account: Account) -> str:
    return f"{account.display_name} ({account.account_type}, {account.status})"


def _save_or_cancel(key: str, label: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        cancel = st.button("Cancel", key=f"{key}_cancel")
        save = st.button(label, type="primary", key=f"{key}_save")
    if cancel:
        widgets.close_panel()
        st.rerun()
    return save


def _done(text: str, icon: str) -> None:
    widgets.flash(text, icon=icon)
    widgets.close_panel()
    st.rerun()
