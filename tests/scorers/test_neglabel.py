import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from oodkit.errors import InvalidInput
from oodkit.scorers import InOutNames, NegLabel
from tests.scorers.joint_space import cosines, draw_space, spaces


def fitted(text, negatives, **parameters):
    return NegLabel(**parameters).fit(np.ones((1, text.shape[1])), text=text, negatives=negatives)


def test_score_is_the_log_odds_of_the_mean_over_groups():
    """Two groups of one negative: S is the mean of 1 / (1 + e^-1) and 1 / (1 + e^-2)."""
    text, negatives = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [-1.0, 0.0]])

    score = fitted(text, negatives, temperature=1.0, groups=2).score_samples(np.array([[3.0, 0.0]]))

    np.testing.assert_allclose(expit(score), [(expit(1) + expit(2)) / 2])


@given(spaces(), st.sampled_from([0.05, 0.1, 1.0]), st.integers(1, 12), st.integers(0, 5))
def test_agrees_with_the_mean_of_fractions(space, temperature, groups, seed):
    """S by loops from the negatives in the order in which the fit keeps them."""
    images, text, negatives = space
    scorer = fitted(text, negatives, temperature=temperature, groups=groups, seed=seed)

    scores = scorer.score_samples(images)

    inside = np.exp(cosines(images, text) / temperature).sum(axis=1)
    used = np.exp(cosines(images, scorer.negatives_.numpy()) / temperature)
    shares = [inside / (inside + group.sum(axis=1)) for group in np.split(used, scorer.groups_, axis=1)]
    np.testing.assert_allclose(expit(scores), np.mean(shares, axis=0), rtol=1e-9)


def test_one_group_is_the_score_without_groups():
    """Then it is log-sum-exp minus log-sum-exp, as of in- and out-names."""
    images, text, negatives = draw_space()
    expected = InOutNames().fit(np.ones((1, 6)), text=text, out_text=negatives).score_samples(images)

    np.testing.assert_allclose(fitted(text, negatives, groups=1).score_samples(images), expected, rtol=1e-9)


def test_a_further_negative_lowers_every_score():
    """In one group."""
    images, text, negatives = draw_space()
    fewer = fitted(text, negatives[:-1], groups=1, temperature=0.1).score_samples(images)

    assert (fitted(text, negatives, groups=1, temperature=0.1).score_samples(images) < fewer).all()


def test_swapping_names_and_negatives_swaps_the_shares():
    """S and 1 - S change roles."""
    images, text, negatives = draw_space()
    scores = fitted(text, negatives, groups=1).score_samples(images)

    np.testing.assert_allclose(fitted(negatives, text, groups=1).score_samples(images), -scores, rtol=1e-9)


def test_confident_images_do_not_tie():
    """Where S rounds to 1 in float64, scores still tell images apart."""
    noise, text, negatives = draw_space(n=300)
    images = text[0] + 0.1 * noise

    scores = fitted(text, negatives, temperature=0.005, groups=4).score_samples(images)

    assert (expit(scores) == 1).sum() > 200
    assert len(np.unique(scores)) == 300


def test_groups_are_drawn_by_the_seed_and_all_of_equal_size():
    """The same seed draws the same groups; what fills no group is left out, with a note."""
    images, text, negatives = draw_space(negatives=23)
    scorer = fitted(text, negatives, groups=4)

    assert scorer.negatives_.shape == (20, 6)
    assert scorer.notes_ == ["3 of 23 negatives fill no group and are left out"]
    same, other = fitted(text, negatives, groups=4), fitted(text, negatives, groups=4, seed=1)
    np.testing.assert_array_equal(same.negatives_, scorer.negatives_)
    assert not np.array_equal(other.negatives_, scorer.negatives_)
    assert (other.score_samples(images) != scorer.score_samples(images)).any()


def test_fewer_negatives_than_groups_are_a_group_each():
    """With a note."""
    _, text, negatives = draw_space()

    assert fitted(text, negatives).groups_ == 20
    assert fitted(text, negatives).notes_ == ["20 negatives are fewer than 100 groups: each is a group of its own"]


def test_what_cannot_be_used_is_refused():
    """No negatives would make every score infinite; groups and temperature have ranges."""
    with pytest.raises(InvalidInput, match="negatives must have shape"):
        fitted(np.eye(2), np.ones((0, 2)))
    with pytest.raises(InvalidInput, match="NegLabel needs text embeddings"):
        NegLabel().fit(np.ones((3, 2)), negatives=np.eye(2))
    for groups in (0, 1.5):
        with pytest.raises(InvalidInput, match="groups must be an integer of at least 1"):
            fitted(np.eye(2), np.eye(2), groups=groups)
    with pytest.raises(InvalidInput, match="temperature must be a positive number"):
        fitted(np.eye(2), np.eye(2), temperature=-1)
