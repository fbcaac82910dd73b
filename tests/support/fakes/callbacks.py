"""What providers tell, for the web without any store."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.domain.messages.messages import Receipt, Reply
from core.domain.messages.strays import Stray
from core.errors import StorageError
from core.gateways.callbacks import ReadCallback
from core.services.sending.callbacks import KnownCallback


@dataclass
class FakeCallbacks:
    """
    Follows `core.web.ports.ToldCallbacks`: tokens are known from the first look on.

    *commits* has the number of rows of each commit; *fault* is raised instead of storing, *blind* instead of looking.
    """

    readers: dict[str, ReadCallback | None] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    strays: list[Stray] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    fault: Exception | None = None
    blind: bool = False
    look_count: int = 0
    age: float = float("inf")
    found: dict[str, KnownCallback] = field(default_factory=dict)
    # Set by whoever stores, who then waits for the other.
    began: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.open.set()

    def find(self, token: str) -> KnownCallback | None:
        return self.found.get(token)

    def age_s(self) -> float:
        return self.age

    def look(self) -> None:
        self.look_count += 1
        if self.blind:
            raise StorageError("The store does not answer.")
        names = {token: f"Gateway {number}" for number, token in enumerate(self.readers)}
        self.found = {token: KnownCallback(names[token], 1, reader) for token, reader in self.readers.items()}
        self.age = 0.0

    def store(self, receipts: Sequence[Receipt], replies: Sequence[Reply]) -> None:
        self.began.set()
        assert self.open.wait(30)
        if self.fault is not None:
            raise self.fault
        self.commits.append(len(receipts) + len(replies))
        self.receipts += receipts
        self.replies += replies

    def keep_stray(self, stray: Stray) -> None:
        self.strays.append(stray)
