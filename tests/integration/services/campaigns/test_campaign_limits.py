"""How many segments a second a campaign sends at most, of its own: kept with the draft."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.accounts.accounts import RATE_MAX
from core.errors import InvalidInput
from tests.integration.services import steps
from tests.support.application.house import House, make_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.app.close()


def test_a_draft_keeps_its_rate_and_a_clone_has_it(house: House):
    composing = house.app.campaigns.composing
    draft = steps.save(house, "", rate_tps=50)
    assert composing.get(house.viewer, draft.campaign_id).rate_tps == 50
    assert composing.clone(house.viewer, draft.campaign_id, "A copy", house.now).rate_tps == 50
    changed = composing.save(house.viewer, house.draft(""), house.now, draft.campaign_id, draft.version)
    assert changed.rate_tps is None


@pytest.mark.parametrize("rate_tps", [0, -1, RATE_MAX + 1])
def test_a_draft_with_a_rate_that_is_none_is_refused(house: House, rate_tps: int):
    with pytest.raises(InvalidInput) as caught:
        steps.save(house, "", rate_tps=rate_tps)
    assert caught.value.field == "rate"
