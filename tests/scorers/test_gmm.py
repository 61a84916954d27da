import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf
from sklearn.mixture import GaussianMixture

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import GMM, Mahalanobis
from oodkit.testing import check_scorer
from tests.scorers.problems import classes, labelled, within_covariance

COVARIANCES = ["tied", "full", "diag"]
many = labelled().filter(lambda data: np.unique(data[1], return_counts=True)[1].min() >= 4 * data[0].shape[1])


def by_scipy(queries: np.ndarray, rows: np.ndarray, labels: np.ndarray, covariance: str) -> np.ndarray:
    """Log-density of the class-conditional mixture, component by component."""
    logs = []
    for label in np.unique(labels):
        members = rows[labels == label]
        own = np.atleast_2d(np.cov(members.T, bias=True))
        found = {"tied": within_covariance(rows, labels), "full": own, "diag": np.diag(np.diag(own))}[covariance]
        density = multivariate_normal(members.mean(axis=0), found)
        logs.append(np.log(len(members) / len(rows)) + np.atleast_1d(density.logpdf(queries)))
    return logsumexp(logs, axis=0)


def test_one_gaussian_in_one_dimension() -> None:
    """Rows -1 and 1 have mean 0 and variance 1: the score is the log-density of the standard normal."""
    scores = GMM().fit(np.array([[-1.0], [1.0]])).score_samples(np.array([[0.0], [2.0]]))

    np.testing.assert_allclose(scores, [-np.log(2 * np.pi) / 2, -2 - np.log(2 * np.pi) / 2], rtol=1e-12)


@pytest.mark.parametrize("covariance", COVARIANCES)
@given(data=many, seed=st.integers(0, 10**6))
def test_classes_agree_with_scipy(covariance, data, seed) -> None:
    """With labels it is the mixture of scipy's normal densities, weighted by class size."""
    rows, labels = data
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))

    scorer = GMM(covariance=covariance).fit(rows, labels)

    np.testing.assert_allclose(scorer.score_samples(queries), by_scipy(queries, rows, labels, covariance), rtol=1e-6)
    assert scorer.notes_ == []
    assert float(scorer.weights_.sum()) == pytest.approx(1)


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_components_agree_with_scikit_learn(covariance) -> None:
    """Components found in separate clusters are those of scikit-learn's expectation-maximisation of the same rows."""
    rows, labels = classes(0, n=200, width=3)
    rows = rows + 50 * np.eye(3)[labels]
    peer = GaussianMixture(3, covariance_type=covariance, reg_covar=1e-9, random_state=1).fit(rows)

    scorer = GMM(components=3, covariance=covariance).fit(rows, labels)

    np.testing.assert_allclose(scorer.score_samples(rows), peer.score_samples(rows), rtol=1e-3)
    assert float(scorer.weights_.sum()) == pytest.approx(1)
    assert scorer.notes_ == ["labels are ignored: components are found by expectation-maximisation"]


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_components_in_one_cloud_are_no_worse_a_fit_than_one(covariance) -> None:
    """More components raise the mean log-density of the fit rows; it does not depend on the rows' order."""
    rows, _ = classes(0, n=200, width=3)

    one, five = (GMM(components, covariance).fit(rows) for components in (1, 5))
    shuffled = GMM(5, covariance).fit(np.random.default_rng(0).permutation(rows))

    assert five.score_samples(rows).mean() > one.score_samples(rows).mean()
    np.testing.assert_allclose(shuffled.score_samples(rows), five.score_samples(rows), rtol=1e-9)


@given(labelled())
def test_one_component_is_one_gaussian(data) -> None:
    """components=1 is the normal density with mean and covariance of all rows, as without labels."""
    rows, labels = data
    expected = multivariate_normal(rows.mean(axis=0), np.cov(rows.T, bias=True)).logpdf(rows)

    one, without = GMM(components=1).fit(rows, labels), GMM(covariance="full").fit(rows)

    np.testing.assert_allclose(one.score_samples(rows), expected, rtol=1e-6)
    np.testing.assert_allclose(without.score_samples(rows), expected, rtol=1e-6)
    assert without.notes_ == ["no labels were given: all fit samples are one Gaussian"]


def test_mahalanobis_is_the_nearest_component_alone() -> None:
    """With a tied covariance and equal weights, -d/2 <= score - constant <= -d/2 + log C, d to the nearest class."""
    rows, labels = classes(0, n=60, width=4, count=3)
    constant = -np.linalg.slogdet(within_covariance(rows, labels))[1] / 2 - 2 * np.log(2 * np.pi) - np.log(3)

    above = GMM().fit(rows, labels).score_samples(rows) - constant
    nearest = Mahalanobis().fit(rows, labels).score_samples(rows) / 2

    assert (above >= nearest - 1e-9).all()
    assert (above <= nearest + np.log(3) + 1e-9).all()


@pytest.mark.parametrize("covariance", ["tied", "full"])
@given(data=many, seed=st.integers(0, 10**6))
def test_affine_maps_shift_all_scores_alike(covariance, data, seed) -> None:
    """Features that go through z -> A z + t lose log |det A|, every row the same."""
    rows, labels = data
    matrix = np.linalg.qr(np.random.default_rng(seed).standard_normal((rows.shape[1],) * 2))[0] * 3
    matrix[0] *= 2

    mapped = GMM(covariance=covariance).fit(rows @ matrix + 1, labels).score_samples(rows @ matrix + 1)

    expected = GMM(covariance=covariance).fit(rows, labels).score_samples(rows) - np.linalg.slogdet(matrix)[1]
    np.testing.assert_allclose(mapped, expected, rtol=1e-6, atol=1e-9)


def test_far_away_nothing_underflows() -> None:
    """Log-densities far beyond the smallest number whose exponential is not 0 are finite and in order."""
    rows, labels = classes(0)
    for covariance in COVARIANCES:
        scores = GMM(covariance=covariance).fit(rows, labels).score_samples(rows[:1] + np.logspace(2, 6, 9)[:, None])

        assert (scores < -1000).all()
        assert (np.diff(scores) < 0).all()


def test_fewer_samples_than_dimensions() -> None:
    """A class with as few rows as dimensions is shrunk by scikit-learn's Ledoit-Wolf weight, and it is said."""
    rows, labels = classes(0, n=16, width=8, count=2)
    densities = []
    for label in (0, 1):
        shrunk, _ = ledoit_wolf(rows[labels == label])
        densities.append(multivariate_normal(rows[labels == label].mean(axis=0), shrunk).logpdf(rows))

    full, tied = GMM(covariance="full").fit(rows, labels), GMM().fit(rows[:8], labels[:8])

    np.testing.assert_allclose(full.score_samples(rows), logsumexp(densities, axis=0) - np.log(2), rtol=1e-6)
    assert "covariances of 2 of 2 classes: Ledoit-Wolf shrinkage" in full.notes_[0]
    assert "Ledoit-Wolf shrinkage" in tied.notes_[0]


def test_small_classes_are_said() -> None:
    """One row in a class: it takes the shared covariance, or variances that are raised; scores are finite."""
    rows, labels = classes(0)
    rows, labels = np.vstack([rows, rows[:1] + 9]), np.append(labels, 99)

    full, diagonal = (GMM(covariance=covariance).fit(rows, labels) for covariance in ("full", "diag"))

    assert np.isfinite(full.score_samples(rows)).all()
    assert "1 of 4 classes vary in too few directions" in full.notes_[0]
    assert np.isfinite(diagonal.score_samples(rows)).all()
    assert diagonal.notes_ == [
        "4 of 16 variances of classes are below 1e-6 of the mean variance of a feature, and raised to that"
    ]


def test_what_has_no_density() -> None:
    """Equal rows, a single row, too few directions or rows, and numbers that mean nothing are one line each."""
    for rows in (np.full((9, 3), 0.1), np.ones((1, 3))):
        with pytest.raises(TooFewSamples, match="a density needs fit samples that differ"):
            GMM().fit(rows)
    with pytest.raises(TooFewSamples, match="vary in too few of 4 directions for a density"):
        GMM().fit(np.eye(4)[:2])
    with pytest.raises(TooFewSamples, match="give at least 2 different samples per class"):
        GMM().fit(np.eye(4), np.arange(4))
    with pytest.raises(TooFewSamples, match=r"components=5 needs at least 5 fit samples, got 4 sample\(s\)"):
        GMM(components=5).fit(np.eye(4))
    for components in (0, 1.5):
        with pytest.raises(InvalidInput, match="components must be an integer of at least 1, got"):
            GMM(components=components).fit(np.eye(4))
    with pytest.raises(InvalidInput, match="covariance must be one of 'tied', 'full', 'diag', got 'shared'"):
        GMM(covariance="shared").fit(np.eye(4))


@pytest.mark.parametrize("covariance", COVARIANCES)
@pytest.mark.parametrize("components", [None, 3])
def test_every_kind_keeps_the_contract(components, covariance) -> None:
    """What holds for the default holds for each parameter."""
    check_scorer(GMM(components, covariance))


def test_a_fit_with_several_wide_components_ends_on_two_threads() -> None:
    """Their determinants are computed one by one: torch's batched factorisation may never end there."""
    program = (
        "import numpy as np, torch\nfrom oodkit.scorers import GMM\ntorch.set_num_threads(2)\n"
        "rows = np.random.default_rng(0).standard_normal((600, 256))\n"
        "assert np.isfinite(GMM(components=4, covariance='full').fit(rows).score_samples(rows[:5])).all()"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
