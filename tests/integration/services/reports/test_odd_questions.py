"""A question with a character that no store takes is refused before any store is asked."""

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest

from core.domain.reports.audit import AuditFilter
from core.domain.reports.exports import ExportFormat
from core.domain.reports.message_query import MessageQuery
from core.domain.reports.statistics import GroupBy, NameFilter, Operator
from core.errors import InvalidInput
from core.services.reports.export_requests import AuditRequest, MessagesRequest
from core.services.reports.reporting import StatisticsRequest
from tests.support.application.house import House


def of_messages(house: House, odd: str) -> list[Callable[[], object]]:
    app, viewer, now = house.app, house.viewer, house.now
    query = MessageQuery(frozenset(), house.everything())
    names = (NameFilter(GroupBy.ACCOUNT, Operator.CONTAINS, odd),)
    asked = [replace(query, sender=odd), replace(query, names=names), replace(query, account_ids=frozenset({odd}))]
    counted = StatisticsRequest(house.everything(), (GroupBy.NETWORK,), names)
    exported = MessagesRequest(asked[0], ("Sender",))
    return [
        *(lambda each=each: app.reports.reporting.messages(viewer, each, 1, 15) for each in asked),
        *(lambda each=each: app.reports.reporting.count_messages(viewer, each) for each in asked),
        lambda: app.reports.reporting.all_messages(viewer, asked[0]),
        lambda: app.reports.reporting.statistics(viewer, counted),
        lambda: app.reports.reporting.hours(viewer, counted),
        lambda: app.reports.exporting.start(viewer, exported, ExportFormat.CSV, now),
        lambda: app.reports.exporting.start(viewer, AuditRequest(AuditFilter(text=odd)), ExportFormat.CSV, now),
        lambda: app.reports.auditing.page(viewer, AuditFilter(text=odd), 1, 15),
        lambda: app.reports.auditing.all_entries(viewer, AuditFilter(text=odd)),
    ]


@pytest.mark.parametrize("odd", ["\ud800", "a\x00b"])
def test_no_store_is_asked(house: House, odd: str) -> None:
    # As it was: accounts were read, days counted and part of the answer put together before the door refused it.
    with (
        patch.object(type(house.app.state), "read", side_effect=AssertionError("the state was asked")),
        patch.object(type(house.app.state), "write", side_effect=AssertionError("the state was asked")),
        patch.object(type(house.app.lake), "read", side_effect=AssertionError("the lake was asked")),
    ):
        for call in of_messages(house, odd):
            with pytest.raises(InvalidInput, match="character that cannot be used"):
                call()
