"""How several workers of pytest share the tests."""

from types import SimpleNamespace

import pytest

from tests.conftest import SHARED, pytest_collection_modifyitems


def test_tests_of_one_file_stay_on_one_worker(request: pytest.FixtureRequest) -> None:
    # Else each worker makes what tests of a file have in common, and no test fails: pytest 9.2 came to that unseen.
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("only where several workers share the tests")
    assert request.node.nodeid.endswith("@tests/unit/test_side_by_side.py")


@pytest.mark.parametrize("shared", SHARED)
def test_an_installation_that_several_files_share_is_made_by_one_worker(shared: str) -> None:
    items = [
        SimpleNamespace(nodeid=f"tests/e2e/test_{name}.py::test_it", fixturenames=("browser", shared), _id="")
        for name in ("menu", "messages")
    ]
    pytest_collection_modifyitems(SimpleNamespace(option=SimpleNamespace(loadgroup=True)), items)
    assert [str(item._id).partition("@")[2] for item in items] == [f"e2e {shared}"] * 2
