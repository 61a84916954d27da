import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oodkit.scorers import MaxLogit
from tests.scorers.logit_rows import logit_rows


def test_score_is_the_largest_logit() -> None:
    """The largest entry of each row, whatever the others are; finite at 10,000 and with one class."""
    scorer = MaxLogit().fit(np.zeros((1, 3)))

    assert scorer.score_samples([[1, 5, 2], [-3, -1, -2], [1e4, -1e4, 0], [2, 2, 2]]).tolist() == [5, -1, 1e4, 2]
    assert MaxLogit().fit([[1.0]]).score_samples([[4.0]]).tolist() == [4]


@given(logit_rows(), st.floats(-100, 100), st.integers(0, 2**32 - 1))
def test_rises_with_the_level_and_ignores_the_order_of_classes(rows, level, seed) -> None:
    """A constant added to a row is added to the score; a permutation of classes changes nothing."""
    scorer = MaxLogit().fit(rows)
    order = np.random.default_rng(seed).permutation(rows.shape[1])

    found = scorer.score_samples(rows[:, order] + level)

    np.testing.assert_allclose(found, scorer.score_samples(rows) + level, atol=1e-9)
