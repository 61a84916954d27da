import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import create, gaussian
from oodkit.scorers.gaussian import class_gaussians
from oodkit.scorers.unit_rows import unit_rows
from tests.scorers.problems import classes, labelled, within_covariance


def fit(rows, labels=None, prepare=None):
    return class_gaussians(torch.from_numpy(rows), None if labels is None else torch.from_numpy(labels), prepare)


@given(labelled())
def test_means_and_covariances_are_those_of_loops(data) -> None:
    """Means per class and in all, the pooled covariance, and scikit-learn's covariance of all rows; divided by N."""
    rows, labels = data

    found = fit(rows, labels)

    means = [rows[labels == label].mean(axis=0) for label in np.unique(labels)]
    np.testing.assert_allclose(found.class_means, means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.within, within_covariance(rows, labels), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.total, EmpiricalCovariance().fit(rows).covariance_, rtol=1e-9, atol=1e-9)
    assert found.counts.tolist() == np.unique(labels, return_counts=True)[1].tolist()


@given(labelled())
def test_total_is_within_plus_between(data) -> None:
    """S_t = S_w + S_b, with S_b the covariance of the class means weighted by class size."""
    rows, labels = data

    found = fit(rows, labels)

    between = sum(
        int(count) / len(rows) * np.outer(mean - found.mean.numpy(), mean - found.mean.numpy())
        for count, mean in zip(found.counts, found.class_means.numpy(), strict=True)
    )
    np.testing.assert_allclose(found.total, found.within.numpy() + between, rtol=1e-9, atol=1e-9)


@given(labelled(), st.integers(1, 9))
def test_blocks_do_not_matter(data, size) -> None:
    """Rows that come in blocks give what they give at once."""
    rows, labels = data
    whole = fit(rows, labels)

    before, gaussian.BLOCK = gaussian.BLOCK, size
    try:
        parts = fit(rows, labels)
    finally:
        gaussian.BLOCK = before

    torch.testing.assert_close(parts.total, whole.total, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(parts.within, whole.within, rtol=1e-9, atol=1e-9)
    assert parts.fourth_within == pytest.approx(whole.fourth_within)


def test_a_large_offset_costs_no_digits() -> None:
    """Rows are centred before the product: a million added to float64 data changes a variance of 1 by 1e-9 or so."""
    rows, labels = classes(0)

    np.testing.assert_allclose(fit(rows + 1e6, labels).within, fit(rows, labels).within, rtol=1e-7, atol=1e-7)


def test_a_constant_column_has_no_variance_at_all() -> None:
    """Whatever its value, a column that is constant gets variance exactly 0."""
    rows, labels = classes(0)
    rows[:, 1] = 0.1

    found = fit(rows, labels)

    assert not found.within[1].any()
    assert not found.total[:, 1].any()


def test_rows_are_prepared_first() -> None:
    """With `prepare=unit_rows` all is of the rows scaled to length 1, in float64 even for float32 rows."""
    rows, labels = classes(0)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    found = fit(rows.astype(np.float32), labels, unit_rows)

    np.testing.assert_allclose(found.within, within_covariance(units, labels), rtol=1e-5, atol=1e-7)
    assert found.within.dtype == torch.float64


def test_fourth_moment() -> None:
    """The mean fourth power of the distance to the class mean."""
    rows, labels = classes(0)

    found = fit(rows, labels)

    own = np.array([rows[labels == label].mean(axis=0) for label in labels])
    assert found.fourth_within == pytest.approx(np.mean(np.sum((rows - own) ** 2, axis=1) ** 2))


def test_no_spread_is_refused() -> None:
    """One sample, or classes that are single rows or copies of one, have no covariance to speak of."""
    rows = np.random.default_rng(0).standard_normal((3, 5)) * 1e3
    with pytest.raises(TooFewSamples, match="got 1 sample"):
        fit(rows[:1]).whiten_within()
    with pytest.raises(
        TooFewSamples, match=r"the 3 fit samples with 5 .* inside any of the 3 classes; give at least 2"
    ):
        fit(rows, np.arange(3)).whiten_within()
    with pytest.raises(TooFewSamples, match="the 21 fit samples"):
        fit(np.repeat(rows, 7, axis=0), np.repeat(np.arange(3), 7)).whiten_within()


def test_equal_rows_of_one_class_are_a_point() -> None:
    """All rows equal, without classes: a point without directions, and no NaN."""
    whitened = fit(np.full((9, 4), 0.1)).whiten_within()

    assert whitened.matrix.shape == (4, 0)
    assert whitened.null_space_dim == 4


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mahalanobis", {}),
        ("mahalanobis", {"covariance": "per_class"}),
        ("mahalanobis", {"clusters": 3}),
        ("relative_mahalanobis", {}),
        ("gmm", {}),
        ("gmm", {"covariance": "diag"}),
        ("gmm", {"components": 2}),
    ],
)
@pytest.mark.parametrize("scale", [1e160, 1e200, 1e307])
def test_features_that_overflow_are_one_line(name, parameters, scale) -> None:
    """Neither a traceback of linear algebra nor a word on equal rows, nor warnings of what is used inside."""
    rows = scale * np.random.default_rng(0).random((30, 4))

    with pytest.raises(InvalidInput, match=r"^features are too large: their (variance|squares) overflows? float64"):
        create(name, **parameters).fit(rows, np.arange(30) % 3)


def test_shrinkage_of_features_whose_fourth_powers_overflow_is_one_line() -> None:
    """What is not shrunk is not in need of them."""
    rows = 1e80 * np.random.default_rng(0).random((30, 4))

    assert np.isfinite(create("mahalanobis").fit(rows, np.arange(30) % 3).score_samples(rows)).all()
    with pytest.raises(InvalidInput, match="too large"):
        create("mahalanobis", shrinkage="ledoit_wolf").fit(rows, np.arange(30) % 3)
