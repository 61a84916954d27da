"""Work on items of many callers in batches, by threads of its own."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Gathers items for a short while and works on them together.

    Items are taken in the order they were given, and each one's result goes to its own future. The item of a cancelled
    future is passed over if its batch has not begun. Where a batch fails, its items are tried one by one, so that an
    item fails for its own sake alone.

    Args:
        work: gives one result per item; called by several threads at once if there are several workers.
        most: items in a batch.
        delay_seconds: the longest that an item waits for others while a worker is free.
        workers: threads; items that wait are shared among those that are free.
        start: called first in each of the threads.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        most: int,
        delay_seconds: float,
        workers: int = 1,
        start: Callable[[], None] = lambda: None,
    ) -> None:
        self._work, self._most, self._delay, self._start = work, most, delay_seconds, start
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._changed = threading.Condition()
        self._free = workers
        self._closed = False
        self._threads = [threading.Thread(target=self._run, name="oodkit-batch", daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, item: Item) -> "Future[Result]":
        """The result of an item, when it is there.

        Raises:
            RuntimeError: the batcher is closed.
        """
        waiting: _Waiting[Item, Result] = _Waiting(item)
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._waiting.append(waiting)
            self._changed.notify_all()
        return waiting.future

    def __len__(self) -> int:
        """Items that wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Finish what waits, and end the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        self._start()
        while True:
            batch = self._next_batch()
            if batch is None:
                return
            running = [waiting for waiting in batch if waiting.future.set_running_or_notify_cancel()]
            if running:
                self._answer(running)
            with self._changed:
                self._free += 1

    def _next_batch(self) -> "list[_Waiting[Item, Result]] | None":
        with self._changed:
            while True:
                if not self._waiting:
                    if self._closed:
                        return None
                    self._changed.wait()
                    continue
                left = self._waiting[0].since + self._delay - time.monotonic()
                if left > 0 and len(self._waiting) < self._most and not self._closed:
                    self._changed.wait(left)
                    continue
                share = -(-len(self._waiting) // self._free)
                self._free -= 1
                return [self._waiting.popleft() for _ in range(min(share, self._most))]

    def _answer(self, batch: "Sequence[_Waiting[Item, Result]]") -> None:
        try:
            results = self._work([waiting.item for waiting in batch])
        except Exception as error:  # whatever it is, its caller gets it, and the thread lives on
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for waiting in batch:
                self._answer([waiting])
            return
        for waiting, result in zip(batch, results, strict=True):
            waiting.future.set_result(result)


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[Item, Result]):
    item: Item
    future: "Future[Result]" = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)
