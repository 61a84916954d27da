"""Conformal thresholds, p-values and the guarantee that comes with them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import load_digits

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import conformal_flag_rate, conformal_images_needed, conformal_p_values, conformal_threshold
from oodkit.scorers import KNN, Kernel, Mahalanobis
from oodkit.scorers.conformal import Calibration

RATES = st.floats(0.001, 0.999) | st.sampled_from([0.05, 0.1, 0.07, 0.29, 1 / 3, 0.5, 0.01])


def test_by_hand():
    """Of 19 scores and 5 %, the smallest is the threshold; of 39 the second smallest."""
    assert conformal_threshold(np.arange(19)[::-1], 0.05) == 0
    assert conformal_threshold(np.arange(39), 0.05) == 1
    np.testing.assert_allclose(conformal_p_values([3, 1, 2, 4], [0, 1, 2.5, 9]), [0.2, 0.4, 0.6, 1.0])
    rate = conformal_flag_rate(19, 0.05)
    assert rate.expected == pytest.approx(0.05)
    assert rate.low == pytest.approx(1 - 0.975 ** (1 / 19))  # Beta(1, 19): 1 - (1 - x)^19
    assert rate.high == pytest.approx(1 - 0.025 ** (1 / 19))


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), RATES)
def test_threshold_and_p_values_are_one_rule(calibration, fpr):
    """A score is below the threshold exactly where its p-value is at most the rate, also with equal scores."""
    asked = np.arange(-1, 14) / 1.0
    p = conformal_p_values(calibration, asked)
    if len(calibration) < conformal_images_needed(fpr):
        assert (p > fpr).all()
        with pytest.raises(TooFewSamples):
            conformal_threshold(calibration, fpr)
    else:
        np.testing.assert_array_equal(asked < conformal_threshold(calibration, fpr), p <= fpr)


@given(RATES)
def test_the_number_that_is_needed_is_the_smallest(fpr):
    """One score fewer could flag nothing."""
    needed = conformal_images_needed(fpr)
    assert 1 / (needed + 1) <= fpr
    assert needed == 1 or 1 / needed > fpr
    conformal_threshold(np.arange(needed), fpr)


@given(st.integers(1, 40), RATES)
def test_leaving_out_each_of_n_plus_1_scores_flags_exactly_k(n, fpr):
    """The guarantee itself: of n + 1 distinct scores, k are flagged when each is judged by the others."""
    if n < conformal_images_needed(fpr):
        return
    scores = np.random.default_rng(n).permutation(n + 1).astype(float)
    flagged = sum(scores[i] < conformal_threshold(np.delete(scores, i), fpr) for i in range(n + 1))
    assert flagged == round(conformal_flag_rate(n, fpr).expected * (n + 1))
    assert flagged / (n + 1) <= fpr


@given(st.lists(st.integers(0, 9), min_size=20, max_size=60), st.lists(st.integers(-1, 10), max_size=9))
def test_p_values_are_those_of_the_scorer_clusters(calibration, asked):
    """With one group its held-out comparison is the same one."""
    groups = torch.zeros(len(calibration), dtype=torch.int64)
    one = Calibration.of(torch.tensor(calibration, dtype=torch.float64), groups, 1)
    expected = one.p_values(torch.tensor(asked, dtype=torch.float64), torch.zeros(len(asked), dtype=torch.int64))
    np.testing.assert_array_equal(conformal_p_values(calibration, asked), expected.numpy())


def test_the_interval_covers_as_it_says():
    """95 % of calibration sets give a flag rate inside it, for normal scores whose true rate is known."""
    rng = np.random.default_rng(0)
    for n, fpr in [(19, 0.05), (100, 0.05), (400, 0.2)]:
        true = stats.norm.cdf([conformal_threshold(rng.normal(size=n), fpr) for _ in range(4000)])
        rate = conformal_flag_rate(n, fpr)
        assert true.mean() == pytest.approx(rate.expected, abs=4 * true.std() / np.sqrt(len(true)))
        assert np.mean((true >= rate.low) & (true <= rate.high)) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("scorer", [KNN(k=1), Mahalanobis(), Kernel()], ids=repr)
def test_the_guarantee_holds_on_real_features(scorer):
    """Over 200 random splits of the digits' pixels, no rate is exceeded by more than its standard error allows."""
    features, rates = load_digits().data.astype(np.float32), (0.02, 0.05, 0.2)
    rng = np.random.default_rng(1)
    flagged = np.empty((200, len(rates)))
    fitted = None
    for split in range(len(flagged)):
        if split % 20 == 0:  # a fit does not see what calibrates, and may serve several calibration splits
            order = rng.permutation(len(features))
            labels = load_digits().target[order[:600]] if isinstance(scorer, Mahalanobis) else None
            fitted = scorer.fit(features[order[:600]], labels)
            scores = fitted.score_samples(features[order[600:]])
        held = rng.permutation(scores)
        for place, rate in enumerate(rates):
            flagged[split, place] = np.mean(held[200:] < conformal_threshold(held[:200], rate))
    expected = [conformal_flag_rate(200, rate).expected for rate in rates]
    error = flagged.std(axis=0) / np.sqrt(10)  # as if only the fits were independent: wide enough
    assert (flagged.mean(axis=0) <= np.array(rates) + 2 * flagged.std(axis=0) / np.sqrt(len(flagged))).all()
    assert (np.abs(flagged.mean(axis=0) - expected) <= error).all()


def test_mistakes_are_one_line():
    """How many images are needed, and which rate these allow; rates and scores that are none."""
    with pytest.raises(TooFewSamples, match=r"0\.05 needs at least 19 calibration images, got 18; .* at least 0\.0526"):
        conformal_threshold(np.arange(18), 0.05)
    for fpr in (0, 1, -0.1, 5, float("nan")):
        with pytest.raises(InvalidInput, match="between 0 and 1"):
            conformal_images_needed(fpr)
    with pytest.raises(InvalidInput, match="calibration scores is empty"):
        conformal_p_values([], [1])
    with pytest.raises(InvalidInput, match="NaN"):
        conformal_p_values([1.0], [float("nan")])
    with pytest.raises(InvalidInput, match="level"):
        conformal_flag_rate(100, 0.05, 95)
