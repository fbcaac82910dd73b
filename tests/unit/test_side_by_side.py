"""How several workers of pytest share the tests."""

import pytest


def test_tests_of_one_file_stay_on_one_worker(request: pytest.FixtureRequest) -> None:
    # Else each worker makes what tests of a file have in common, and no test fails: pytest 9.2 came to that unseen.
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("only where several workers share the tests")
    assert request.node.nodeid.endswith("@tests/unit/test_side_by_side.py")
