"""What many requests bring at the same time goes into the store in one commit, and each hears when it is there."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from anyio import CapacityLimiter, to_thread

from core.domain.messages.messages import Receipt, Reply
from core.errors import StorageError
from core.gateways.callbacks import Heard

# Rows of one commit: the next ones wait for it.
ROWS_MOST = 5_000
Store = Callable[[Sequence[Receipt], Sequence[Reply]], None]


class GroupCommit:
    """
    Stores what is waiting, as a whole, while more comes in: the slower the store, the larger its commits.

    It has a thread of its own, so that it waits for none of those that serve pages. Belongs to one event loop.
    """

    def __init__(self, store: Store) -> None:
        """Take what stores, in a thread; it raises StorageError when nothing is kept."""
        self._store = store
        self._waiting: deque[tuple[Heard, asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._thread = CapacityLimiter(1)

    async def keep(self, heard: Heard) -> None:
        """Return once it is durable. Raises: StorageError: nothing of it is kept."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((heard, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._empty())
        await done

    async def _empty(self) -> None:
        while self._waiting:
            group, row_count = [], 0
            while self._waiting and row_count < ROWS_MOST:
                heard, done = self._waiting.popleft()
                group.append((heard, done))
                row_count += len(heard.receipts) + len(heard.replies)
            await self._keep(group)

    async def _keep(self, group: list[tuple[Heard, asyncio.Future[None]]]) -> None:
        receipts = [receipt for heard, _ in group for receipt in heard.receipts]
        replies = [reply for heard, _ in group for reply in heard.replies]
        try:
            await to_thread.run_sync(self._store, receipts, replies, limiter=self._thread)
        except Exception as error:  # noqa: BLE001 - whoever waits for it hears it
            if len(group) > 1 and not isinstance(error, StorageError):
                # What one of them brought cannot be stored, a defect of ours with which the others have nothing to do.
                for each in group:
                    await self._keep([each])
                return
            _settle(group, error)
        else:
            _settle(group, None)


def _settle(group: list[tuple[Heard, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, done in group:
        # Whoever has left meanwhile does not wait any more.
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
