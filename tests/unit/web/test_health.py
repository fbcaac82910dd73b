import json

import pytest

from tests.support.fakes.asgi import Browser
from tests.support.fakes.fake_sign_in import FakeApplication


@pytest.mark.parametrize(
    ("stores", "status", "healthy"),
    [
        ({"state": True, "lake": True}, 200, True),
        ({"state": True, "lake": False}, 503, False),
        ({"state": False, "lake": False}, 503, False),
    ],
)
def test_health_says_which_store_answers(
    application: FakeApplication, browser: Browser, stores: dict[str, bool], status: int, healthy: bool
) -> None:
    application.stores.update(stores)
    answer = browser.get("/healthz")
    assert answer.status == status
    assert json.loads(answer.body) == {"healthy": healthy, **stores}
    assert answer.header("cache-control") == "no-store"
