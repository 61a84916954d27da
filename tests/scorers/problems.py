"""Labelled Gaussian data, and Mahalanobis distances by loops in float64, for tests."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]


def classes(seed: int, n: int = 60, width: int = 4, count: int = 3) -> tuple[Array, NDArray[np.int64]]:
    """(n, width) rows of `count` classes with a common covariance, well conditioned and not diagonal."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % count)
    mixing = rng.uniform(0.5, 2, (width, 1)) * np.linalg.qr(rng.standard_normal((width, width)))[0]
    means = 3 * rng.standard_normal((count, width))
    return means[labels] + rng.standard_normal((n, width)) @ mixing, labels


def squared_distances(rows: Array, mean: Array, covariance: Array) -> Array:
    """Row by row, with an inverse."""
    inverse = np.linalg.inv(covariance)
    return np.array([(row - mean) @ inverse @ (row - mean) for row in rows])


def within_covariance(rows: Array, labels: NDArray[np.int64]) -> Array:
    """Sum of outer products of each row's difference to its class mean, divided by their number."""
    total = np.zeros((rows.shape[1],) * 2)
    for label in np.unique(labels):
        members = rows[labels == label]
        for row in members:
            total += np.outer(row - members.mean(axis=0), row - members.mean(axis=0))
    return total / len(rows)


def smallest_distances(queries: Array, rows: Array, labels: NDArray[np.int64]) -> Array:
    """Squared distance of each query to the nearest class mean."""
    covariance = within_covariance(rows, labels)
    means = [rows[labels == label].mean(axis=0) for label in np.unique(labels)]
    return np.min([squared_distances(queries, mean, covariance) for mean in means], axis=0)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Array, NDArray[np.int64]]:
    """Data of 1 to 4 classes in 1 to 6 dimensions, with rows enough for a covariance of full rank."""
    width, count = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    n = draw(st.integers(4 * (width + count), 80))
    return classes(draw(st.integers(0, 10**6)), n, width, count)
