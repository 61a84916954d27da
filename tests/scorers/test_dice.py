import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import DICE
from tests.scorers.activations import activations, energy, make_activations


def test_only_the_largest_contributions_stay() -> None:
    """W = (1, 2, 3, 4) and mean (4, 2, 1, 1) contribute 4, 4, 3, 4: three are above percentile 20, none above 50."""
    rows, head = np.array([[4.0, 2, 1, 1]]), ([[1.0, 2, 3, 4]], [0.5])

    scorer = DICE(percentile=20).fit(rows, head=head)

    assert scorer.weight_.tolist() == [[1, 2, 0, 4]]
    np.testing.assert_allclose(scorer.score_samples(np.ones((1, 4))), [7.5])
    with pytest.raises(InvalidInput, match="none of the 4 contributions of weights is above the percentile 50 of them"):
        DICE(percentile=50).fit(rows, head=head)


@given(activations(), st.floats(0, 90))
def test_agrees_with_loops_in_float64(data, percentile) -> None:
    """Scores are the energy under the weights whose product with the mean activation is above NumPy's percentile."""
    contributions = data.weight * data.rows.mean(axis=0)
    bound = np.percentile(contributions, percentile)
    clear = np.abs(contributions - bound) > 1e-9
    exact = contributions >= contributions.max()
    if not (contributions > bound + 1e-9).any() or not (clear | exact).all():
        return  # a contribution that rounding alone puts on one side

    scorer = DICE(percentile=percentile).fit(data.rows, head=data.head)

    masked = np.where(contributions > bound, data.weight, 0)
    expected = energy(data.queries, masked, data.bias)
    np.testing.assert_allclose(scorer.score_samples(data.queries), expected, rtol=1e-9, atol=1e-9)


def test_percentile_0_drops_the_smallest_alone() -> None:
    """A contribution equal to the threshold is dropped: at 0 that is the minimum."""
    data = make_activations(0)

    scorer = DICE(percentile=0).fit(data.rows, head=data.head)

    contributions = data.weight * data.rows.mean(axis=0)
    dropped = np.argwhere(scorer.weight_.numpy() == 0).tolist()
    assert dropped == [list(np.unravel_index(contributions.argmin(), contributions.shape))]


def test_only_the_mean_of_the_fit_rows_matters() -> None:
    """Other rows with the same mean give the same mask."""
    data = make_activations(0)

    mean = DICE(percentile=60).fit(data.rows.mean(axis=0, keepdims=True), head=data.head)

    rows = DICE(percentile=60).fit(data.rows, head=data.head)
    np.testing.assert_array_equal(rows.weight_, mean.weight_)


@pytest.mark.parametrize(
    ("rows", "percentile"), [(np.zeros((5, 6)), 90), (np.ones((5, 6)), 100)], ids=["zeros", "percentile 100"]
)
def test_no_weight_left_is_an_error(rows, percentile) -> None:
    """Contributions that are all equal, or the percentile 100, leave no weight: refused, in one line."""
    with pytest.raises(InvalidInput, match="so no weight is left; lower it, or give features whose mean is not 0"):
        DICE(percentile=percentile).fit(rows, head=make_activations(0).head)
    with pytest.raises(InvalidInput, match=r"percentile must be a percentile from 0 to 100, got 100\.5"):
        DICE(percentile=100.5).fit(np.ones((5, 6)), head=make_activations(0).head)
