import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import MSP, Energy, MaxLogit
from tests.scorers.logit_rows import GAPS, logit_rows, probabilities


def test_score_is_the_log_of_the_largest_probability() -> None:
    """exp(score) is the largest probability: 3/4 for logits log 3 and 0, 1/2 at equal ones."""
    rows = np.log([[3.0, 1.0], [2.0, 2.0]])

    scores = MSP().fit(rows).score_samples(rows)

    np.testing.assert_allclose(np.exp(scores), [0.75, 0.5], rtol=1e-12)


@given(logit_rows(), st.sampled_from([0.5, 1.0, 3.0]))
def test_agrees_with_a_loop(rows, temperature) -> None:
    """The score is the logarithm of the largest softmax probability at any temperature, in [-log C, 0]."""
    scores = MSP(temperature).fit(rows).score_samples(rows)

    np.testing.assert_allclose(np.exp(scores), [max(probabilities(row / temperature)) for row in rows], rtol=1e-9)
    assert (scores <= 0).all()
    assert (scores >= -np.log(rows.shape[1]) - 1e-12).all()


@given(logit_rows())
def test_is_the_largest_logit_minus_the_energy(rows) -> None:
    """log p = max l - log sum exp l."""
    scores = MSP().fit(rows).score_samples(rows)

    difference = MaxLogit().fit(rows).score_samples(rows) - Energy().fit(rows).score_samples(rows)
    np.testing.assert_allclose(scores, difference, atol=1e-9)


@given(logit_rows(), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_level_and_order_of_classes_do_not_matter(rows, level, seed) -> None:
    """Adding a constant to a row, or permuting classes, leaves the score as it is."""
    scores = MSP().fit(rows).score_samples(rows)
    order = np.random.default_rng(seed).permutation(rows.shape[1])

    np.testing.assert_allclose(MSP().fit(rows).score_samples(rows[:, order] + level), scores, atol=1e-9)


@given(st.floats(-40, 40), st.floats(-40, 40))
def test_two_classes_are_a_sigmoid_of_the_difference(first, second) -> None:
    """With two classes p = 1 / (1 + exp(-|l_1 - l_2|))."""
    rows = np.array([[first, second]])

    (score,) = MSP().fit(rows).score_samples(rows)

    assert score == pytest.approx(-np.log1p(np.exp(-abs(first - second))), rel=1e-9, abs=1e-300)


def test_confident_rows_do_not_tie() -> None:
    """Leads of 17 to 60 have distinct scores in float32, on a level of 10,000 too; even a lead of 20,000 is finite."""
    rows = GAPS.astype(np.float32)
    scorer = MSP().fit(rows)

    assert (np.diff(scorer.score_samples(rows)) > 0).all()
    assert (np.diff(scorer.score_samples(rows + 1e4)) > 0).all()
    assert (np.diff(scorer.score_samples(rows - 1e4)) > 0).all()
    np.testing.assert_allclose(scorer.score_samples(rows), -3 * np.exp([-17.0, -20, -30, -60]), rtol=1e-6)
    assert scorer.score_samples([[1e4, -1e4, -1e4, 0]]) == 0


def test_one_class_and_equal_logits() -> None:
    """One class scores 0 and says so; C equal logits score -log C."""
    scorer = MSP().fit([[1.0], [2.0]])

    assert scorer.score_samples([[5.0], [-3.0]]).tolist() == [0, 0]
    assert scorer.notes_ == ["the logits have one column, so all scores are equal"]
    np.testing.assert_allclose(
        MSP().fit(np.ones((2, 8))).score_samples(np.full((1, 8), -3.0)), [-np.log(8)], rtol=1e-12
    )


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_the_temperature_is_positive(temperature) -> None:
    """Anything else is refused in fit."""
    with pytest.raises(InvalidInput, match="temperature must be a positive number"):
        MSP(temperature).fit(np.eye(2))
