import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers import MSP, Entropy
from tests.scorers.logit_rows import GAPS, logit_rows, probabilities


def entropy(rows):
    return Entropy().fit(rows).score_samples(rows)


def test_score_is_the_negative_entropy() -> None:
    """Four equal classes have entropy log 4; probabilities 1/2, 1/4, 1/4 have 3/2 log 2."""
    rows = np.log([[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1e-300]])

    np.testing.assert_allclose(entropy(rows), [-np.log(4), -1.5 * np.log(2)], rtol=1e-12)


@given(logit_rows())
def test_agrees_with_a_loop_and_keeps_its_bounds(rows) -> None:
    """The score is sum p log p, in [-log C, 0]; log C plus the score is the divergence from uniform."""
    scores, width = entropy(rows), rows.shape[1]

    by_loop, divergence = [], []
    for row in rows:
        p = [value for value in probabilities(row) if value > 0]
        by_loop.append(math.fsum(value * math.log(value) for value in p))
        divergence.append(math.fsum(value * math.log(value * width) for value in p))
    np.testing.assert_allclose(scores, by_loop, atol=1e-9)
    np.testing.assert_allclose(scores + np.log(width), divergence, atol=1e-9)
    assert (scores <= 0).all()
    assert (scores >= -np.log(width) - 1e-12).all()


@given(logit_rows(), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_level_and_order_of_classes_do_not_matter(rows, level, seed) -> None:
    """Adding a constant to a row, or permuting classes, leaves the score as it is."""
    order = np.random.default_rng(seed).permutation(rows.shape[1])

    np.testing.assert_allclose(entropy(rows[:, order] + level), entropy(rows), atol=1e-9)


def test_two_classes_order_rows_as_the_largest_probability_does() -> None:
    """With two classes entropy and maximum probability are functions of one another."""
    rows = np.random.default_rng(0).normal(0, 5, (50, 2))

    assert (np.argsort(entropy(rows)) == np.argsort(MSP().fit(rows).score_samples(rows))).all()


def test_confident_rows_do_not_tie() -> None:
    """Leads of 17 to 60 keep their exact entropy in float32: 3 (1 + lead) exp(-lead), nearly; 20,000 is finite."""
    rows = GAPS.astype(np.float32)
    lead = GAPS[:, 0]

    np.testing.assert_allclose(entropy(rows), -3 * (1 + lead) * np.exp(-lead), rtol=1e-5)
    assert (np.diff(entropy(rows - 1e4)) > 0).all()
    assert entropy(np.array([[1e4, -1e4, 0.0]])) == 0


def test_one_class() -> None:
    """One class scores 0 and says so."""
    scorer = Entropy().fit([[1.0], [2.0]])

    assert scorer.score_samples([[5.0], [-3.0]]).tolist() == [0, 0]
    assert scorer.notes_ == ["the logits have one column, so all scores are equal"]
    assert pytest.approx(0) == float(scorer.score_samples([[1e4]])[0])
