"""What came for nobody is kept to be looked at, bounded in number, age and lines of the log."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.messages.strays import Stray, StrayReason
from core.domain.people.permissions import PRESETS, Permission
from core.errors import Forbidden
from core.services.sending import stray_reports
from core.services.sending.receiving import GIVE_UP
from core.services.sending.stray_reports import KEPT_FOR, MOST_IN_SPAN, SPAN
from core.state.campaigns import receipts, strays
from tests.support.application.factories import make_receipt
from tests.support.application.house import House, make_house

NUMBER = "+491796548754"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = request.getfixturevalue("new_state_database")() if request.param == "postgres" else ""
    made = make_house(tmp_path, database_url=url)
    yield made
    made.app.close()


def stray(house: House, **overrides: object) -> Stray:
    facts = {
        "gateway": "Berlin",
        "reason": StrayReason.NO_STATE,
        "content": f"id:12345 to {NUMBER}",
        "came_at": house.now,
        "sender": NUMBER,
    }
    return Stray(**(facts | overrides))


def shown(house: House, gateway: str = "Berlin") -> tuple[Stray, ...]:
    return house.app.sending.strays.list_newest(house.viewer, gateway)


def test_what_came_is_shown_newest_first_by_gateway(house: House):
    first, second = stray(house), stray(house, reason=StrayReason.NO_ID, content="stat:DELIVRD")
    other = stray(house, gateway="Paris")
    house.app.sending.strays.keep([first, other])
    house.app.sending.strays.keep([second])
    assert shown(house) == (second, first)
    assert shown(house, "Paris") == (other,)
    assert shown(house, "Rome") == ()


def test_receipts_that_have_found_no_message_yet_are_counted_by_gateway(house: House, monkeypatch: pytest.MonkeyPatch):
    def count(gateway: str) -> int:
        return house.app.sending.strays.count_waiting(house.viewer, gateway)

    came = [
        make_receipt(gateway=name, gateway_message_id=f"nobody's {n}") for n in range(3) for name in ("Berlin", "Paris")
    ]
    with house.app.state.write() as session:
        receipts.add_receipts(session, came, house.now)
    # They may be matched with the first try.
    assert (count("Berlin"), count("Rome")) == (0, 0)
    house.app.sending.receiving.merge(house.clock)
    assert (count("Berlin"), count("Paris"), count("Rome")) == (3, 3, 0)
    monkeypatch.setattr(stray_reports, "COUNTED", 2)
    assert count("Berlin") == 2
    with pytest.raises(Forbidden):
        house.app.sending.strays.count_waiting(replace(house.viewer, permissions=frozenset()), "Berlin")


def test_of_each_fault_a_few_are_kept_in_a_minute_and_one_line_is_logged(
    house: House, caplog: pytest.LogCaptureFixture
):
    keep = house.app.sending.strays.keep
    for _ in range(100):
        keep([stray(house)])
    keep([stray(house, reason=StrayReason.NO_ID)], 50)
    assert len(shown(house)) == MOST_IN_SPAN + 1
    house.wait(SPAN)
    keep([stray(house), stray(house, reason=StrayReason.NO_ID)])
    said = [(record.reason, record.before) for record in caplog.records if record.message == "stray_kept"]
    assert said == [
        ("Receipt without a state", 0),
        ("Receipt without an ID", 0),
        ("Receipt without a state", 99),
        ("Receipt without an ID", 50),
    ]
    assert len(shown(house)) == MOST_IN_SPAN + 3


def test_only_the_newest_of_a_gateway_are_kept_and_none_for_long(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(strays, "MOST", 3)
    came = [stray(house, content=f"number {number}") for number in range(5)]
    house.app.sending.strays.keep([*came, stray(house, gateway="Paris")])
    assert [item.content for item in shown(house)] == ["number 4", "number 3", "number 2"]
    assert len(shown(house, "Paris")) == 1
    assert house.app.sending.strays.forget(house.now + KEPT_FOR) == 0
    assert house.app.sending.strays.forget(house.now + KEPT_FOR + timedelta(seconds=1)) == 4
    assert shown(house) == ()


def test_numbers_are_masked_for_who_may_not_see_them_and_only_administrators_look(house: House):
    house.app.sending.strays.keep([stray(house, receiver="HELIOGRAPH", content=f"to {NUMBER} octets 3439")])
    almost = replace(house.viewer, permissions=PRESETS["Administrator"] - {Permission.AUDIT})
    with pytest.raises(Forbidden):
        house.app.sending.strays.list_newest(almost, "Berlin")

    class Blind(type(house.viewer)):
        @property
        def sees_numbers(self) -> bool:
            return False

    blind = Blind(**vars(house.viewer))
    (found,) = house.app.sending.strays.list_newest(blind, "Berlin")
    assert "6548754" not in f"{found.content} {found.sender}"
    assert "3439" not in found.content


def test_a_receipt_for_no_message_is_kept_when_it_is_given_up(house: House):
    with house.app.state.write() as session:
        receipts.add_receipts(session, [make_receipt(gateway="Berlin", gateway_message_id="nobody")], house.now)
    house.app.sending.receiving.merge(house.clock)
    assert shown(house) == ()
    house.wait(GIVE_UP + timedelta(minutes=11))
    assert house.app.sending.receiving.merge(house.clock).abandoned_count == 1
    (found,) = shown(house)
    assert found.reason is StrayReason.NO_MESSAGE
    assert "id nobody" in found.content


def test_what_no_store_takes_is_kept_all_the_same(house: House):
    house.app.sending.strays.keep([stray(house, content="a\0b" + "x" * 5_000, sender="y" * 50)])
    (found,) = shown(house)
    assert (len(found.content), len(found.sender), "\0" in found.content) == (2_000, 40, False)
