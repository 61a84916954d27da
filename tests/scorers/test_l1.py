import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers import L1
from tests.scorers.logit_rows import logit_rows


def l1(rows):
    return L1().fit(rows).score_samples(rows)


def test_score_is_the_sum_above_the_minimum() -> None:
    """Logits 1, 4, 2 lie 0, 3 and 1 above their minimum."""
    assert l1(np.array([[1.0, 4.0, 2.0], [-1.0, -1.0, -1.0], [1e4, -1e4, 0.0]])).tolist() == [4, 0, 3e4]
    assert l1(np.array([[7.0]])).tolist() == [0]


@given(logit_rows(), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_agrees_with_a_loop_at_any_level_and_order_of_classes(rows, level, seed) -> None:
    """The score is the sum of |l_c - min l|; a constant added to a row, or a permutation, changes nothing."""
    order = np.random.default_rng(seed).permutation(rows.shape[1])

    scores = l1(rows[:, order] + level)

    np.testing.assert_allclose(scores, [sum(abs(value - min(row)) for value in row) for row in rows], atol=1e-9)


@given(logit_rows(), st.floats(0, 10))
def test_is_homogeneous(rows, factor) -> None:
    """Logits times a number of at least 0 give the score times that number."""
    np.testing.assert_allclose(l1(factor * rows), factor * l1(rows), atol=1e-8)
