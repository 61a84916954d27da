import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers import KLMatching
from tests.scorers.logit_rows import logit_rows, probabilities


def by_loop(fit_rows, rows) -> list[float]:
    """Templates as dictionaries of lists, divergences as sums."""
    members: dict[int, list[list[float]]] = {}
    for row in fit_rows:
        members.setdefault(int(np.argmax(row)), []).append(probabilities(row))
    templates = [np.maximum(np.mean(found, axis=0), 1e-12) for found in members.values()]
    scores = []
    for row in rows:
        p = probabilities(row)
        divergences = [
            math.fsum(a * (math.log(a) - math.log(b)) for a, b in zip(p, template, strict=True) if a > 0)
            for template in templates
        ]
        scores.append(-max(min(divergences), 0))
    return scores


def test_score_is_minus_the_divergence_to_the_nearest_template() -> None:
    """Template (3/4, 1/4): itself scores 0, (1/2, 1/2) scores -(log 2 - log 3 / 2)."""
    scorer = KLMatching().fit(np.log([[3.0, 1.0]]))

    scores = scorer.score_samples(np.log([[3.0, 1.0], [1.0, 1.0]]))

    np.testing.assert_allclose(scores, [0, -(np.log(2) - np.log(3) / 2)], atol=1e-12)
    assert scorer.notes_ == ["1 of 2 classes have no template: no fit row is predicted as one of them"]


@given(logit_rows(), st.integers(0, 2**32 - 1))
def test_agrees_with_a_loop_and_is_never_positive(rows, seed) -> None:
    """Mean posteriors of the rows predicted as each class, and the smallest divergence to one."""
    fit_rows = np.random.default_rng(seed).normal(0, 3, (12, rows.shape[1]))

    scores = KLMatching().fit(fit_rows).score_samples(rows)

    np.testing.assert_allclose(scores, by_loop(fit_rows, rows), atol=1e-9)
    assert (scores <= 0).all()


def test_templates_are_distributions() -> None:
    """Each template sums to 1, and there is one for every class that was predicted."""
    scorer = KLMatching().fit(np.random.default_rng(0).normal(0, 2, (500, 4)))

    np.testing.assert_allclose(scorer.log_templates_.exp().sum(dim=1), np.ones(4), rtol=1e-9)
    assert scorer.classes_.tolist() == [0, 1, 2, 3]
    assert scorer.notes_ == []


@given(st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_level_and_order_of_classes_do_not_matter(level, seed) -> None:
    """Adding a constant to rows, or permuting classes in fit and scoring alike, leaves scores as they are."""
    rng = np.random.default_rng(seed)
    fit_rows, rows, order = rng.normal(0, 3, (20, 4)), rng.normal(0, 3, (5, 4)), rng.permutation(4)

    moved = KLMatching().fit(fit_rows[:, order] - level).score_samples(rows[:, order] + level)

    np.testing.assert_allclose(moved, KLMatching().fit(fit_rows).score_samples(rows), atol=1e-9)


def test_extreme_rows() -> None:
    """Posteriors without any overlap give a finite score, log of the floor; so do +-10,000; one class scores 0."""
    scorer = KLMatching().fit(np.array([[1e4, -1e4], [1e4, 0.0]]))

    np.testing.assert_allclose(scorer.score_samples([[-1e4, 1e4], [1e4, -1e4]]), [np.log(1e-12), 0], rtol=1e-9)
    assert KLMatching().fit([[1.0]]).score_samples([[5.0]]).tolist() == [0]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_fit_goes_through_blocks(monkeypatch, dtype) -> None:
    """However many rows are looked at at once, templates are the same, for a mapped or half-precision array too."""
    rows = np.random.default_rng(0).normal(0, 2, (50, 3)).astype(dtype)
    whole = KLMatching().fit(rows)
    monkeypatch.setattr("oodkit.scorers.kl_matching.BLOCK", 7)

    np.testing.assert_allclose(KLMatching().fit(rows).log_templates_, whole.log_templates_, rtol=1e-9)


def test_confident_float32_rows_keep_their_order() -> None:
    """Leads of 14 to 20 give probabilities within 1e-6 of 1; the divergences still fall with the lead."""
    leads = np.arange(14, 21, dtype=np.float32)
    rows = np.zeros((len(leads), 3), dtype=np.float32)
    rows[:, 0] = leads
    fit_rows = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4]], dtype=np.float32)

    scores = KLMatching().fit(fit_rows).score_samples(rows)

    np.testing.assert_allclose(scores, by_loop(fit_rows.tolist(), rows.tolist()), rtol=0, atol=1e-12)
    assert len(np.unique(scores)) == len(leads)
