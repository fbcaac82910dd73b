from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.application.page_tests import House
from tests.support.application.page_tests import house as open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found
