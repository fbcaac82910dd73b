import inspect
import io
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import event

from core.domain.people.notifications import Tag
from core.domain.people.people import SmsSettings
from core.domain.people.permissions import Viewer
from core.domain.reports.audit import Action, AuditFilter
from core.errors import (
    Conflict,
    InvalidInput,
    InvalidSenderId,
    NotFound,
    StorageError,
    TooManyAttempts,
    WrongCredentials,
)
from core.services.people.adding_people import NewPerson
from core.services.people.own_account import NewPassword, OwnAccount, Profile
from core.services.people.throttling import FREE_FAILURES
from core.state.people import notifications, users
from core.state.people.sessions import Browser
from core.state.reports import audit
from tests.support.application.house import PASSWORD, House

NEW = "Quiet-otter-7-lamp"
BROWSER = Browser("192.0.2.1", "Firefox")
PROFILE = Profile("Ada Lovelace", "+15417963010", "en", "Europe/Berlin")


@pytest.fixture
def own(house: House) -> OwnAccount:
    return house.app.people.own_account


@pytest.fixture
def beau(house: House) -> Viewer:
    return house.app.people.adding.add(NewPerson("Beau", "beau@example.com", PASSWORD, "Reporting manager"), house.now)


def sign_in(house: House, password: str = PASSWORD) -> str:
    return house.app.people.signing_in.sign_in("ada@example.com", password, BROWSER, house.now)


def mails(house: House) -> list[EmailMessage]:
    found = sorted(house.app.settings.outbox_dir.glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]


def link_token(mail: EmailMessage) -> str:
    return mail.get_content().partition("?token=")[2].split()[0]


def lines(house: House) -> list[tuple[Action, dict[str, str]]]:
    with house.app.state.read() as session:
        found = audit.list_entries(session, AuditFilter(), 50, 0)
    return [(line.action, dict(line.details)) for line in found if line.action is not Action.SIGNED_IN]


def picture(kind: str = "PNG", color: str = "red") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (300, 200), color).save(target, kind)
    return target.getvalue()


def test_the_profile_is_changed_and_written_down_without_the_number(house: House, own: OwnAccount):
    assert own.change_profile(house.viewer, Profile(" Ada  King ", "+1 541-796-3010", "en", "Asia/Kolkata"), house.now)
    person = own.get(house.viewer)
    assert (person.name, person.phone, person.time_zone) == ("Ada King", "+15417963010", "Asia/Kolkata")
    assert lines(house)[0] == (Action.PROFILE_CHANGED, {"changed": "name, phone, time zone"})


def test_the_phone_may_be_left_out(house: House, own: OwnAccount):
    own.change_profile(house.viewer, PROFILE, house.now)
    own.change_profile(house.viewer, Profile("Ada Lovelace", "  ", "en", "UTC"), house.now)
    assert own.get(house.viewer).phone == ""


def test_what_is_as_before_is_no_change(house: House, own: OwnAccount):
    own.change_profile(house.viewer, PROFILE, house.now)
    before = lines(house)
    assert not own.change_profile(house.viewer, PROFILE, house.now)
    assert lines(house) == before


BAD_PROFILES = [
    ("name", ""),
    ("name", "   "),
    ("name", "a" * 101),
    ("name", "Ada\u202egnp.exe"),
    ("name", "Ada\0"),
    ("phone", "12ab"),
    ("phone", "0179 6548754"),
    ("phone", "+1541"),
    ("language", "xx"),
    ("time_zone", "Mars/Olympus"),
    ("time_zone", "../../etc/passwd"),
]


def test_what_cannot_be_is_refused_at_its_field(house: House, own: OwnAccount):
    for field, value in BAD_PROFILES:
        with pytest.raises(InvalidInput) as caught:
            own.change_profile(house.viewer, Profile(**(vars(PROFILE) | {field: value})), house.now)
        assert caught.value.field == field
        assert caught.value.hint
    assert own.get(house.viewer).phone == ""


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "[Ada](https://evil.example) **!**", "Ada\r\nBcc: e@e.ex"]
)
def test_a_name_is_kept_as_text_on_one_line_and_starts_no_header(house: House, own: OwnAccount, name: str):
    own.change_profile(house.viewer, Profile(name, "", "en", "UTC"), house.now)
    assert own.get(house.viewer).name == " ".join(name.split())
    own.ask_email_change(house.viewer, "new@example.com", PASSWORD, house.now)
    [mail] = mails(house)
    assert mail["Bcc"] is None
    assert mail["To"] == "new@example.com"
    assert mail.get_content_type() == "text/plain"


def test_the_new_time_zone_is_the_viewer_s_at_once(house: House, own: OwnAccount):
    token = sign_in(house)
    own.change_profile(house.viewer, PROFILE, house.now)
    viewer = house.app.people.signing_in.identify(token, house.now)
    assert viewer is not None
    assert viewer.time_zone == "Europe/Berlin"


def test_an_email_changes_when_its_link_is_opened(house: House, own: OwnAccount):
    own.ask_email_change(house.viewer, " Ada@New.example ", PASSWORD, house.now)
    assert own.get(house.viewer).email == "ada@example.com"
    pending = own.find_email_change(house.viewer, house.now)
    assert pending is not None
    assert pending.email == "ada@new.example"
    with house.app.state.read() as session:
        [told] = notifications.list_newest(session, house.viewer.user_id, 5)
    assert (told.tag, "ada@new.example" in told.text) == (Tag.EMAIL_CONFIRM, True)
    [mail] = mails(house)
    assert mail["To"] == "ada@new.example"
    house.app.people.links.confirm_email(link_token(mail), "192.0.2.1", house.now)
    assert own.get(house.viewer).email == "ada@new.example"
    assert own.find_email_change(house.viewer, house.now) is None
    assert [action for action, _ in lines(house)] == [Action.EMAIL_CHANGED, Action.EMAIL_CHANGE_ASKED]


def test_the_link_expires_and_is_replaced_by_the_next(house: House, own: OwnAccount):
    own.ask_email_change(house.viewer, "first@example.com", PASSWORD, house.now)
    own.ask_email_change(house.viewer, "second@example.com", PASSWORD, house.now)
    first, second = sorted((mail["To"], link_token(mail)) for mail in mails(house))
    with pytest.raises(NotFound):
        house.app.people.links.confirm_email(first[1], "", house.now)
    late = house.now + timedelta(minutes=house.app.settings.link_min)
    assert own.find_email_change(house.viewer, late) is None
    with pytest.raises(NotFound):
        house.app.people.links.confirm_email(second[1], "", late)
    assert own.get(house.viewer).email == "ada@example.com"


def test_a_change_is_withdrawn(house: House, own: OwnAccount):
    own.ask_email_change(house.viewer, "typo@example.com", PASSWORD, house.now)
    own.withdraw_email_change(house.viewer, house.now)
    assert own.find_email_change(house.viewer, house.now) is None
    with pytest.raises(NotFound):
        house.app.people.links.confirm_email(link_token(mails(house)[0]), "", house.now)
    before = lines(house)
    own.withdraw_email_change(house.viewer, house.now)
    assert lines(house) == before


def test_an_address_that_is_taken_looks_like_a_free_one_and_its_owner_is_told(
    house: House, own: OwnAccount, beau: Viewer
):
    own.ask_email_change(house.viewer, "free@example.com", PASSWORD, house.now)
    free = _seen(house, own)
    own.ask_email_change(house.viewer, "BEAU@example.com", PASSWORD, house.now)
    taken = _seen(house, own)
    assert [part.replace("beau@", "free@") for part in taken] == free
    told = mails(house)[-1]
    assert told["To"] == "beau@example.com"
    assert "?token=" not in told.get_content()
    assert "already belongs to an account" in told.get_content().replace("\n", " ")


def _seen(house: House, own: OwnAccount) -> list[str]:
    pending = own.find_email_change(house.viewer, house.now)
    assert pending is not None
    with house.app.state.read() as session:
        told = notifications.list_newest(session, house.viewer.user_id, 1)[0]
    return [pending.email, str(pending.expires_at), told.text, told.tag]


BAD_EMAILS = [
    "",
    "ada",
    "a@b",
    "x@y.example\r\nBcc: eve@e.example",
    "a,b@y.example",
    "<x@y.example>",
    "x@y.example\0",
    "ADA@example.com",
]


def test_what_is_no_new_email_is_refused_and_no_mail_written(house: House, own: OwnAccount):
    for email in BAD_EMAILS:
        with pytest.raises(InvalidInput) as caught:
            own.ask_email_change(house.viewer, email, PASSWORD, house.now)
        assert caught.value.field == "email"
    assert mails(house) == []


def test_without_the_current_password_no_mail_is_written(house: House, own: OwnAccount):
    with pytest.raises(WrongCredentials):
        own.ask_email_change(house.viewer, "new@example.com", "wrong", house.now)
    assert mails(house) == []
    assert own.find_email_change(house.viewer, house.now) is None


def test_mails_cannot_be_asked_for_without_end(house: House, own: OwnAccount):
    for number in range(FREE_FAILURES + 1):
        own.ask_email_change(house.viewer, f"victim{number}@example.com", PASSWORD, house.now)
    with pytest.raises(TooManyAttempts):
        own.ask_email_change(house.viewer, "victim@example.com", PASSWORD, house.now)
    assert len(mails(house)) == FREE_FAILURES + 1


def test_a_mail_that_was_not_taken_leaves_nothing_waiting(
    house: House, own: OwnAccount, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any) -> None:
        raise StorageError("The email could not be sent.")

    monkeypatch.setattr(house.app.people.mailing._post, "send", refuse)
    with pytest.raises(StorageError):
        own.ask_email_change(house.viewer, "new@example.com", PASSWORD, house.now)
    assert own.find_email_change(house.viewer, house.now) is None
    with house.app.state.read() as session:
        assert notifications.list_newest(session, house.viewer.user_id, 5) == []


def test_a_picture_is_drawn_anew_replaced_and_removed(house: House, own: OwnAccount):
    assert own.find_avatar(house.viewer) is None
    assert own.find_avatar_digest(house.viewer) == ""
    own.set_avatar(house.viewer, picture("JPEG"), house.now)
    kept = own.find_avatar(house.viewer)
    assert kept is not None
    assert Image.open(io.BytesIO(kept)).size == (256, 256)
    first = own.find_avatar_digest(house.viewer)
    own.set_avatar(house.viewer, picture(color="blue"), house.now)
    assert own.find_avatar_digest(house.viewer) not in ("", first)
    own.delete_avatar(house.viewer, house.now)
    own.delete_avatar(house.viewer, house.now)
    assert own.find_avatar(house.viewer) is None
    assert [details for _, details in lines(house)] == [{"changed": "picture"}] * 3


def test_what_is_no_picture_leaves_the_old_one(house: House, own: OwnAccount):
    own.set_avatar(house.viewer, picture(), house.now)
    before = own.find_avatar(house.viewer)
    with pytest.raises(InvalidInput):
        own.set_avatar(house.viewer, b"<svg xmlns='http://www.w3.org/2000/svg'/>", house.now)
    assert own.find_avatar(house.viewer) == before


def test_sms_settings_are_kept(house: House, own: OwnAccount):
    assert own.change_sms_settings(house.viewer, SmsSettings(simplifies=True, sender_id=" MERIDIAN "), house.now)
    assert own.get(house.viewer).sms == SmsSettings(simplifies=True, sender_id="MERIDIAN")
    assert not own.change_sms_settings(house.viewer, SmsSettings(simplifies=True, sender_id="MERIDIAN"), house.now)
    assert own.change_sms_settings(house.viewer, SmsSettings(), house.now)
    assert own.get(house.viewer).sms == SmsSettings()
    assert [details for _, details in lines(house)] == [{"changed": "SMS settings"}] * 2


def test_a_default_sender_that_is_none_is_refused(house: House, own: OwnAccount):
    for sender_id in ["MERIDIAN-TOO-LONG", "Café", "12 34", "+" + "1" * 17, "a\nb"]:
        with pytest.raises(InvalidSenderId):
            own.change_sms_settings(house.viewer, SmsSettings(sender_id=sender_id), house.now)


def test_a_new_password_replaces_the_old_and_ends_all_other_sessions(house: House, own: OwnAccount):
    here, elsewhere = sign_in(house), sign_in(house)
    assert own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), here, house.now) == 1
    assert house.app.people.signing_in.identify(here, house.now) is not None
    assert house.app.people.signing_in.identify(elsewhere, house.now) is None
    with pytest.raises(WrongCredentials):
        sign_in(house)
    assert sign_in(house, NEW)
    assert (Action.PASSWORD_CHANGED, {"sessions ended": "1"}) in lines(house)
    [mail] = mails(house)
    assert (mail["To"], "password was changed" in mail.get_content()) == ("ada@example.com", True)
    assert NEW not in mail.as_string()


def test_somebody_else_s_sessions_go_on(house: House, own: OwnAccount, beau: Viewer):
    theirs = house.app.people.signing_in.sign_in("beau@example.com", PASSWORD, BROWSER, house.now)
    own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), sign_in(house), house.now)
    assert house.app.people.signing_in.identify(theirs, house.now) is not None


def test_a_new_password_makes_links_work_no_more(house: House, own: OwnAccount):
    own.ask_email_change(house.viewer, "eve@example.net", PASSWORD, house.now)
    own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), "", house.now)
    with pytest.raises(NotFound):
        house.app.people.links.confirm_email(link_token(mails(house)[0]), "", house.now)


BAD_PASSWORDS = [
    (NEW, NEW + " ", "confirm"),
    ("short-1A", "", "confirm"),
    ("Short-1", "Short-1", "password"),
    ("no-upper-case-1", "no-upper-case-1", "password"),
    ("Password-1", "Password-1", "password"),
    ("Lovelace-1", "Lovelace-1", "password"),
    (PASSWORD, PASSWORD, "password"),
]


def test_a_new_password_that_cannot_be_is_refused(house: House, own: OwnAccount):
    token = sign_in(house)
    for new, confirm, field in BAD_PASSWORDS:
        with pytest.raises(InvalidInput) as caught:
            own.change_password(house.viewer, NewPassword(PASSWORD, new, confirm), token, house.now)
        assert (caught.value.field, bool(caught.value.hint)) == (field, True)
    assert sign_in(house)


def test_wrong_current_passwords_are_throttled_as_log_ins_are_but_do_not_lock_the_owner_out(
    house: House, own: OwnAccount
):
    token = sign_in(house)
    for number in range(FREE_FAILURES + 1):
        with pytest.raises(WrongCredentials):
            own.change_password(house.viewer, NewPassword(f"guess {number}", NEW, NEW), token, house.now)
    with pytest.raises(TooManyAttempts) as caught:
        own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), token, house.now)
    # The other question that asks for it is no way around.
    with pytest.raises(TooManyAttempts):
        own.ask_email_change(house.viewer, "new@example.com", PASSWORD, house.now)
    assert sign_in(house)
    house.wait(timedelta(seconds=caught.value.retry_after_s))
    assert own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), token, house.now) == 1


def test_the_right_password_starts_the_count_anew(house: House, own: OwnAccount):
    for _ in range(2):
        for _ in range(FREE_FAILURES):
            with pytest.raises(WrongCredentials):
                own.ask_email_change(house.viewer, "new@example.com", "wrong", house.now)
        own.ask_email_change(house.viewer, "new@example.com", PASSWORD, house.now)


def test_a_password_that_was_changed_in_between_is_not_overwritten(
    house: House, own: OwnAccount, monkeypatch: pytest.MonkeyPatch
):
    verify = house.app.people.signing_in.passwords.verify

    def overtaken(password_hash: str, password: str) -> bool:
        right = verify(password_hash, password)
        with house.app.state.write() as session:
            users.set_password_hash(session, house.viewer.user_id, house.app.people.signing_in.passwords.hash(NEW))
        return right

    monkeypatch.setattr(house.app.people.signing_in.passwords, "verify", overtaken)
    with pytest.raises(Conflict):
        own.change_password(house.viewer, NewPassword(PASSWORD, "Other-otter-8", "Other-otter-8"), "", house.now)
    monkeypatch.undo()
    assert sign_in(house, NEW)


def test_a_mail_server_that_is_away_does_not_keep_the_old_password(
    house: House, own: OwnAccount, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any) -> None:
        raise StorageError("The email could not be sent.")

    monkeypatch.setattr(house.app.people.mailing._post, "send", refuse)
    own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), "", house.now)
    assert sign_in(house, NEW)


def test_no_password_or_token_is_written_down(house: House, own: OwnAccount):
    own.ask_email_change(house.viewer, "new@example.com", PASSWORD, house.now)
    own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), sign_in(house), house.now)
    written = str(lines(house))
    assert PASSWORD not in written
    assert NEW not in written
    assert link_token(mails(house)[0]) not in written


def test_no_method_takes_anybody_s_id():
    for name, method in vars(OwnAccount).items():
        # Drawing a picture anew looks at nobody's account.
        if inspect.isfunction(method) and not name.startswith("_") and name != "draw_avatar":
            names = list(inspect.signature(method).parameters)
            assert names[1] == "viewer", name
            assert not {"user_id", "person", "person_id"} & set(names), name


def test_nobody_else_s_account_is_touched(house: House, own: OwnAccount, beau: Viewer):
    before = own.get(beau)
    own.set_avatar(beau, picture(), house.now)
    written: list[str] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if beau.user_id in str(values):
            written.append(statement)

    event.listen(house.app.state._engine, "before_cursor_execute", note)
    own.change_profile(house.viewer, PROFILE, house.now)
    own.change_sms_settings(house.viewer, SmsSettings(simplifies=True, sender_id="ADA"), house.now)
    own.set_avatar(house.viewer, picture("JPEG", "green"), house.now)
    own.delete_avatar(house.viewer, house.now)
    own.ask_email_change(house.viewer, "new@example.com", PASSWORD, house.now)
    own.change_password(house.viewer, NewPassword(PASSWORD, NEW, NEW), "", house.now)
    event.remove(house.app.state._engine, "before_cursor_execute", note)
    assert written == []
    assert own.get(beau) == before
    assert own.find_avatar(beau) is not None


def test_who_is_gone_has_no_account(house: House, own: OwnAccount, beau: Viewer):
    with house.app.state.write() as session:
        users.delete_person(session, beau.user_id)
    for ask in (
        lambda: own.get(beau),
        lambda: own.change_profile(beau, PROFILE, house.now),
        lambda: own.change_sms_settings(beau, SmsSettings(simplifies=True), house.now),
        lambda: own.set_avatar(beau, picture(), house.now),
        lambda: own.ask_email_change(beau, "new@example.com", PASSWORD, house.now),
        lambda: own.change_password(beau, NewPassword(PASSWORD, NEW, NEW), "", house.now),
    ):
        with pytest.raises(NotFound):
            ask()
