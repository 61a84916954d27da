"""Activations under a linear head, and the energy of its logits in float64, for tests."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import logsumexp

Array = NDArray[np.float64]


class Activations(NamedTuple):
    """Rows to fit, rows to score and a classifier on them."""

    rows: Array  # (N, D)
    queries: Array  # (M, D)
    weight: Array  # (C, D)
    bias: Array  # (C,)

    @property
    def head(self) -> tuple[Array, Array]:
        """As `fit` takes it."""
        return self.weight, self.bias


def make_activations(
    seed: int, n: int = 40, width: int = 6, count: int = 3, signed: bool = False, ties: bool = False
) -> Activations:
    """Random activations, as after a ReLU unless they are signed; with ties, rounded to halves."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n + 9, width)) + 0.3
    if not signed:
        rows = np.maximum(rows, 0)
    if ties:
        rows = np.round(2 * rows) / 2
    return Activations(rows[:n], rows[n:], rng.standard_normal((count, width)), rng.standard_normal(count))


@st.composite
def activations(draw: st.DrawFn, signed: bool | None = None) -> Activations:
    """1 to 60 rows of 1 to 12 activations, 1 to 6 classes, with and without ties and negative values."""
    return make_activations(
        seed=draw(st.integers(0, 10**6)),
        n=draw(st.integers(1, 60)),
        width=draw(st.integers(1, 12)),
        count=draw(st.integers(1, 6)),
        signed=draw(st.booleans()) if signed is None else signed,
        ties=draw(st.booleans()),
    )


def energy(rows: Array, weight: Array, bias: Array) -> Array:
    """Log-sum-exp of the logits, row by row."""
    return np.array([logsumexp(weight @ row + bias) for row in rows])
