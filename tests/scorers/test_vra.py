import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import VRA, ReAct
from tests.scorers.activations import activations, energy, make_activations


def test_low_becomes_nothing_and_high_is_cut() -> None:
    """Fit activations 0 .. 10, thresholds 2 and 9: 100 scores 9, 5 scores 5, 1 scores 0, or 2 where it is clipped."""
    rows, head, queries = np.arange(11.0)[:, None], ([[1.0]], [0.0]), np.array([[100.0], [5], [1]])

    zero = VRA(lower=20, upper=90).fit(rows, head=head)
    clip = VRA(lower=20, upper=90, below="clip").fit(rows, head=head)

    assert (zero.low_, zero.high_) == (2, 9)
    np.testing.assert_allclose(zero.score_samples(queries), [9, 5, 0])
    np.testing.assert_allclose(clip.score_samples(queries), [9, 5, 2])


@given(activations(), st.floats(0, 100), st.floats(0, 100), st.sampled_from(["zero", "clip"]))
def test_agrees_with_loops_in_float64(data, one, other, below) -> None:
    """Scores are the energy of activations between NumPy's percentiles of all of them."""
    lower, upper = sorted((one, other))

    scorer = VRA(lower=lower, upper=upper, below=below).fit(data.rows, head=data.head)

    low, high = scorer.low_, scorer.high_
    np.testing.assert_allclose([low, high], np.percentile(data.rows, [lower, upper]), rtol=1e-9, atol=1e-12)
    cut = [[(0 if below == "zero" else low) if z < low else min(z, high) for z in row] for row in data.queries]
    np.testing.assert_allclose(scorer.score_samples(data.queries), energy(cut, *data.head), rtol=1e-9, atol=1e-9)


@given(activations(signed=False), st.floats(0, 100))
def test_without_a_lower_side_it_is_react(data, percentile) -> None:
    """At lower=0 no fit activation is low: fit rows score as by ReAct."""
    vra = VRA(lower=0, upper=percentile).fit(data.rows, head=data.head)

    expected = ReAct(percentile=percentile).fit(data.rows, head=data.head).score_samples(data.rows)
    np.testing.assert_allclose(vra.score_samples(data.rows), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"lower": -1}, "lower must be a percentile from 0 to 100, got -1"),
        ({"upper": 101}, "upper must be a percentile from 0 to 100, got 101"),
        ({"lower": 90, "upper": 10}, "lower must not be above upper, got lower=90 and upper=10"),
        ({"below": "drop"}, "below must be one of 'zero', 'clip', got 'drop'"),
    ],
)
def test_errors(parameters, message) -> None:
    """Percentiles that are none or crossed, and a word that is none of the two."""
    data = make_activations(0)
    with pytest.raises(InvalidInput, match=f"^{message}$"):
        VRA(**parameters).fit(data.rows, head=data.head)


def test_signed_features_are_said() -> None:
    """A note where fit features are negative, with what low ones become; none where they are not."""
    signed, plain = make_activations(0, signed=True), make_activations(0)

    assert VRA().fit(signed.rows, head=signed.head).notes_[0].endswith("low ones become 0")
    assert VRA().fit(plain.rows, head=plain.head).notes_ == []
