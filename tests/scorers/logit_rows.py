"""Logits for tests, and their softmax by a loop in float64."""

import math

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

Array = NDArray[np.float64]

GAPS = np.array([[gap, 0.0, 0.0, 0.0] for gap in (17, 20, 30, 60)])  # float32 probabilities: 1, 1, 1 and 1


@st.composite
def logit_rows(draw: st.DrawFn, least: int = 1) -> Array:
    """(N, C) rows of few distinct values, so with ties, at levels from tiny to confident; C from `least` to 6."""
    shape = draw(st.integers(1, 8)), draw(st.integers(least, 6))
    rows = draw(arrays(np.float64, shape, elements=st.integers(-4, 4).map(float)))
    return rows * draw(st.sampled_from([0.01, 1.0, 7.0])) + draw(st.sampled_from([0.0, -30.0, 1000.0]))


def log_sum_exp(row: Array) -> float:
    top = max(row)
    return float(top + math.log(math.fsum(math.exp(value - top) for value in row)))


def probabilities(row: Array) -> list[float]:
    return [math.exp(value - log_sum_exp(row)) for value in row]
