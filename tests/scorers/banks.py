"""Banks of few distinct values, and cosines by loops in float64, for tests."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

Array = NDArray[np.float64]
few = settings(max_examples=40)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Array, Array, int]:
    """A bank, queries and a k within the bank; with ties, duplicates and zero rows."""
    width, n, m = draw(st.integers(1, 8)), draw(st.integers(1, 40)), draw(st.integers(1, 5))
    entries = st.integers(-3, 3).map(float)
    bank = draw(arrays(np.float64, (n, width), elements=entries))
    return bank, draw(arrays(np.float64, (m, width), elements=entries)), draw(st.integers(1, n))


def cosines(queries: Array, bank: Array) -> Array:
    """(B, N) cosines, pair by pair; 0 with a zero row."""
    return np.array([[_cosine(query, row) for row in bank] for query in queries])


def scaled(rows: Array, seed: int) -> Array:
    """Each row times a positive number of its own."""
    return rows * np.exp(np.random.default_rng(seed).uniform(-9, 9, (len(rows), 1)))


def turned(rows: Array, seed: int) -> Array:
    """All rows turned by one orthogonal matrix, the same for the same seed."""
    matrix = np.random.default_rng(seed).standard_normal((rows.shape[1],) * 2)
    turn: Array = rows @ np.linalg.qr(matrix)[0]
    return turn


def _cosine(a: Array, b: Array) -> float:
    length = np.sqrt(a @ a) * np.sqrt(b @ b)
    return float(a @ b / length) if length else 0.0
