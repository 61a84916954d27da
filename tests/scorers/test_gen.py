import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import GEN, MSP
from tests.scorers.logit_rows import GAPS, log_sum_exp, logit_rows


def gen(rows, gamma: float = 0.1, m: int = 100):
    return GEN(gamma, m).fit(rows).score_samples(rows)


def by_loop(row, gamma: float, m: int) -> float:
    """Logarithms of p and of 1 - p, the latter summed over the other classes."""
    terms = []
    for place in np.argsort(-row, kind="stable")[:m]:
        log_p = row[place] - log_sum_exp(row)
        log_rest = log_sum_exp(np.delete(row, place)) - log_sum_exp(row)
        terms.append(math.exp(gamma * (log_p + log_rest)))
    return -math.fsum(terms)


def test_score_is_minus_the_sum_of_powers() -> None:
    """Probabilities 1/2, 1/4, 1/4 with gamma = 1: 1/4 + 3/16 + 3/16; the two largest alone: 1/4 + 3/16."""
    rows = np.log([[2.0, 1.0, 1.0]])

    np.testing.assert_allclose(gen(rows, 1.0), [-10 / 16], rtol=1e-12)
    np.testing.assert_allclose(gen(rows, 1.0, 2), [-7 / 16], rtol=1e-12)


@given(logit_rows(least=2), st.sampled_from([0.05, 0.1, 1.0, 2.0]), st.integers(1, 7))
def test_agrees_with_a_loop(rows, gamma, m) -> None:
    """Any exponent and any number of classes, more than there are included."""
    np.testing.assert_allclose(gen(rows, gamma, m), [by_loop(row, gamma, m) for row in rows], rtol=1e-8, atol=1e-12)


@given(logit_rows(least=2))
def test_gamma_one_is_the_gini_impurity(rows) -> None:
    """With gamma = 1 and all classes the score is sum p^2 - 1."""
    p = np.exp(rows - [[log_sum_exp(row)] for row in rows])

    np.testing.assert_allclose(gen(rows, 1.0), (p**2).sum(axis=1) - 1, atol=1e-9)


@given(logit_rows(), st.floats(-100, 100), st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_level_and_order_of_classes_do_not_matter(rows, level, seed, m) -> None:
    """Adding a constant to a row, or permuting classes, leaves the score as it is."""
    order = np.random.default_rng(seed).permutation(rows.shape[1])

    np.testing.assert_allclose(gen(rows[:, order] + level, m=m), gen(rows, m=m), atol=1e-8)


def test_many_classes_in_float32() -> None:
    """The largest of a thousand classes are found exactly, chunk by chunk."""
    rows = np.random.default_rng(0).normal(0, 3, (300, 1000)).astype(np.float32)

    expected = [by_loop(row.astype(np.float64), 0.1, 100) for row in rows[:5]]

    np.testing.assert_allclose(gen(rows)[:5], expected, rtol=1e-5)
    np.testing.assert_allclose(gen(rows), gen(rows.astype(np.float64)), rtol=1e-5)


def test_two_classes_order_rows_as_the_largest_probability_does() -> None:
    """With two classes GEN and maximum probability are functions of one another."""
    rows = np.random.default_rng(0).normal(0, 5, (50, 2))

    assert (np.argsort(gen(rows)) == np.argsort(MSP().fit(rows).score_samples(rows))).all()


def test_confident_rows_do_not_tie() -> None:
    """Leads of 17 to 60 have their exact scores in float32, on a level of -10,000 too; 20,000 is finite."""
    rows = GAPS.astype(np.float32)

    np.testing.assert_allclose(gen(rows), [by_loop(row, 0.1, 4) for row in GAPS], rtol=1e-6)
    assert (np.diff(gen(rows)) > 0).all()
    assert (np.diff(gen(rows - 1e4)) > 0).all()
    assert np.isfinite(gen(np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]]))).all()


def test_one_class() -> None:
    """One class scores 0 and says so; the largest class alone can be asked for."""
    scorer = GEN().fit([[1.0], [2.0]])

    assert scorer.score_samples([[5.0], [-3.0]]).tolist() == [0, 0]
    assert scorer.notes_ == ["the logits have one column, so all scores are equal"]
    np.testing.assert_allclose(gen(np.zeros((1, 2)), 1.0, 1), [-0.25], rtol=1e-12)


def test_parameters_out_of_range() -> None:
    """gamma is positive, m an integer of at least 1."""
    with pytest.raises(InvalidInput, match="gamma must be a positive number, got 0"):
        GEN(gamma=0).fit(np.eye(2))
    for m in (0, 1.5):
        with pytest.raises(InvalidInput, match="m must be an integer of at least 1"):
            GEN(m=m).fit(np.eye(2))
