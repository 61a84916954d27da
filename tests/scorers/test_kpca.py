import numpy as np
import pytest
import sklearn.decomposition
from sklearn.kernel_approximation import RBFSampler

from oodkit.errors import InvalidInput
from oodkit.scorers import KernelPCA, parts
from oodkit.scorers import kpca as module
from tests.scorers.heads import headed


def test_two_points_far_apart() -> None:
    """Under a sharp kernel phi of unlike rows is orthogonal, of length 1: two fit rows span the line between theirs.

    A third row is sqrt(1 + 1/2) away from their mean, orthogonally to the line.
    """
    rows = np.array([[1.0, 0, 0], [0, 1, 0]])

    scores = (
        KernelPCA(gamma=20, features=50_000, variance=1.0).fit(rows).score_samples(np.array([[5.0, 0, 0], [0, 0, 2]]))
    )

    np.testing.assert_allclose(scores, [0, -np.sqrt(1.5)], atol=0.03)


@pytest.mark.parametrize("features", [16, 200])
def test_agrees_with_scikit_learn(features) -> None:
    """Scores are minus scikit-learn's PCA error of the random features that scikit-learn makes of the same draw."""
    rows, _, _ = headed(0, n=60)
    queries = np.random.default_rng(0).standard_normal((20, 6))

    scorer = KernelPCA(gamma=1.5, features=features, components=5).fit(rows)

    sampler = RBFSampler(gamma=1.5, n_components=features).fit(rows)
    sampler.random_weights_, sampler.random_offset_ = scorer.frequencies_.numpy(), scorer.phases_.numpy()
    mapped, asked = (sampler.transform(x / np.linalg.norm(x, axis=1, keepdims=True)) for x in (rows, queries))
    model = sklearn.decomposition.PCA(n_components=5, svd_solver="full").fit(mapped)
    expected = -np.linalg.norm(asked - model.inverse_transform(model.transform(asked)), axis=1)
    np.testing.assert_allclose(scorer.score_samples(queries), expected, rtol=1e-6)


def test_approaches_kernel_pca() -> None:
    """With many features the score is near the exact reconstruction error in the space of the kernel."""
    rows, _, _ = headed(1, n=30)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    n = len(rows)
    kernel = np.exp(-2 * ((units[:, None] - units[None]) ** 2).sum(axis=2))
    centring = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(centring @ kernel @ centring)
    left = centring @ kernel @ centring
    kept = vectors[:, -3:] * np.sqrt(values[-3:])
    exact = -np.sqrt(np.diag(left) - (kept**2).sum(axis=1))

    scores = KernelPCA(features=20_000, components=3).fit(rows).score_samples(rows)

    np.testing.assert_allclose(scores, exact, atol=0.05)


def test_the_seed_decides() -> None:
    """The same seed gives bitwise the same scores, another seed others."""
    rows, _, _ = headed(0)
    first, again, other = (KernelPCA(seed=seed).fit(rows).score_samples(rows) for seed in (3, 3, 4))

    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_a_flat_kernel_sees_no_difference() -> None:
    """For gamma -> 0 all features are equal and every score is 0."""
    rows, _, _ = headed(0)

    scores = KernelPCA(gamma=1e-20, features=64).fit(rows).score_samples(rows[:, ::-1].copy())

    np.testing.assert_allclose(scores, 0, atol=1e-6)


def test_equal_rows_and_few_rows() -> None:
    """Equal directions leave the distance to their mean, which is said, as are fewer directions than asked for."""
    equal = KernelPCA(features=64).fit(np.array([[1.0, 2], [2, 4], [3, 6]]))
    few = KernelPCA(features=64, components=5).fit(np.eye(3))

    np.testing.assert_allclose(equal.score_samples(np.array([[5.0, 10]])), 0, atol=1e-12)
    assert equal.score_samples(np.array([[-5.0, 10], [0, 0]])).max() < -0.1
    assert equal.notes_ == ["all fit samples are equal, so there are no principal directions"]
    assert few.notes_ == ["the fit samples vary in 2 directions only: these are used, not components=5"]


def test_features_are_made_part_by_part(monkeypatch) -> None:
    """However many rows come at once, no more features than fit the limit exist at a time."""
    rows, _, _ = headed(0, n=200)
    scorer = KernelPCA(features=100).fit(rows)
    expected = scorer.score_samples(rows)
    sizes = []
    call = module.RandomFeatures.__call__
    monkeypatch.setattr(module.RandomFeatures, "__call__", lambda self, x: sizes.append(len(x)) or call(self, x))
    monkeypatch.setattr(parts, "PART_BYTES", 8 * 300 * 7)

    np.testing.assert_allclose(scorer.score_samples(rows), expected, rtol=1e-9)
    assert max(sizes) == 7


def test_parameters_out_of_range_are_errors() -> None:
    """gamma must be positive, the number of features a positive integer, and q at most that."""
    for gamma in (0, -1, float("nan")):
        with pytest.raises(InvalidInput, match="gamma must be a positive number"):
            KernelPCA(gamma=gamma).fit(np.eye(3))
    for features in (0, 2.5):
        with pytest.raises(InvalidInput, match="features must be an integer of at least 1"):
            KernelPCA(features=features).fit(np.eye(3))
    with pytest.raises(InvalidInput, match="components must be an integer from 0 to 8"):
        KernelPCA(features=8, components=9).fit(np.eye(3))
