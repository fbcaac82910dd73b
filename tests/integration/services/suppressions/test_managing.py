"""Looking up, adding and lifting suppressions: within one's accounts, and for all accounts by administrators only."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.accounts.suppressions import (
    EVERYWHERE,
    REASON_MAX,
    SuppressionFilter,
    SuppressionKey,
    SuppressionSource,
)
from core.domain.people.permissions import PRESETS, Viewer
from core.domain.reports.audit import Action, AuditFilter
from core.errors import Forbidden, InvalidInput, NotFound
from core.services.suppressions import managing
from core.services.suppressions.managing import ADD_MOST, Sought, read_sought
from core.state.suppressions.suppressions import add_suppressions
from tests.support.application.factories import make_origin
from tests.support.application.house import House

FIRST, SECOND = "+491796000001", "+491796000002"


@pytest.fixture
def manager(house: House) -> Viewer:
    """Return somebody of the account who may manage its lists, and no more."""
    return replace(house.viewer, user_id="user-9", name="Ben", permissions=PRESETS["Campaign manager"])


def add(
    house: House, text: str, account_id: str | None = None, viewer: Viewer | None = None, reason: str = ""
) -> object:
    whose = house.account.account_id if account_id is None else account_id
    return house.app.suppressions.managing.add(viewer or house.viewer, whose, text, reason, house.now)


def shown(house: House, viewer: Viewer | None = None, **wanted: object) -> list[str]:
    page = house.app.suppressions.managing.page(viewer or house.viewer, SuppressionFilter(**wanted), 1, 10)
    assert page.total == len(page.items)
    return [item.msisdn for item in page.items]


def key(house: House, msisdn: str, account_id: str | None = None) -> SuppressionKey:
    whose = house.account.account_id if account_id is None else account_id
    return SuppressionKey(whose, msisdn, SuppressionSource.PERSON)


def test_numbers_are_added_as_people_type_them_and_what_is_none_is_said(house: House):
    found = add(house, "+49 179 6000001\n00491796000002; nonsense,\n\n0179 6000003\t491796000001", reason=" by  phone ")
    assert (found.new, found.known) == (2, 0)
    assert [(each.text, each.fault.split(".")[0]) for each in found.faults] == [
        ("nonsense", "This is not a phone number"),
        ("0179 6000003", "The number does not begin with a country code"),
    ]
    assert add(house, FIRST).known == 1
    page = house.app.suppressions.managing.page(house.viewer, SuppressionFilter(), 1, 10)
    assert [(item.msisdn, item.scope, item.origin.reason, item.origin.created_by) for item in page.items] == [
        (each, house.account.display_name, "by phone", house.viewer.name) for each in (FIRST, SECOND)
    ]


@pytest.mark.parametrize(
    ("text", "reason", "field"),
    [
        ("", "", "numbers"),
        (" ,\n; ", "", "numbers"),
        ("1\n" * (ADD_MOST + 1), "", "numbers"),
        ("1", "x" * 201, "reason"),
    ],
)
def test_what_cannot_be_added_is_refused(house: House, text: str, reason: str, field: str):
    with pytest.raises(InvalidInput) as caught:
        add(house, text, reason=reason)
    assert caught.value.field == field
    assert REASON_MAX == 200


def test_those_of_all_accounts_are_seen_by_all_and_changed_by_administrators(house: House, manager: Viewer):
    with pytest.raises(Forbidden, match="administrators"):
        add(house, FIRST, EVERYWHERE, manager)
    assert add(house, FIRST, EVERYWHERE).new == 1
    page = house.app.suppressions.managing.page(manager, SuppressionFilter(), 1, 10)
    assert [(item.msisdn, item.scope, item.is_liftable) for item in page.items] == [(FIRST, "All accounts", False)]
    with pytest.raises(Forbidden, match="administrators"):
        house.app.suppressions.managing.lift(manager, [key(house, FIRST, EVERYWHERE)], "A mistake", house.now)
    stranger = replace(manager, account_ids=frozenset({"another"}))
    assert shown(house, stranger) == [FIRST]
    assert house.app.suppressions.managing.list_scopes(stranger) == {EVERYWHERE: "All accounts"}


def test_another_account_s_are_neither_seen_nor_changed(house: House, manager: Viewer):
    add(house, FIRST)
    stranger = replace(manager, account_ids=frozenset({"another"}))
    managing_ = house.app.suppressions.managing
    assert shown(house, stranger, account_id=house.account.account_id) == []
    assert managing_.history(stranger, FIRST).suppressions == ()
    assert managing_.in_words(stranger, SuppressionFilter(account_id=house.account.account_id)) == [
        "Scope: none of yours"
    ]
    for refused in (
        lambda: add(house, SECOND, viewer=stranger),
        lambda: managing_.lift(stranger, [key(house, FIRST)], "A mistake", house.now),
    ):
        with pytest.raises(NotFound):
            refused()
    assert shown(house) == [FIRST]


def test_lifting_asks_for_a_reason_and_is_kept_with_it(house: House):
    add(house, f"{FIRST}\n{SECOND}", reason="by phone")
    add(house, FIRST, EVERYWHERE)
    lift = house.app.suppressions.managing.lift
    for keys, reason in (([key(house, FIRST)], "  "), ([], "A mistake"), ([key(house, FIRST)] * 1_001, "A mistake")):
        with pytest.raises(InvalidInput):
            lift(house.viewer, keys, reason, house.now)
    house.wait(timedelta(hours=1))
    assert lift(house.viewer, [key(house, FIRST), key(house, "+491796000009")], "Signed up again", house.now) == 1
    found = house.app.suppressions.managing.history(house.viewer, FIRST)
    assert [item.scope for item in found.suppressions] == ["All accounts"]
    ((scope, lifted),) = found.lifted
    assert (scope, lifted.reason, lifted.lifted_by) == (
        house.account.display_name,
        "Signed up again",
        house.viewer.name,
    )
    assert (lifted.suppression.origin.reason, lifted.lifted_at) == ("by phone", house.now)
    told = house.app.reports.auditing.page(house.viewer, AuditFilter(action=Action.SUPPRESSIONS_LIFTED), 1, 10)
    assert [(entry.subject.name, entry.details["numbers"]) for entry in told.items] == [
        (house.account.display_name, "1")
    ]


def test_they_are_filtered_by_source_scope_and_number(house: House):
    add(house, f"{FIRST}\n{SECOND}\n+436641234567")
    with house.app.state.write() as session:
        stop = make_origin(source=SuppressionSource.STOP)
        add_suppressions(session, house.account.account_id, [SECOND], stop)
        add_suppressions(session, EVERYWHERE, ["+33612000001"], make_origin())
    assert shown(house, source=SuppressionSource.STOP) == [SECOND]
    assert shown(house, account_id=EVERYWHERE) == ["+33612000001"]
    assert shown(house, number="+49 179 60") == [FIRST, SECOND, SECOND]
    assert shown(house, number="0664 12") == ["+436641234567"]
    assert shown(house, number="001") == []
    assert shown(house, number="000001") == []
    assert shown(house, number="00 33 612") == ["+33612000001"]
    assert shown(house, number="4567") == ["+436641234567"]
    assert shown(house, number="4567", account_id=EVERYWHERE) == []
    assert shown(house, number="nobody") == []


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("+49 179 6000001", Sought(("491796000001",))),
        ("491796000001", Sought(("491796000001",))),
        ("+49", Sought(("49",))),
        ("0049 (179)", Sought(("49179",))),
        ("49", Sought(("49",))),
        ("4567", Sought(("4567",), "4567")),
        ("abc", Sought()),
        ("+", Sought()),
        ("1" * 16, Sought()),
        ("0", Sought()),
    ],
)
def test_what_people_type_to_find_a_number(text: str, sought: Sought):
    assert read_sought(text) == sought


def test_more_than_are_listed_are_said_to_be(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(managing, "FOUND_MOST", 1)
    add(house, f"{FIRST}\n{SECOND}")
    page = house.app.suppressions.managing.page(house.viewer, SuppressionFilter("+49"), 1, 10)
    assert (page.total, page.is_cut) == (1, True)
    with pytest.raises(InvalidInput, match="More than 1 number"):
        house.app.suppressions.managing.all_suppressions(house.viewer, SuppressionFilter("+49"))
