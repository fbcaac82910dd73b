"""Who is looking is asked once for a run of the frame, and anew for whatever runs without it."""

from collections.abc import Iterator
from datetime import datetime
from unittest.mock import patch

import pytest

from core.domain.people.permissions import Viewer
from core.state.people import users
from tests.support.application.page_tests import House

PAGES = ("dashboard", "statistics", "message_history", "campaigns", "distribution_lists", "users", "settings")


@pytest.fixture
def asked(house: House) -> Iterator[list[datetime]]:
    """Note when the house is asked who is behind a cookie."""
    times: list[datetime] = []
    signing_in = house.app.people.signing_in
    identify = signing_in.identify

    def noting(token: str, now: datetime) -> Viewer | None:
        times.append(now)
        return identify(token, now)

    with patch.object(signing_in, "identify", new=noting):
        yield times


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_once(house: House, asked: list[datetime], page: str) -> None:
    house.sign_in()
    at = house.open(page)
    asked.clear()
    at.run()
    assert not at.exception
    assert len(asked) == 1


def test_the_next_run_asks_again(house: House, asked: list[datetime]) -> None:
    viewer = house.sign_in()
    at = house.open("campaigns")
    with house.app.state.write() as session:
        users.delete_person(session, viewer.user_id)
    asked.clear()
    at.run()
    assert len(asked) == 1
    assert not at.title
