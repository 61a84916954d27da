"""Batches: every item gets its own result, and none is lost, doubled or held up."""

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("oodkit.serving", exc_type=ImportError)

from oodkit.serving.batching import Batcher


class Held:
    """Work that waits until it is let go, and remembers its batches."""

    def __init__(self):
        self.batches, self.go, self.begun = [], threading.Event(), threading.Event()

    def __call__(self, items):
        self.batches.append(list(items))
        self.begun.set()
        assert self.go.wait(60)
        return [-item for item in items]


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def batcher(held):
    made = Batcher(held, most=3, delay_seconds=0)
    yield made
    held.go.set()
    made.close()


@given(st.lists(st.integers(), max_size=40), st.integers(1, 5), st.integers(1, 3))
def test_each_item_gets_its_own_result(items, most, workers):
    """In whatever batches they went, none above the bound, from several callers at once."""
    sizes = []

    def work(batch):
        sizes.append(len(batch))
        return [("done", item) for item in batch]

    made = Batcher(work, most=most, delay_seconds=0.0005, workers=workers)
    with ThreadPoolExecutor(4) as callers:
        futures = list(callers.map(made.submit, items))
    made.close()
    assert [future.result(60) for future in futures] == [("done", item) for item in items]
    assert sum(sizes) == len(items)
    assert max(sizes, default=0) <= most


def test_what_waits_is_taken_together_and_in_order(held, batcher):
    """While a batch runs others gather; the next has as many as fit."""
    futures = [batcher.submit(0)]
    assert held.begun.wait(60)
    futures += [batcher.submit(item) for item in range(1, 6)]
    assert len(batcher) == 5
    held.go.set()
    assert [future.result(60) for future in futures] == [0, -1, -2, -3, -4, -5]
    assert held.batches == [[0], [1, 2, 3], [4, 5]]


def test_an_item_whose_caller_has_gone_is_passed_over(held, batcher):
    """It costs nothing, and the others in its batch are answered."""
    first = batcher.submit(0)
    assert held.begun.wait(60)
    gone, stays = batcher.submit(1), batcher.submit(2)
    assert gone.cancel()
    held.go.set()
    assert (first.result(60), stays.result(60)) == (0, -2)
    assert held.batches == [[0], [2]]
    with pytest.raises(CancelledError):
        gone.result(0)


def test_an_item_that_fails_fails_alone():
    """The others of its batch are worked on again without it."""

    def work(items):
        if 13 in items:
            raise ValueError("not thirteen")
        return items

    made = Batcher(work, most=8, delay_seconds=0.05)
    good, bad = made.submit(12), made.submit(13)
    assert good.result(60) == 12
    with pytest.raises(ValueError, match="not thirteen"):
        bad.result(60)
    made.close()


def test_workers_that_are_free_share_what_waits():
    """Four items before two free workers are two batches of two, at the same time."""
    together = threading.Barrier(2)

    def work(items):
        together.wait(60)
        return items

    made = Batcher(work, most=4, delay_seconds=0.2, workers=2)
    futures = [made.submit(item) for item in range(4)]
    assert [future.result(60) for future in futures] == [0, 1, 2, 3]
    made.close()


def test_closing_finishes_what_waits(held):
    """Nothing is dropped, and nothing is taken any more."""
    made = Batcher(held, most=1, delay_seconds=0)
    futures = [made.submit(item) for item in range(3)]
    held.go.set()
    made.close()
    assert [future.result(0) for future in futures] == [0, -1, -2]
    with pytest.raises(RuntimeError, match="closed"):
        made.submit(4)
