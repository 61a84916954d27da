import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance, ledoit_wolf

from oodkit.scorers import class_covariances as module
from oodkit.scorers.class_covariances import (
    class_maps,
    class_variances,
    squared_distance_to_nearest_class,
    squared_distances,
    whiten_classes,
)
from oodkit.scorers.gaussian import class_gaussians
from tests.scorers.problems import classes
from tests.scorers.problems import squared_distances as by_loops


def whitened(rows: np.ndarray, labels: np.ndarray, shrinkage: str = "auto"):
    features, of = torch.from_numpy(rows), torch.from_numpy(labels)
    gaussians = class_gaussians(features, of)
    return whiten_classes(features, of, gaussians, gaussians.whiten_within(shrinkage), shrinkage)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 4))
def test_distances_are_those_of_scikit_learn_class_by_class(seed, width, count) -> None:
    """Each class has scikit-learn's covariance of its own rows: the distances to its mean are the same."""
    rows, labels = classes(seed, 25 * count, width, count)
    queries = 3 * np.random.default_rng(seed).standard_normal((6, width))
    features, of = torch.from_numpy(rows), torch.from_numpy(labels)
    gaussians = class_gaussians(features, of)
    maps = class_maps(features, of, gaussians, gaussians.whiten_within(), "per_class")
    x = torch.from_numpy(queries) - gaussians.mean

    found = squared_distances(x, maps.points, maps.matrices)

    own = [EmpiricalCovariance().fit(rows[labels == label]) for label in np.unique(labels)]
    expected = np.stack([one.mahalanobis(queries) for one in own], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    nearest = squared_distance_to_nearest_class(x, maps.points, maps.matrices)
    np.testing.assert_allclose(nearest, expected.min(axis=1), rtol=1e-7, atol=1e-9)
    assert maps.notes == []


def test_blocks_of_classes_and_rows_do_not_matter(monkeypatch) -> None:
    """Distances in many small products are those of one."""
    generator = torch.Generator().manual_seed(0)
    x, points, matrices = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((9, 4), (5, 4), (5, 4, 4))
    )
    whole = squared_distances(x, points, matrices)
    monkeypatch.setattr(module, "PRODUCT_BYTES", 2 * 9 * 4 * 8)

    torch.testing.assert_close(squared_distances(x, points, matrices), whole)
    assert whole.shape == (9, 5)


def test_a_singular_class_is_shrunk_by_its_own_weight() -> None:
    """A class with fewer rows than dimensions has scikit-learn's Ledoit-Wolf covariance; the others are as they are."""
    rows, labels = classes(0, 90, 8, 2)
    few = np.flatnonzero(labels == 1)[:6]
    kept = np.concatenate([np.flatnonzero(labels == 0), few])

    found = whitened(rows[kept], labels[kept])

    shrunk, weight = ledoit_wolf(rows[few])
    np.testing.assert_allclose(found.matrices[1] @ found.matrices[1].T, np.linalg.inv(shrunk), rtol=1e-7, atol=1e-9)
    assert found.shrinkage.tolist() == [0, pytest.approx(weight)]
    assert found.null_space_dims.tolist() == [0, 3]
    assert found.notes() == [f"covariances of 1 of 2 classes: Ledoit-Wolf shrinkage {weight:.2g} to {weight:.2g}"]


@pytest.mark.parametrize("members", [np.arange(1), np.zeros(5, dtype=int), np.arange(2)])
def test_a_class_without_a_covariance_takes_the_shared_one(members) -> None:
    """One row, equal rows and two rows: shrinking cannot help, so the shared covariance is used, and it is said."""
    rows, labels = classes(0, 60, 4, 2)
    few = np.flatnonzero(labels == 1)[members]
    kept = np.concatenate([np.flatnonzero(labels == 0), few])

    found = whitened(rows[kept], labels[kept])

    gaussians = class_gaussians(torch.from_numpy(rows[kept]), torch.from_numpy(labels[kept]))
    torch.testing.assert_close(found.matrices[1], gaussians.whiten_within().matrix)
    assert found.shared.tolist() == [False, True]
    assert "1 of 2 classes vary in too few directions for a covariance of their own" in found.notes()[0]


def test_without_shrinkage_a_singular_class_is_blind_and_it_is_said() -> None:
    """With "none" the pseudo-inverse is numpy's; only a class without any variance takes the shared covariance."""
    rows, labels = classes(0, 60, 4, 2)
    few = np.flatnonzero(labels == 1)[:3]
    kept = np.concatenate([np.flatnonzero(labels == 0), few])

    found = whitened(rows[kept], labels[kept], "none")

    inverse = np.linalg.pinv(np.cov(rows[few].T, bias=True), rcond=1e-10)
    np.testing.assert_allclose(found.matrices[1] @ found.matrices[1].T, inverse, rtol=1e-7, atol=1e-7)
    assert found.notes() == [
        "covariances of 1 of 2 classes are singular: pseudo-inverse, blind in up to 2 directions without variance"
    ]


def test_always_shrunk() -> None:
    """With "ledoit_wolf" every class is shrunk by its weight, whatever its rank."""
    rows, labels = classes(0, 90, 4, 3)

    found = whitened(rows, labels, "ledoit_wolf")

    expected = [ledoit_wolf(rows[labels == label])[1] for label in range(3)]
    np.testing.assert_allclose(found.shrinkage, expected, rtol=1e-7)
    assert "covariances of 3 of 3 classes: Ledoit-Wolf shrinkage" in found.notes()[0]


def test_far_from_the_class_nothing_is_lost() -> None:
    """Distances agree with loops for rows and classes that are far apart."""
    rows, labels = classes(0, 60, 3, 2)
    rows = rows + 1000 * labels[:, None]
    features, of = torch.from_numpy(rows), torch.from_numpy(labels)
    gaussians = class_gaussians(features, of)
    maps = class_maps(features, of, gaussians, gaussians.whiten_within(), "per_class")

    found = squared_distances(features - gaussians.mean, maps.points, maps.matrices)

    for label in (0, 1):
        own = rows[labels == label]
        expected = by_loops(rows, own.mean(axis=0), np.cov(own.T, bias=True))
        np.testing.assert_allclose(found[:, label], expected, rtol=1e-7)


def test_variances_of_classes() -> None:
    """Each feature's variance in each class, divided by the number of rows."""
    rows, labels = classes(0, 60, 4, 3)
    features, of = torch.from_numpy(rows), torch.from_numpy(labels)

    found = class_variances(features, of, class_gaussians(features, of))

    np.testing.assert_allclose(found, [rows[labels == label].var(axis=0) for label in range(3)], rtol=1e-9)
