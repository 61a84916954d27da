import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from oodkit.errors import InvalidInput
from oodkit.scorers import MCM, MSP
from tests.scorers.joint_space import cosines, draw_space, spaces


def fitted(text, temperature=1.0):
    return MCM(temperature).fit(np.ones((1, text.shape[1])), text=text)


def test_score_is_the_logarithm_of_the_largest_probability():
    """Two texts at a right angle, an image on the first: e / (e + 1)."""
    score = fitted(np.array([[2.0, 0.0], [0.0, 5.0]])).score_samples(np.array([[3.0, 0.0]]))

    np.testing.assert_allclose(np.exp(score), [np.e / (np.e + 1)])


@given(spaces(), st.sampled_from([0.01, 0.1, 1.0, 10.0]))
def test_agrees_with_a_loop_over_pairs(space, temperature):
    """Every score is that of cosines by loops and scipy's softmax, zero rows included."""
    images, text, _ = space

    scores = fitted(text, temperature).score_samples(images)

    expected = log_softmax(cosines(images, text) / temperature, axis=1).max(axis=1)
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)


def test_length_does_not_matter_and_temperature_does():
    """Neither images nor texts need length 1; another temperature is another order."""
    images, text, _ = draw_space(n=200)

    scores = fitted(text).score_samples(images)

    np.testing.assert_allclose(fitted(7 * text).score_samples(9 * images), scores, rtol=1e-9)
    assert (fitted(text, 0.01).score_samples(images).argsort() != scores.argsort()).any()


def test_a_temperature_of_a_hundredth_is_the_softmax_of_a_hundred_times_the_cosines():
    """The scores are those of MSP on the zero-shot logits with CLIP's scale."""
    images, text, _ = draw_space()
    logits = 100 * cosines(images, text)

    scores = fitted(text, 0.01).score_samples(images)

    np.testing.assert_allclose(scores, MSP().fit(logits).score_samples(logits), rtol=1e-9, atol=1e-12)


def test_probabilities_at_temperature_one_lie_in_a_narrow_range():
    """Within [1/C, e^2 / (e^2 + C - 1)]."""
    images, text, _ = draw_space(n=300)
    found = np.exp(fitted(text).score_samples(images))

    assert 1 / 7 <= found.min() <= found.max() <= np.exp(2) / (np.exp(2) + 6)


@pytest.mark.parametrize("temperature", [0.005, 1.0])
def test_float32_images_do_not_tie(temperature):
    """With a thousand classes at temperature 1, and with confident images at a small one, scores stay distinct."""
    rng = np.random.default_rng(0)
    text = rng.standard_normal((1000, 32))
    images = text[rng.integers(0, 1000, 5000)] + 0.3 * rng.standard_normal((5000, 32))

    scores = fitted(text, temperature).score_samples(images.astype(np.float32))

    assert len(np.unique(scores)) >= 4990
    exact = fitted(text, temperature).score_samples(images)
    np.testing.assert_allclose(scores, exact, rtol=1e-4, atol=2e-7)


def test_one_class_gives_equal_scores_and_says_so():
    """There is nothing to compare with."""
    scorer = fitted(np.ones((1, 3)))

    assert scorer.score_samples(np.random.default_rng(0).standard_normal((5, 3))).tolist() == [0] * 5
    assert scorer.notes_ == ["there is one class text, so all scores are equal"]


def test_what_cannot_be_used_is_refused():
    """Texts that are missing or of another width, and a temperature that is not positive."""
    with pytest.raises(InvalidInput, match="MCM needs text embeddings"):
        MCM().fit(np.ones((3, 2)))
    with pytest.raises(InvalidInput, match=r"text must have shape \(M, 2\), M >= 1, got \(4, 3\)"):
        MCM().fit(np.ones((3, 2)), text=np.ones((4, 3)))
    for temperature in (0, -1, np.inf):
        with pytest.raises(InvalidInput, match="temperature must be a positive number"):
            fitted(np.eye(2), temperature)
