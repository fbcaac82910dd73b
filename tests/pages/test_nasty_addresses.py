"""Real pages opened by addresses nobody means: they say so, or show what they have."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from core.errors import InvalidInput
from tests.support.page_tests import House

PAGES = {
    "message_history": ("error_code", "campaign", "where", "message_history_page"),
    "statistics": ("where", "group", "sort"),
    "message": ("id",),
}


@pytest.mark.parametrize("stem", PAGES)
def test_a_page_says_what_is_wrong_with_its_address(house: House, stem: str) -> None:
    house.sign_in()
    for name in PAGES[stem]:
        at = house.open(stem, **{name: "0\x00", "back": "x"})
        assert not at.exception
        assert "cannot be used" in at.error[0].value
        assert [button.key for button in at.button if button.key == "frame_clear_address"]
        assert not at.dataframe


@pytest.mark.parametrize("value", ["'; DROP TABLE x; --", "$$", "{0}%s", "x" * 199])
def test_what_might_be_meant_is_looked_for(house: House, value: str) -> None:
    house.sign_in()
    where = f"Network|Equal to|{value}"[:200]
    at = house.open("message_history", error_code=value, sender=value, network=value, where=where)
    assert not at.exception
    assert not [error for error in at.error if "address" in error.value]


def test_no_view_keeps_what_no_page_may_say(house: House) -> None:
    viewer = house.sign_in()
    app = house.app
    for address in (f"error_code={quote(chr(0))}", "country=XX", f"receiver={'1' * 300}"):
        with pytest.raises(InvalidInput):
            app.remembering.save_view(viewer, "message_history", "Mine", address, shared=False, now=datetime.now(UTC))
