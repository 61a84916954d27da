"""The interval that draws whole clusters."""

from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import norm

from oodkit.errors import InvalidInput
from oodkit.metrics import auroc, auroc_cluster_interval, auroc_interval
from tests.metrics.samples import Array, any_scores, pair_outcomes

Clusters = NDArray[np.intp]


def clustered_error(a: Array, b: Array, in_ids: Clusters, out_ids: Clusters) -> float:
    """Obuchowski's standard error (Biometrics 1997): DeLong's with sums over clusters in the place of images."""
    outcomes = pair_outcomes(a, b)
    variance = 0.0
    for placements, ids in ((outcomes.mean(axis=1), in_ids), (outcomes.mean(axis=0), out_ids)):
        count = ids.max() + 1
        residuals = np.bincount(ids, placements - outcomes.mean())
        variance += count / (count - 1) * (residuals**2).sum() / len(ids) ** 2
    return sqrt(variance)


def clustered(rng: np.random.Generator, clusters: int, size: int, shift: float) -> tuple[Array, Clusters]:
    """Scores with as much variance between clusters as within."""
    ids = np.repeat(np.arange(clusters), size)
    return rng.normal(shift, 1, clusters)[ids] + rng.normal(0, 1, clusters * size), ids


def test_the_error_is_that_of_the_closed_form() -> None:
    """Drawing clusters gives Obuchowski's standard error, which is far above that of independent images."""
    rng = np.random.default_rng(0)
    (a, in_ids), (b, out_ids) = clustered(rng, 40, 8, 1.5), clustered(rng, 30, 6, 0)
    result = auroc_cluster_interval(a, b, in_ids, out_ids, resamples=4000)
    assert result.auroc == auroc(a, b)
    assert result.standard_error == pytest.approx(clustered_error(a, b, in_ids, out_ids), rel=0.08)
    assert result.standard_error > 1.4 * auroc_interval(a, b).standard_error


def test_without_clusters_it_is_delongs() -> None:
    """Each image is a cluster: about the same error and ends as `auroc_interval`."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(1, 1, 200), rng.normal(0, 1, 150)
    result, delong = auroc_cluster_interval(a, b, resamples=4000), auroc_interval(a, b)
    assert result.standard_error == pytest.approx(delong.standard_error, rel=0.06)
    assert (result.low, result.high) == pytest.approx((delong.low, delong.high), abs=0.004)


def test_one_side_may_have_clusters_alone() -> None:
    """OOD images by class, in-images each by itself."""
    rng = np.random.default_rng(2)
    a = rng.normal(1.5, 1, 300)
    b, out_ids = clustered(rng, 40, 8, 0)
    result = auroc_cluster_interval(a, b, out_clusters=out_ids, resamples=3000)
    assert result.standard_error == pytest.approx(clustered_error(a, b, np.arange(300), out_ids), rel=0.08)


@given(any_scores, any_scores, st.integers(1, 5), st.integers(1, 5))
def test_the_interval_lies_in_0_to_1_and_around_the_estimate(a: Array, b: Array, in_count: int, out_count: int) -> None:
    """Whatever scores and clusters, or it is NaN where a side has one cluster."""
    in_ids, out_ids = np.arange(len(a)) % in_count, np.arange(len(b)) % out_count
    result = auroc_cluster_interval(a, b, in_ids, out_ids, resamples=20)
    assert result.auroc == auroc(a, b)
    if min(in_ids.max(), out_ids.max()) == 0:
        assert all(isnan(x) for x in (result.low, result.high, result.standard_error))
    else:
        assert 0 <= result.low <= result.auroc + 1e-12
        assert result.auroc - 1e-12 <= result.high <= 1


def test_it_covers_the_true_auroc_where_images_depend() -> None:
    """30 clusters of 5 a side, 400 times: about 95 %, where the interval for independent images covers 80 %."""
    rng = np.random.default_rng(3)
    true_auroc = norm.cdf(2 / sqrt(4))
    covered, naive = [], []
    for _ in range(400):
        (a, in_ids), (b, out_ids) = clustered(rng, 30, 5, 2), clustered(rng, 30, 5, 0)
        result, other = auroc_cluster_interval(a, b, in_ids, out_ids, resamples=200), auroc_interval(a, b)
        covered.append(result.low <= true_auroc <= result.high)
        naive.append(other.low <= true_auroc <= other.high)
    assert 0.915 <= np.mean(covered) <= 0.98
    assert np.mean(naive) < 0.85


def test_separated_sides_get_the_exact_bound_over_clusters() -> None:
    """0.025^(1/4) for 4 clusters, however many images they hold."""
    ids = np.repeat(np.arange(4), 25)
    result = auroc_cluster_interval(np.ones(100), np.zeros(100), ids, ids)
    assert (result.auroc, result.high, result.standard_error) == (1, 1, 0)
    assert result.low == pytest.approx(0.025**0.25, rel=1e-12)


def test_equal_seeds_give_equal_results_and_names_of_clusters_do_not_matter() -> None:
    """Text or numbers, in the same order."""
    rng = np.random.default_rng(4)
    (a, in_ids), (b, out_ids) = clustered(rng, 5, 4, 1), clustered(rng, 5, 4, 0)
    result = auroc_cluster_interval(a, b, in_ids, out_ids, resamples=50, seed=7)
    names = np.array(["ant", "bee", "cat", "dog", "eel"])
    assert auroc_cluster_interval(a, b, names[in_ids], out_ids + 10, resamples=50, seed=7) == result
    assert auroc_cluster_interval(a, b, in_ids, out_ids, resamples=50, seed=8) != result


def test_images_may_come_in_any_order() -> None:
    """Scores and clusters shuffled together give the same draws."""
    rng = np.random.default_rng(5)
    (a, in_ids), (b, out_ids) = clustered(rng, 5, 4, 1), clustered(rng, 5, 4, 0)
    result = auroc_cluster_interval(a, b, in_ids, out_ids, resamples=50)
    p, q = rng.permutation(len(a)), rng.permutation(len(b))
    shuffled = auroc_cluster_interval(a[p], b[q], in_ids[p], out_ids[q], resamples=50)
    assert shuffled.standard_error == pytest.approx(result.standard_error, rel=1e-12)


def test_bad_input_is_refused() -> None:
    """Clusters that do not match, too few resamples, a percentage as level, NaN."""
    with pytest.raises(InvalidInput, match=r"in_clusters must have shape \(2,\), one per score, got \(3,\)"):
        auroc_cluster_interval([1, 2], [0, 1], [0, 1, 2], [0, 1])
    with pytest.raises(InvalidInput, match="resamples must be at least 2"):
        auroc_cluster_interval([1, 2], [0, 1], resamples=1)
    with pytest.raises(InvalidInput, match="level must be a fraction"):
        auroc_cluster_interval([1, 2], [0, 1], level=95)
    with pytest.raises(InvalidInput, match="out_scores holds NaN"):
        auroc_cluster_interval([1, 2], [0, float("nan")])
