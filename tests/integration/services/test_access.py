"""Every call of every service, as somebody without the permission and as somebody of another account."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from core.domain.paging import PageRequest
from core.domain.permissions import PRESETS, Permission, Viewer
from core.domain.statistics import GroupBy
from core.errors import Forbidden, InvalidInput, NotFound
from core.history.queries import MessageQuery
from core.services.adding_people import NewPerson
from core.services.importing import Upload
from core.services.reporting import StatisticsRequest
from tests.support.house import PASSWORD, House, contacts


@dataclass
class Things:
    """A list and a campaign of the house's account."""

    house: House
    list_id: str
    campaign_id: str


Call = Callable[[Things, Viewer], object]

LISTS, CAMPAIGNS = {Permission.DISTRIBUTION_LISTS}, {Permission.CAMPAIGN}
CALLS: dict[str, tuple[set[Permission], Call]] = {
    "importing.upload": (
        LISTS,
        lambda t, v: t.house.app.importing.upload(
            v, Upload(t.house.account.account_id, "New list", "a.csv"), io.BytesIO(contacts(1).encode()), t.house.now
        ),
    ),
    "importing.page": (LISTS, lambda t, v: t.house.app.importing.page(v, PageRequest())),
    "importing.page_ready": (
        LISTS | CAMPAIGNS,
        lambda t, v: t.house.app.importing.page_ready(v, t.house.account.account_id, PageRequest()),
    ),
    "importing.get": (LISTS | CAMPAIGNS, lambda t, v: t.house.app.importing.get(v, t.list_id)),
    "importing.count_campaigns": (LISTS, lambda t, v: t.house.app.importing.count_campaigns(v, [])),
    "importing.preview": (LISTS | CAMPAIGNS, lambda t, v: t.house.app.importing.preview(v, t.list_id, 0, 5)),
    "importing.rejected_csv": (LISTS, lambda t, v: t.house.app.importing.rejected_csv(v, t.list_id)),
    "importing.delete": (LISTS, lambda t, v: t.house.app.importing.delete(v, t.list_id)),
    "composing.save": (CAMPAIGNS, lambda t, v: t.house.app.composing.save(v, t.house.draft(t.list_id), t.house.now)),
    "composing.get": (CAMPAIGNS, lambda t, v: t.house.app.composing.get(v, t.campaign_id)),
    "composing.page": (CAMPAIGNS, lambda t, v: t.house.app.composing.page(v, PageRequest())),
    "composing.preview": (CAMPAIGNS, lambda t, v: t.house.app.composing.preview(v, t.house.draft(""), 0)),
    "launching.launch": (CAMPAIGNS, lambda t, v: t.house.app.launching.launch(v, t.campaign_id, t.house.now)),
    "reporting.reconciliation": (CAMPAIGNS, lambda t, v: t.house.app.reporting.reconciliation(v, t.campaign_id)),
    "reporting.reconciliations": (CAMPAIGNS, lambda t, v: t.house.app.reporting.reconciliations(v, [])),
    "reporting.messages": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: t.house.app.reporting.messages(
            v, MessageQuery(frozenset({t.house.account.account_id}), t.house.everything()), 1, 10
        ),
    ),
    "reporting.all_messages": (
        {Permission.MESSAGE_HISTORY},
        lambda t, v: SimpleNamespace(
            total=t.house.app.reporting.all_messages(v, MessageQuery(frozenset(), t.house.everything()))[0]
        ),
    ),
    "reporting.all_statistics": (
        {Permission.STATISTICS},
        lambda t, v: t.house.app.reporting.all_statistics(
            v, StatisticsRequest(t.house.everything(), (GroupBy.COUNTRY,))
        )[0],
    ),
    "reporting.statistics": (
        {Permission.STATISTICS},
        lambda t, v: (
            t.house.app.reporting.statistics(v, StatisticsRequest(t.house.everything(), (GroupBy.COUNTRY,))).table
        ),
    ),
}
# These answer with a page of the viewer's own things instead of refusing another account's.
EMPTY_FOR_OTHERS = {
    "importing.page",
    "importing.count_campaigns",
    "composing.page",
    "reporting.reconciliations",
    "reporting.messages",
    "reporting.all_messages",
    "reporting.all_statistics",
    "reporting.statistics",
}


@pytest.fixture
def things(house: House) -> Things:
    found = house.upload(contacts(5))
    saved = house.app.composing.save(house.viewer, house.draft(found.list_id), house.now)
    return Things(house, found.list_id, saved.campaign_id)


def somebody(house: House, permissions: frozenset[Permission], account_ids: frozenset[str]) -> Viewer:
    return Viewer("user-9", "Eve", "eve@example.com", permissions, account_ids)


@pytest.mark.parametrize("call", CALLS)
def test_without_the_permission_it_is_refused(things: Things, call: str):
    needed, ask = CALLS[call]
    viewer = somebody(things.house, frozenset(Permission) - needed, things.house.viewer.account_ids)
    with pytest.raises(Forbidden) as caught:
        ask(things, viewer)
    assert caught.value.hint


@pytest.mark.parametrize("call", CALLS)
def test_another_account_s_things_do_not_exist(things: Things, call: str):
    _, ask = CALLS[call]
    viewer = somebody(things.house, frozenset(Permission), frozenset({"another-account"}))
    if call not in EMPTY_FOR_OTHERS:
        with pytest.raises(NotFound):
            ask(things, viewer)
        return
    answer = ask(things, viewer)
    assert answer == {} or getattr(answer, "total", getattr(answer, "num_rows", None)) == 0


@pytest.mark.parametrize("call", CALLS)
def test_with_permission_and_account_it_answers(things: Things, call: str):
    needed, ask = CALLS[call]
    one = next(iter(sorted(needed)))
    ask(things, somebody(things.house, frozenset({one}), things.house.viewer.account_ids))


def test_every_service_method_for_viewers_is_in_the_table(house: House):
    app = house.app
    services = {
        "importing": app.importing,
        "composing": app.composing,
        "launching": app.launching,
        "reporting": app.reporting,
    }
    for name, service in services.items():
        for method in vars(type(service)):
            function = getattr(type(service), method)
            takes_viewer = callable(function) and "viewer" in getattr(function, "__annotations__", {})
            if takes_viewer and not method.startswith("_") and method not in {"traffic", "check_ready", "find_list"}:
                assert f"{name}.{method}" in CALLS


def test_numbers_are_masked_for_those_who_do_not_upload_them(things: Things):
    house = things.house
    house.app.launching.launch(house.viewer, things.campaign_id, house.now)
    house.app.working.run_until_idle(house.clock)
    reader = somebody(house, PRESETS["Reporting manager"], house.viewer.account_ids)
    query = MessageQuery(frozenset(), house.everything())
    masked = house.app.reporting.messages(reader, query, 1, 10).table["receiver"].to_pylist()
    plain = house.app.reporting.messages(house.viewer, query, 1, 10).table["receiver"].to_pylist()
    assert all(number.startswith("+4917") for number in plain)
    assert all(number.startswith("+4") and "917" not in number for number in masked)


def test_masked_numbers_cannot_be_spelled_out_by_searching(things: Things):
    house = things.house
    house.app.launching.launch(house.viewer, things.campaign_id, house.now)
    house.app.working.run_until_idle(house.clock)
    reader = somebody(house, PRESETS["Reporting manager"], house.viewer.account_ids)

    def found(receiver: str) -> int:
        query = MessageQuery(frozenset(), house.everything(), receiver=receiver)
        return house.app.reporting.messages(reader, query, 1, 10).total

    assert found("+49 179 6000001") == 1
    for part in ("+4", "+49179", "6000001", "%"):
        with pytest.raises(InvalidInput):
            found(part)


def test_an_account_that_may_not_send_says_so(house: House):
    reader = house.app.people.add(NewPerson("Rita", "rita@example.com", PASSWORD, "Campaign manager"), house.now)
    assert house.app.accounts.list_sending(reader) == ()
    with pytest.raises(NotFound):
        house.app.accounts.get_sending(reader, house.account.account_id)
