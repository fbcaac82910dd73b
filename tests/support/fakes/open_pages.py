"""A server of pages that says what a test wants of it."""

from collections.abc import Callable
from dataclasses import dataclass, field


def _always(*_: str) -> bool:
    return True


@dataclass
class FakePages:
    """Every page is open, every upload in memory, every file one's own, unless a test says otherwise."""

    is_open: Callable[[str], bool] = _always
    is_open_to: Callable[[str, str], bool] = _always
    holds: Callable[[str, str], bool] = _always
    may_fetch: Callable[[str, str], bool] = _always
    gone: list[str] = field(default_factory=list)

    def let_go(self, session_id: str) -> None:
        self.gone.append(session_id)
