"""The Users page: what it shows, what its panels and icons do, and who may open it."""

import re
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from core.domain.people.people import Person, UserStatus
from core.domain.people.permissions import PRESETS, Permission
from core.domain.reports.paging import PageRequest
from core.services.people.adding_people import NewPerson
from core.services.people.inviting import Inviting
from core.services.people.mailing import Mailing
from core.services.people.managing_people import Change
from core.state.people import users
from core.state.people.sessions import Browser
from pages._ui import formats, session
from tests.support.application.page_tests import PASSWORD, House, clicking
from tests.support.fakes.mail import FakePost

EVIL = "<b>Eve</b> *bold* [x](https://evil.example)"


@pytest.fixture
def post(house: House) -> Iterator[FakePost]:
    found = FakePost()
    inviting = Inviting(house.app.state, Mailing(found, "https://sms.example.org"), 168)
    # The room is frozen; the pages ask it for the service by name.
    with patch.dict(vars(house.app.people), {"inviting": inviting}):
        yield found


def add(house: House, name: str = "Ben", preset: str = "Reporting manager", **facts: object) -> str:
    email = f"{re.sub('[^a-z0-9]', '', name.lower())}@example.org"
    new = NewPerson(name, email, PASSWORD, preset, **facts)
    return house.app.people.adding.add(new, session.now()).user_id


def person(house: House, name: str) -> Person:
    with house.app.state.read() as opened:
        found = users.page_people(opened, PageRequest(size=100)).items
    return next(item for item in found if item.name == name)


def names(at: AppTest) -> list[str]:
    return list(at.dataframe[0].value["Name"]) if at.dataframe else []


def click(at: AppTest, action: str, name: str) -> AppTest:
    with clicking(action, names(at).index(name)):
        return at.run()


def drawn(cell: object) -> str | None:
    """Return the name of the icon in a cell, None where there is none."""
    return cell.strip(":").removeprefix("material/") if isinstance(cell, str) else None


def texts(at: AppTest) -> str:
    shown = [*at.markdown, *at.caption, *at.error, *at.info, *at.toast]
    return "\n".join(str(element.value) for element in shown)


def test_the_table_has_the_guide_s_columns(house: House) -> None:
    house.sign_in()
    add(house, "Zoe", "Campaign manager")
    at = house.open("users")
    assert not at.exception
    table = at.dataframe[0].value
    assert list(table.columns)[:4] == ["Name", "Email", "Presets", "Status"]
    rows = [(row["Name"], row["Email"], row["Presets"], list(row["Status"])) for _, row in table.iterrows()]
    assert rows == [
        ("Ada Lovelace", "administrator@example.org", "Administrator", ["Active"]),
        ("Zoe", "zoe@example.org", "Campaign manager", ["Active"]),
    ]


def test_icons_are_there_where_they_do_something(house: House, post: FakePost) -> None:
    viewer = house.sign_in()
    paused = add(house, "Ben")
    house.app.people.managing.deactivate(viewer, paused, session.now())
    add(house, "Carol")
    table = house.open("users").dataframe[0].value.set_index("Name")
    columns = ["edit", "pause", "delete", "resend"]
    marks = {name: [drawn(table.loc[name, column]) for column in columns] for name in table.index}
    assert marks == {
        "Ada Lovelace": ["edit", None, None, None],
        "Ben": ["edit", "play_arrow", "delete", None],
        "Carol": ["edit", "pause", "delete", None],
    }


def test_people_are_found_and_ordered(house: House) -> None:
    house.sign_in()
    for name in ("Ben", "Carol"):
        add(house, name)
    at = house.open("users")
    at.selectbox(key="users_sort").select("Name, Z to A").run()
    assert names(at) == ["Carol", "Ben", "Ada Lovelace"]
    at.text_input(key="users_search").input("aRo").run()
    assert names(at) == ["Carol"]
    at.text_input(key="users_search").input("nobody").run()
    assert names(at) == []
    assert not at.exception


def test_users_are_paged(house: House) -> None:
    house.sign_in()
    for number in range(11):
        add(house, f"P{number:02d}")
    at = house.open("users")
    assert len(names(at)) == 10
    at.selectbox(key="users_size").select(25).run()
    assert len(names(at)) == 12


def test_somebody_is_invited_with_a_role_and_an_account(house: House, post: FakePost) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    at = house.open("users")
    at.button(key="users_invite_button").click().run()
    assert at.selectbox(key="users_invite_role").options == [
        "Campaign manager", "Reporting manager", "User manager", "Administrator", "Custom"
    ]  # fmt: skip
    at.text_input(key="users_invite_name").input(EVIL)
    at.text_input(key="users_invite_email").input("eve@example.org")
    at.multiselect(key="users_invite_accounts").select(account_id)
    at.button(key="users_invite_save").click().run()
    assert not at.exception
    assert not at.error
    assert EVIL in names(at)
    eve = person(house, EVIL)
    assert (eve.status, eve.permissions, eve.account_ids) == (
        UserStatus.PENDING,
        PRESETS["Campaign manager"],
        {account_id},
    )
    assert [mail.to for mail in post.mails] == ["eve@example.org"]
    assert EVIL not in texts(at)


def test_somebody_is_invited_with_single_permissions(house: House, post: FakePost) -> None:
    house.sign_in()
    at = house.open("users")
    at.button(key="users_invite_button").click().run()
    at.selectbox(key="users_invite_role").select("Custom").run()
    assert len(at.checkbox) == len(Permission)
    at.checkbox(key="users_invite_permission_AUDIT").check()
    at.checkbox(key="users_invite_permission_QUICK_SEND").check().run()
    assert "sending is closed" in texts(at)
    at.text_input(key="users_invite_name").input("Ben")
    at.text_input(key="users_invite_email").input("ben@example.org")
    at.button(key="users_invite_save").click().run()
    assert person(house, "Ben").permissions == {Permission.AUDIT, Permission.QUICK_SEND}


def test_what_is_wrong_stays_in_the_panel(house: House, post: FakePost) -> None:
    house.sign_in()
    at = house.open("users")
    at.button(key="users_invite_button").click().run()
    at.text_input(key="users_invite_name").input("Ben")
    at.text_input(key="users_invite_email").input("administrator@example.org")
    at.button(key="users_invite_save").click().run()
    assert "Somebody already has this email" in at.error[0].value
    assert at.text_input(key="users_invite_name").value == "Ben"


def test_a_mail_that_fails_says_resend_and_the_envelope_does(house: House, post: FakePost) -> None:
    house.sign_in()
    post.broken = True
    at = house.open("users")
    at.button(key="users_invite_button").click().run()
    at.text_input(key="users_invite_name").input("Ben")
    at.text_input(key="users_invite_email").input("ben@example.org")
    at.button(key="users_invite_save").click().run()
    assert "resend" in at.error[0].value
    at.button(key="users_invite_cancel").click().run()
    assert list(at.dataframe[0].value.set_index("Name").loc["Ben", "Status"]) == ["Pending"]
    post.broken = False
    at = click(at, "resend", "Ben")
    assert not at.error
    assert "new invitation" in texts(at)
    assert [mail.to for mail in post.mails] == ["ben@example.org"]


def test_pause_and_play_end_and_open_access(house: House) -> None:
    house.sign_in()
    add(house)
    token = house.app.people.signing_in.sign_in("ben@example.org", PASSWORD, Browser("192.0.2.1"), session.now())
    at = click(house.open("users"), "pause", "Ben")
    assert "Inactive" in texts(at)
    assert person(house, "Ben").status is UserStatus.INACTIVE
    assert house.app.people.signing_in.identify(token, session.now()) is None
    at = click(at, "pause", "Ben")
    assert person(house, "Ben").status is UserStatus.ACTIVE


def test_the_icon_acts_on_the_row_that_was_drawn(house: House) -> None:
    house.sign_in()
    add(house, "Ben")
    at = house.open("users")
    row = names(at).index("Ben")
    # Somebody else adds a person above it meanwhile.
    add(house, "Al")
    with clicking("pause", row):
        at.run()
    assert person(house, "Ben").status is UserStatus.INACTIVE
    assert person(house, "Ada Lovelace").status is UserStatus.ACTIVE


def test_the_trash_can_asks_first(house: House) -> None:
    house.sign_in()
    add(house, EVIL)
    at = click(house.open("users"), "delete", EVIL)
    assert EVIL in names(at)
    assert EVIL not in texts(at)
    at.button(key="users_delete_cancel").click().run()
    assert EVIL in names(at)
    at = click(at, "delete", EVIL)
    at.button(key="users_delete_ok").click().run()
    assert not at.exception
    assert EVIL not in names(at)


def test_the_pencil_changes_name_permissions_and_accounts(house: House) -> None:
    viewer = house.sign_in()
    (account_id,) = viewer.account_ids
    user_id = add(house)
    at = click(house.open("users"), "edit", "Ben")
    assert at.selectbox(key=f"users_edit_{user_id}_role").value == "Reporting manager"
    at.text_input(key=f"users_edit_{user_id}_name").input("Benjamin")
    at.selectbox(key=f"users_edit_{user_id}_role").select("User manager")
    at.multiselect(key=f"users_edit_{user_id}_accounts").select(account_id)
    at.button(key=f"users_edit_{user_id}_save").click().run()
    assert not at.error
    changed = person(house, "Benjamin")
    assert (changed.permissions, changed.account_ids) == (PRESETS["User manager"], {account_id})


def test_the_last_administrator_is_not_demoted(house: House) -> None:
    viewer = house.sign_in()
    at = click(house.open("users"), "edit", "Ada Lovelace")
    at.selectbox(key=f"users_edit_{viewer.user_id}_role").select("User manager")
    at.button(key=f"users_edit_{viewer.user_id}_save").click().run()
    assert "last active administrator" in at.error[0].value
    assert person(house, "Ada Lovelace").is_administrator


def test_a_user_manager_gives_what_he_or_she_has_and_moves_the_others(house: House, post: FakePost) -> None:
    house.sign_in()
    ben = add(house, "Ben", "Campaign manager")
    manager = house.sign_in("User manager")
    (account_id,) = manager.account_ids
    at = house.open("users")
    table = at.dataframe[0].value
    row = table[table["Name"] == "Ben"].iloc[0]
    assert [drawn(row[name]) for name in ("edit", "pause", "delete")] == ["edit", None, None]
    administrator = table[table["Presets"] == "Administrator"].iloc[0]
    assert drawn(administrator["edit"]) is None
    at = click(at, "edit", "Ben")
    assert not [field for field in at.selectbox if field.key == f"users_edit_{ben}_role"]
    at.multiselect(key=f"users_edit_{ben}_accounts").select(account_id)
    at.button(key=f"users_edit_{ben}_save").click().run()
    assert person(house, "Ben").account_ids == {account_id}
    at.button(key="users_invite_button").click().run()
    assert at.selectbox(key="users_invite_role").options == ["User manager", "Custom"]
    at.selectbox(key="users_invite_role").select("Custom").run()
    assert {box.key for box in at.checkbox} == {
        "users_invite_permission_USERS",
        "users_invite_permission_TRAFFIC_ACCOUNTS",
    }


@pytest.mark.parametrize("preset", ["Campaign manager", "Reporting manager"])
def test_it_is_closed_to_everybody_else(house: House, preset: str) -> None:
    house.sign_in(preset)
    with pytest.raises(ValueError, match="users"):
        house.open("users")
    at = house.open_directly("users")
    assert at.error
    assert not at.dataframe


@pytest.mark.parametrize("stem", ["create_campaign", "quick_send", "campaigns"])
def test_without_an_account_people_learn_why_sending_is_closed_and_whom_to_ask(house: House, stem: str) -> None:
    admin = house.sign_in()
    change = Change(EVIL, admin.permissions, admin.account_ids)
    house.app.people.managing.change(admin, admin.user_id, change, session.now())
    ben = house.sign_in("Campaign manager")
    house.app.people.managing.change(admin, ben.user_id, Change("Ben", ben.permissions), session.now())
    at = house.open(stem)
    assert not at.exception
    shown = texts(at)
    assert "You do not belong to any traffic account" in shown
    assert formats.plain("administrator@example.org") in shown
    # A name is shown as it was typed, and is no markup.
    assert formats.plain(EVIL) in shown
    assert EVIL not in shown


@pytest.mark.parametrize("stem", ["dashboard", "distribution_lists", "campaigns", "quick_send", "statistics"])
def test_an_administrator_without_an_account_is_told_the_way_to_one(house: House, stem: str) -> None:
    admin = house.sign_in()
    house.app.people.managing.change(admin, admin.user_id, Change("Ada", admin.permissions), session.now())
    shown = texts(house.open(stem))
    assert "Create one on the Traffic Accounts page, or add yourself to one on the Users page." in shown
