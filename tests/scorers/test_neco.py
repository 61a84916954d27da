import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from oodkit.errors import InvalidInput
from oodkit.scorers import NECO
from oodkit.testing import check_scorer
from tests.scorers.heads import headed, logits, with_heads


def test_share_of_the_length_along_the_diagonal() -> None:
    """Standardised rows on the diagonal: (3, 4) / (1, 1) keeps 7 / sqrt 2 of 5, the other diagonal keeps nothing."""
    rows = np.array([[1.0, 10], [-1, -10]])

    scores = NECO(components=1).fit(rows).score_samples(np.array([[3.0, 40], [7, 70], [1, -10], [0, 0]]))

    np.testing.assert_allclose(scores, [7 / np.sqrt(2) / 5, 1, 0, 0], atol=1e-9)


@given(with_heads(), st.integers(0, 10**6))
def test_agrees_with_scikit_learn(data, seed) -> None:
    """StandardScaler, PCA, ratio of lengths; and that times the largest logit."""
    rows, _, head = data
    q = 1 + seed % rows.shape[1]
    queries = 5 * np.random.default_rng(seed).standard_normal((7, rows.shape[1]))
    scaler = StandardScaler().fit(rows)
    model = PCA(n_components=q, svd_solver="full").fit(scaler.transform(rows))
    scaled = scaler.transform(queries)
    ratio = np.linalg.norm(model.transform(scaled), axis=1) / np.linalg.norm(scaled, axis=1)

    plain = NECO(components=q).fit(rows, head=head).score_samples(queries)
    times = NECO(components=q, factor="max_logit").fit(rows, head=head).score_samples(queries)

    np.testing.assert_allclose(plain, ratio, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(times, ratio * logits(queries, head).max(axis=1), rtol=1e-6, atol=1e-6)


@given(with_heads())
def test_a_ratio_that_grows_to_one(data) -> None:
    """Scores lie in [0, 1], do not fall with q and are 1 for q = D."""
    rows, _, _ = data
    scores = np.array([NECO(components=q).fit(rows).score_samples(3 * rows) for q in range(1, rows.shape[1] + 1)])

    assert scores.min() >= 0
    assert scores.max() <= 1
    assert (np.diff(scores, axis=0) >= -1e-9).all()
    np.testing.assert_allclose(scores[-1], 1, rtol=1e-9)


def test_a_share_of_the_variance_chooses_q() -> None:
    """q is the smallest number of directions that hold the share."""
    rows, _, _ = headed(0, n=60, width=8)
    shares = np.cumsum(PCA().fit(StandardScaler().fit_transform(rows)).explained_variance_ratio_)

    for variance in (0.3, 0.9, 0.99, 1.0):
        expected = min(int(np.searchsorted(shares, variance - 1e-12)) + 1, 8)
        assert NECO(variance).fit(rows).directions_.shape == (8, expected)


def test_a_constant_feature_counts_in_the_length_only() -> None:
    """Off its constant value the ratio falls, without a division by 0."""
    rows, _, _ = headed(0)
    rows = np.column_stack([rows, np.full(len(rows), 0.1)])
    scorer = NECO(variance=1.0).fit(rows)

    np.testing.assert_allclose(scorer.score_samples(rows), 1, rtol=1e-9)
    assert (scorer.score_samples(rows + np.eye(7)[6] * 100) < 0.1).all()


def test_equal_rows_and_few_rows() -> None:
    """Equal rows have no directions and score 0; fewer directions than asked for are said."""
    equal = NECO().fit(np.full((9, 3), 0.1))
    few = NECO(components=5).fit(headed(0, n=3)[0])

    assert equal.score_samples(np.array([[0.1] * 3, [5.0] * 3])).tolist() == [0, 0]
    assert equal.notes_ == ["all fit samples are equal, so there are no principal directions"]
    assert few.notes_ == ["the fit samples vary in 2 directions only: these are used, not components=5"]


def test_keeps_the_contract_with_the_largest_logit() -> None:
    """The factor that the registry's own check leaves out."""
    check_scorer(NECO(factor="max_logit"))


def test_parameters_out_of_range_are_errors() -> None:
    """q = 0 has no ratio, q > D no meaning; the largest logit needs a head."""
    for components in (0, 4):
        with pytest.raises(InvalidInput, match="components must be an integer from 1 to 3"):
            NECO(components=components).fit(np.eye(3))
    with pytest.raises(InvalidInput, match="variance must be a share"):
        NECO(variance=0).fit(np.eye(3))
    with pytest.raises(InvalidInput, match="needs a head: fit"):
        NECO(factor="max_logit").fit(np.eye(3))
    with pytest.raises(InvalidInput, match="factor must be one of 'none', 'max_logit', got 'energy'"):
        NECO(factor="energy").fit(np.eye(3))
