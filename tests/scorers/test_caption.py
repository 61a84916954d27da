import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import KNN, Caption
from tests.scorers.joint_space import cosines, draw_space, spaces


def fitted(captions, k=1):
    return Caption(k).fit(np.ones((1, captions.shape[1])), captions=captions)


def test_score_is_the_mean_of_the_two_largest_cosines():
    """Captions along both axes and one opposite; length does not matter."""
    scorer = fitted(np.array([[1.0, 0.0], [0.0, 7.0], [-1.0, 0.0]]), k=2)

    np.testing.assert_allclose(scorer.score_samples(np.array([[3.0, 0.0], [2.0, 2.0]])), [0.5, np.sqrt(0.5)], atol=1e-6)


@given(spaces(), st.data())
def test_agrees_with_a_loop_over_pairs(space, data):
    """For any k, zero rows included."""
    images, _, captions = space
    k = data.draw(st.integers(1, len(captions)))

    expected = np.sort(cosines(images, captions), axis=1)[:, -k:].mean(axis=1)

    np.testing.assert_allclose(fitted(captions, k).score_samples(images), expected, atol=3e-7)


def test_the_fit_images_do_not_matter():
    """Only captions do; with captions in place of images the score is that of k-NN."""
    images, _, captions = draw_space()
    one = Caption(3).fit(images, captions=captions).score_samples(images)

    np.testing.assert_array_equal(Caption(3).fit(-images, captions=captions).score_samples(images), one)
    np.testing.assert_array_equal(KNN(3).fit(captions).score_samples(images), one)


def test_a_further_caption_never_lowers_a_score():
    """With k = 1; and the score never rises with k."""
    images, _, captions = draw_space()
    scores = fitted(captions).score_samples(images)

    assert (fitted(captions[:-1]).score_samples(images) <= scores + 1e-6).all()
    assert (fitted(captions, 2).score_samples(images) <= scores + 1e-6).all()


def test_what_cannot_be_used_is_refused():
    """No captions, captions of another width, more neighbours than captions."""
    with pytest.raises(InvalidInput, match="Caption needs embeddings of captions"):
        Caption().fit(np.ones((3, 2)))
    with pytest.raises(InvalidInput, match="captions must have shape"):
        Caption().fit(np.ones((3, 2)), captions=np.ones((1, 3)))
    with pytest.raises(TooFewSamples, match="k=3 needs at least 3 captions, got 2"):
        fitted(np.eye(2), 3)
    for k in (0, 1.5):
        with pytest.raises(InvalidInput, match="k must be an integer of at least 1"):
            fitted(np.eye(2), k)
