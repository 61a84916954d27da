import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from oodkit.errors import InvalidInput
from oodkit.scorers import InOutNames
from tests.scorers.joint_space import cosines, draw_space, spaces


def fitted(text, out_text, temperature=0.01):
    return InOutNames(temperature).fit(np.ones((1, text.shape[1])), text=text, out_text=out_text)


def test_score_is_the_log_odds_of_the_in_names():
    """One name each, at a right angle: the cosine with the first, minus that with the second, over T."""
    scores = fitted(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 0.1).score_samples(np.array([[3.0, 4.0], [5, 0]]))

    np.testing.assert_allclose(scores, [-2, 10])


@given(spaces(), st.sampled_from([0.01, 0.1, 1.0]))
def test_agrees_with_a_loop_over_pairs(space, temperature):
    """The difference of two log-sum-exps of cosines by loops; its sigmoid is the in-names' share of a softmax."""
    images, text, out_text = space

    scores = fitted(text, out_text, temperature).score_samples(images)

    inside, outside = cosines(images, text) / temperature, cosines(images, out_text) / temperature
    np.testing.assert_allclose(scores, logsumexp(inside, axis=1) - logsumexp(outside, axis=1), rtol=1e-9, atol=1e-9)
    share = softmax(np.concatenate([inside, outside], axis=1), axis=1)[:, : len(text)].sum(axis=1)
    np.testing.assert_allclose(1 / (1 + np.exp(-scores)), share, atol=1e-9)


def test_swapping_the_sides_changes_the_sign():
    """In-names as out-names and the other way round."""
    images, text, out_text = draw_space()

    scores = fitted(text, out_text).score_samples(images)

    np.testing.assert_allclose(fitted(out_text, text).score_samples(images), -scores, rtol=1e-9)


def test_says_that_names_of_the_other_side_were_used():
    """Whoever reads a result must know."""
    assert fitted(np.eye(2), np.eye(2)).notes_ == ["names of OOD classes were used"]


def test_what_cannot_be_used_is_refused():
    """No names on one side, or a temperature that is not positive."""
    with pytest.raises(InvalidInput, match="InOutNames needs text embeddings of the names"):
        InOutNames().fit(np.ones((3, 2)), text=np.eye(2))
    with pytest.raises(InvalidInput, match="out_text must have shape"):
        fitted(np.eye(2), np.ones((0, 2)))
    with pytest.raises(InvalidInput, match="temperature must be a positive number"):
        fitted(np.eye(2), np.eye(2), 0)
