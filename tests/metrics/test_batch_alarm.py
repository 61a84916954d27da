"""The alarm over a batch: its rate of false alarms, its power, and its two tests against their closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import BatchRanks, conformal_p_values


def alarm(calibration, batch, rate=0.05, fpr=0.05, seed=0):
    """That of a batch."""
    return BatchRanks(len(calibration)).add(conformal_p_values(calibration, batch)).alarm(fpr, rate, seed)


@pytest.fixture
def few_draws(monkeypatch):
    """What is promised holds for any number of drawn arrangements."""
    monkeypatch.setattr("oodkit.metrics.batch_alarm.DRAWS", 199)


@pytest.mark.parametrize(("n", "m"), [(19, 5), (40, 200), (300, 20), (700, 60)])
def test_false_alarms_are_at_most_as_many_as_asked_for(n, m, few_draws):
    """Over calibration sets and batches: small and large ones, also more scores than are kept apart."""
    rng = np.random.default_rng(n)
    p = np.array([alarm(rng.normal(size=n), rng.normal(size=m), seed=i).p_value for i in range(300)])
    for rate in (0.05, 0.1, 0.3):
        assert (p <= rate).mean() <= rate + 3 * np.sqrt(rate * (1 - rate) / len(p))


def test_equal_scores_raise_no_more_alarms(few_draws):
    """Scores of few different values, as those of a scorer that saturates."""
    rng = np.random.default_rng(0)
    p = [alarm(rng.integers(0, 4, 40), rng.integers(0, 4, 30), fpr=0.2).p_value for _ in range(200)]
    assert np.mean(np.array(p) <= 0.1) <= 0.1


def test_few_that_are_far_out_and_many_that_are_a_little_lower_are_both_found():
    """Each by its own test; the other would miss them."""
    rng = np.random.default_rng(0)
    calibration, batch = rng.normal(size=400), rng.normal(size=100)
    assert not alarm(calibration, batch, 0.01).raised
    odd = alarm(calibration, np.concatenate([batch[:85], np.full(15, -9.0)]), 0.01)
    assert odd.raised
    assert odd.p_flagged < odd.p_ranks
    lower = alarm(calibration, batch - 0.5, 0.01)
    assert lower.raised
    assert lower.p_ranks < lower.p_flagged
    assert not alarm(calibration, batch + 3, 0.01).raised


@settings(max_examples=20)
@given(st.integers(19, 60), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_the_count_is_beta_binomial(n, m, seed):
    """By its closed form: so many or more of m below the k-th smallest of n."""
    rng = np.random.default_rng(seed)
    calibration, batch = rng.normal(size=n), rng.normal(size=m) - 1
    found = alarm(calibration, batch)
    k = int(0.05 * (n + 1))
    assert found.flagged == (batch < np.sort(calibration)[k - 1]).sum()
    by_hand = 1 - stats.betabinom.cdf(found.flagged - 1, m, k, n + 1 - k)
    assert found.p_flagged == pytest.approx(by_hand, abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.8])
def test_the_ranks_are_those_of_mann_and_whitney(shift):
    """The exact one-sided p-value, within the noise of 9,999 draws."""
    rng = np.random.default_rng(5)
    calibration, batch = rng.normal(size=60), rng.normal(size=15) - shift
    exact = stats.mannwhitneyu(batch, calibration, alternative="less", method="exact").pvalue
    found = alarm(calibration, batch).p_ranks
    assert abs(found - exact) <= 4 * np.sqrt(exact * (1 - exact) / 9999) + 1e-4


def test_parts_of_a_batch_add_up():
    """However it is cut, and equal for equal seeds."""
    rng = np.random.default_rng(0)
    p = conformal_p_values(rng.normal(size=50), rng.normal(size=33))
    whole, parts = BatchRanks(50).add(p), BatchRanks(50)
    for one in p:
        parts.add(one)
    assert whole.alarm(0.1, 0.05) == parts.alarm(0.1, 0.05)


def test_mistakes_are_one_line():
    """Rates, an empty batch, numbers that are no such p-values, too few calibration scores."""
    ranks = BatchRanks(50).add([1.0])
    for rate in (0, 1, 1e-5):
        with pytest.raises(InvalidInput, match="rate of false alarms"):
            ranks.alarm(0.1, rate)
    with pytest.raises(InvalidInput, match="at least one score"):
        BatchRanks(50).alarm(0.1, 0.05)
    with pytest.raises(InvalidInput, match="no conformal p-values"):
        BatchRanks(50).add([0.0])
    with pytest.raises(TooFewSamples, match="at least 99"):
        ranks.alarm(0.01, 0.05)
