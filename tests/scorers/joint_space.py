"""Images and texts of a joint space, and their cosines by loops in float64, for tests."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cosines(images: Array, texts: Array) -> Array:
    """(N, M) cosines; 0 where a row is zero."""

    def of_pair(a: Array, b: Array) -> float:
        length = np.sqrt(sum(a**2)) * np.sqrt(sum(b**2))
        return sum(a * b) / length if length else 0.0

    return np.array([[of_pair(image, text) for text in texts] for image in images])


@st.composite
def spaces(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Images, class texts and negatives of few distinct values, so with ties, duplicates and zero rows."""
    width = draw(st.integers(1, 6))
    entries = st.integers(-3, 3).map(float)

    def rows(most: int) -> Array:
        return draw(arrays(np.float64, (draw(st.integers(1, most)), width), elements=entries))

    return rows(8), rows(6), rows(12)


def draw_space(seed: int = 0, n: int = 50, classes: int = 7, negatives: int = 20) -> tuple[Array, Array, Array]:
    """Images, class texts and negatives at random."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 6)), rng.standard_normal((classes, 6)), rng.standard_normal((negatives, 6))
