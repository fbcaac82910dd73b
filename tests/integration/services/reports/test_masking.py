"""Numbers, wherever a service answers with them: in full to those who work with lists, masked to everybody else."""

from collections.abc import Callable
from dataclasses import asdict, replace
from uuid import uuid4

import pytest

from core.domain.campaigns.preflight import RowKind, Wanted
from core.domain.people.permissions import Permission, Viewer
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.replies import ReplyFilter
from core.services.sending.replying import keep_replies
from tests.integration.services import steps
from tests.support.application import cdr
from tests.support.application.factories import make_reply
from tests.support.application.house import House, contacts

NUMBER = "491796000000"
Ask = Callable[[House, Viewer], object]


def draft(house: House) -> str:
    return steps.save(house, house.upload(contacts(1)).list_id).campaign_id


def sent(house: House) -> str:
    campaign_id = draft(house)
    house.app.campaigns.launching.launch(house.viewer, campaign_id, house.now)
    house.app.work.run_until_idle(house.clock)
    return campaign_id


def history(house: House, viewer: Viewer) -> object:
    sent(house)
    query = MessageQuery(frozenset(), house.everything())
    return house.app.reports.reporting.messages(viewer, query, 1, 10).table.to_pylist()


def trace(house: House, viewer: Viewer) -> object:
    sent(house)
    query = MessageQuery(frozenset(), house.everything())
    (message,) = house.app.reports.reporting.messages(house.viewer, query, 1, 10).table.to_pylist()
    return asdict(house.app.reports.tracing.get(viewer, message["message_id"]))


def replies_of(house: House, viewer: Viewer) -> object:
    with house.app.state.write() as session:
        keep_replies(session, [make_reply(sender=NUMBER, received_at=house.now)], house.now)
    wanted = ReplyFilter(house.everything())
    _, tables = house.app.reports.replies.all_replies(viewer, wanted)
    page = house.app.reports.replies.page(viewer, wanted, 1, 10)
    return page, [table.to_pylist() for table in tables]


def recipients(house: House, viewer: Viewer) -> object:
    return house.app.sending.reconciling.rows(viewer, sent(house), "sent", None, 1, 5).table.to_pylist()


def preflight_rows(house: House, viewer: Viewer) -> object:
    look = house.app.campaigns.preflighting.look(viewer, draft(house), house.now)
    found = house.app.campaigns.preflighting.rows(viewer, look, Wanted(RowKind.ALL), 1, 5)
    return found.table.to_pylist()


def list_preview(house: House, viewer: Viewer) -> object:
    return house.app.lists.preview(viewer, house.upload(contacts(1)).list_id, 0, 5).to_pylist()


def campaign_preview(house: House, viewer: Viewer) -> object:
    return house.app.campaigns.composing.preview(viewer, house.draft(house.upload(contacts(1)).list_id), 0)


def traffic_preview(house: House, viewer: Viewer) -> object:
    # Of somebody else's file: one's own one has seen.
    account = cdr.open_outside(house)
    uploaded = cdr.upload(house, account, cdr.records(1))
    member = replace(viewer, account_ids=viewer.account_ids | {account.account_id})
    mapping = house.app.traffic.propose(member, uploaded.import_id).mapping
    return house.app.traffic.preview(member, uploaded.import_id, mapping).table.to_pylist()


ASKED: list[Ask] = [
    history,
    trace,
    replies_of,
    recipients,
    preflight_rows,
    list_preview,
    campaign_preview,
    traffic_preview,
]


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("is_masked", [True, False])
def test_numbers_are_shown_to_those_who_work_with_lists_and_to_nobody_else(
    house: House, ask: Ask, *, is_masked: bool
) -> None:
    withheld = {Permission.DISTRIBUTION_LISTS} if is_masked else frozenset[Permission]()
    viewer = replace(house.viewer, user_id=str(uuid4()), permissions=frozenset(Permission) - withheld)
    answer = repr(ask(house, viewer))
    assert (NUMBER in answer) is not is_masked
    assert ("+4•••" in answer) is is_masked
