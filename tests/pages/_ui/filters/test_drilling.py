"""A group's messages on Message History are those the group counts, whatever it is grouped and filtered by."""

import itertools
import random
from typing import Any
from unittest.mock import patch

import pytest

from core.domain.reports.statistics import GroupBy
from tests.pages.test_statistics import mine
from tests.support.application.page_tests import House, clicking

GROUPS = list(itertools.combinations([GroupBy.MONTH, GroupBy.COUNTRY, GroupBy.NETWORK_CODE, GroupBy.PRICE], 2))


@pytest.mark.parametrize("groups", [*GROUPS, (GroupBy.DAY, GroupBy.ACCOUNT), (GroupBy.YEAR,), (GroupBy.NETWORK,)])
def test_the_messages_of_a_group_are_those_it_counts(house: House, groups: tuple[GroupBy, ...]) -> None:
    viewer, source = house.sign_in(), random.Random(4)
    places = [("DE", "Telekom", "26201"), ("FR", "Orange", "20801"), ("", "", "")]
    messages: list[dict[str, Any]] = []
    for ago in range(1, 28):
        country, network, mccmnc = source.choice(places)
        fields = {"country": country, "network": network, "mccmnc": mccmnc, "price_eur_cents": source.choice([1, 2])}
        messages.append(mine(viewer, ago=ago, **fields))
    house.record(messages)
    at = house.open("statistics", group=",".join(groups))
    rows = at.dataframe[0].value.iloc[:-1]
    with clicking("messages", len(rows) - 1), patch("pages._ui.widgets.go") as go:
        at.run()
    address = go.call_args.kwargs
    history = house.open("message_history", message_history_size="100", **address)
    assert not history.exception
    assert len(history.dataframe[0].value) == rows["Sent"].iloc[-1]
