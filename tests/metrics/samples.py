"""Scores to try metrics on, and pair loops that are too plain to be wrong."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A coarse grid forces ties within and between the sides; all maps tried in the tests stay strict on it.
tied_scores = arrays(np.float64, st.integers(1, 30), elements=st.integers(-6, 6).map(lambda i: i / 2))
finite_scores = arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e300, 1e300))
infinite_scores = arrays(
    np.float64, st.integers(1, 30), elements=st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 2.0, np.inf])
)
any_scores = tied_scores | finite_scores | infinite_scores


def outcome(a: float, b: float) -> float:
    """1 for a pair in the right order, one half for a tie, 0 for the wrong order."""
    return 1.0 if a > b else 0.5 if a == b else 0.0


def pair_outcomes(in_scores: Array, out_scores: Array) -> Array:
    """(N, M) outcomes of all pairs, by loops."""
    return np.array([[outcome(a, b) for b in out_scores] for a in in_scores], dtype=np.float64)


def labelled(in_scores: Array, out_scores: Array) -> tuple[NDArray[np.int64], Array]:
    """Labels (1 for in) and scores in one row, as scikit-learn takes them."""
    labels = np.repeat([1, 0], [len(in_scores), len(out_scores)])
    return labels, np.concatenate([in_scores, out_scores])
