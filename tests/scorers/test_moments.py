"""Moments of shards, added, and scorers that are fitted from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import DataNotFound, InvalidInput, TooFewSamples
from oodkit.scorers import ClassMoments, Mahalanobis, RelativeMahalanobis
from tests.scorers.problems import classes

SCORERS = (Mahalanobis, RelativeMahalanobis)


def in_shards(rows, labels, cuts, **settings):
    """Moments of parts between the cuts, added one to the other."""
    parts = [p for p in np.split(np.arange(len(rows)), sorted(cuts)) if len(p)]
    total = ClassMoments.of(rows[parts[0]], labels[parts[0]], **settings)
    for part in parts[1:]:
        total = total + ClassMoments.of(rows[part], labels[part], **settings)
    return total


@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(1, 59), max_size=6),
    ordered=st.booleans(),
    scorer=st.sampled_from(SCORERS),
    covariance=st.sampled_from(["shared", "per_class"]),
    shrinkage=st.sampled_from(["auto", "ledoit_wolf"]),
    normalize=st.booleans(),
    offset=st.sampled_from([0.0, 1e4]),
)
def test_shards_are_one_pass(seed, cuts, ordered, scorer, covariance, shrinkage, normalize, offset) -> None:
    """However rows are cut, classes missing in shards or not: scores are those of `fit` on all rows within 1e-6."""
    rows, labels = classes(seed, 60)
    if ordered:
        rows, labels = rows[labels.argsort(kind="stable")], np.sort(labels)
    rows = rows + offset * (not normalize)
    queries = rows[:20] + np.random.default_rng(seed).standard_normal((20, 4))
    settings = {"covariance": covariance, "shrinkage": shrinkage, "normalize": normalize}

    merged = scorer(**settings).fit_moments(in_shards(rows, labels, cuts, per_class=True, normalize=normalize))

    whole = scorer(**settings).fit(rows, labels)
    np.testing.assert_allclose(merged.score_samples(queries), whole.score_samples(queries), rtol=1e-6, atol=1e-6)
    assert (merged.n_classes_, merged.notes_) == (whole.n_classes_, whole.notes_)


@given(st.integers(0, 10**6), st.lists(st.integers(1, 59), min_size=1, max_size=6), st.sampled_from(SCORERS))
def test_a_shared_covariance_needs_no_scatter_of_each_class(seed, cuts, scorer) -> None:
    """Moments of D^2 numbers give the same scores where nothing has to be shrunk."""
    rows, labels = classes(seed, 60)

    merged = scorer().fit_moments(in_shards(rows, labels, cuts))

    whole = scorer().fit(rows, labels)
    np.testing.assert_allclose(merged.score_samples(rows), whole.score_samples(rows), rtol=1e-6, atol=1e-6)


def test_moments_by_hand() -> None:
    """Rows 0 and 2 of one class, added to row 7 of it: count 3, mean 3, scatter 9 + 1 + 16, fourth 81 + 1 + 256."""
    one = ClassMoments.of(np.array([[0.0], [2.0]]), [5, 5], per_class=True)
    two = ClassMoments.of(np.array([[7.0]]), [5], per_class=True)

    both = one + two

    assert (both.labels.tolist(), both.counts.tolist()) == ([5], [3])
    assert both.gaussians().mean.tolist() == [3]
    assert both.scatter.flatten().tolist() == [26]
    assert both.fourths.tolist() == [338]
    assert both.thirds.flatten().tolist() == [-27 - 1 + 64]


def test_saved_moments_are_the_same(tmp_path) -> None:
    """A worker saves, another adds: bitwise what was never saved. What is no folder of moments is one line."""
    rows, labels = classes(0)
    one, two = (ClassMoments.of(rows[part], labels[part], per_class=True) for part in (slice(20), slice(20, None)))
    one.save(tmp_path / "1")
    two.save(tmp_path / "2")

    added = ClassMoments.load(tmp_path / "1") + ClassMoments.load(tmp_path / "2")

    np.testing.assert_array_equal(
        RelativeMahalanobis().fit_moments(added).score_samples(rows),
        RelativeMahalanobis().fit_moments(one + two).score_samples(rows),
    )
    with pytest.raises(DataNotFound, match="no saved scorer"):
        ClassMoments.load(tmp_path / "3")
    Mahalanobis().fit(rows).save(tmp_path / "scorer")
    with pytest.raises(InvalidInput, match=r"holds a .*Mahalanobis, not a .*ClassMoments"):
        ClassMoments.load(tmp_path / "scorer")


def test_what_moments_cannot_do_is_one_line() -> None:
    """Moments made with other settings, and what only rows could tell."""
    rows, labels = classes(0)
    plain = ClassMoments.of(rows, labels)
    with pytest.raises(InvalidInput, match="must be made with the same per_class; make both alike"):
        plain + ClassMoments.of(rows, labels, per_class=True)
    with pytest.raises(InvalidInput, match="must be made with the same normalize; make both alike"):
        plain + ClassMoments.of(rows, labels, normalize=True)
    with pytest.raises(InvalidInput, match="moments of 4 features cannot be added to 3"):
        plain + ClassMoments.of(rows[:, :3], labels)
    with pytest.raises(InvalidInput, match="normalize=True needs moments made with normalize=True"):
        Mahalanobis(normalize=True).fit_moments(plain)
    with pytest.raises(InvalidInput, match="clusters=3 cannot be found in moments"):
        Mahalanobis(clusters=3).fit_moments(plain)
    with pytest.raises(InvalidInput, match="a covariance of each class needs moments that were made with per_class"):
        Mahalanobis(covariance="per_class").fit_moments(plain)
    with pytest.raises(InvalidInput, match="RelativeMahalanobis needs at least 2 classes, the moments are of 1 class"):
        RelativeMahalanobis().fit_moments(ClassMoments.of(rows))
    constant = np.column_stack([rows, np.ones(60)])
    merged = in_shards(constant, labels, [30])
    with pytest.raises(InvalidInput, match="cannot be shrunk without those of each class; make the moments with"):
        Mahalanobis().fit_moments(merged)
    assert Mahalanobis(shrinkage="none").fit_moments(merged).null_space_dim_ == 1
    with pytest.raises(TooFewSamples, match="moments need at least 1"):
        ClassMoments.of(rows[:0])
    with pytest.raises(InvalidInput, match="features must be finite"):
        ClassMoments.of(np.full((3, 2), np.nan))
