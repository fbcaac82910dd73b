import pytest

from core.gateways.registry import KINDS


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_called_as_its_folder_is(name: str):
    assert KINDS[name].build.__module__ == f"core.gateways.{name}.kind"
