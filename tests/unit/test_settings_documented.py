import re
from dataclasses import fields
from pathlib import Path

from core.config import PREFIX, Settings

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
ROW = re.compile(rf"^\| `{PREFIX}(\w+)` \| (?:`(.*?)`)? *\|", re.MULTILINE)


def written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_operations_lists_every_setting_with_its_default_and_no_other() -> None:
    documented = {name.lower(): default for name, default in ROW.findall(OPERATIONS.read_text(encoding="utf-8"))}
    assert documented == {field.name: written(field.default) for field in fields(Settings)}
