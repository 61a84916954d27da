"""Features with a linear head that fits them, for tests."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]
Head = tuple[Array, Array]


def headed(seed: int, n: int = 40, width: int = 6, count: int = 3) -> tuple[Array, NDArray[np.int64], Head]:
    """(n, width) rows of `count` classes, each around its own row of the head's weight, shifted by a constant."""
    rng = np.random.default_rng(seed)
    weight = 3 * rng.standard_normal((count, width))
    labels = np.arange(n) % count
    rows = weight[labels] + 0.5 + rng.standard_normal((n, width))
    return rows, labels, (weight, rng.standard_normal(count) + 2)


def logits(rows: Array, head: Head) -> Array:
    """Row by row, class by class."""
    return np.array([[float(row @ w) + float(b) for w, b in zip(*head, strict=True)] for row in rows])


def energies(rows: Array, head: Head) -> Array:
    """Log of the sum of exponentials of the logits."""
    return np.array([np.log(np.sum(np.exp(row - row.max()))) + row.max() for row in logits(rows, head)])


@st.composite
def with_heads(draw: st.DrawFn, least: int = 1) -> tuple[Array, NDArray[np.int64], Head]:
    """Such data of `least` to 5 classes in 2 to 8 dimensions, with more rows than dimensions."""
    width, count = draw(st.integers(2, 8)), draw(st.integers(least, 5))
    n = draw(st.integers(3 * width, 60))
    return headed(draw(st.integers(0, 10**6)), n, width, count)
