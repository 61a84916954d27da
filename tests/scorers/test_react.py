import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import ReAct
from tests.scorers.activations import activations, energy, make_activations


def test_what_is_above_the_clip_is_cut() -> None:
    """Fit activations 0 .. 10 have the 90th percentile 9: under W = 1 a query of 100 scores 9, one of 5 scores 5."""
    rows = np.arange(11.0)[:, None]

    scorer = ReAct().fit(rows, head=([[1.0]], [0.0]))

    assert scorer.clip_ == 9
    np.testing.assert_allclose(scorer.score_samples(np.array([[100.0], [5.0]])), [9, 5])


@given(activations(), st.floats(0, 100))
def test_agrees_with_loops_in_float64(data, percentile) -> None:
    """Scores are the energy of activations cut at NumPy's percentile of all of them."""
    scorer = ReAct(percentile=percentile).fit(data.rows, head=data.head)

    expected = energy(np.minimum(data.queries, np.percentile(data.rows, percentile)), *data.head)
    np.testing.assert_allclose(scorer.score_samples(data.queries), expected, rtol=1e-9, atol=1e-9)


@given(activations())
def test_percentile_100_changes_no_fit_row(data) -> None:
    """The clip is then the largest activation, so fit rows score their energy."""
    scores = ReAct(percentile=100).fit(data.rows, head=data.head).score_samples(data.rows)

    np.testing.assert_allclose(scores, energy(data.rows, *data.head), rtol=1e-9, atol=1e-9)


@given(activations(), st.floats(0, 100), st.floats(0, 100))
def test_a_higher_clip_never_lowers_the_score_of_positive_weights(data, one, other) -> None:
    """With W >= 0 the score does not fall as the percentile rises."""
    head = (np.abs(data.weight), data.bias)

    low, high = (
        ReAct(percentile=p).fit(data.rows, head=head).score_samples(data.queries) for p in sorted((one, other))
    )

    assert (low <= high + 1e-9).all()


def test_memory_mapped_fit(tmp_path) -> None:
    """Features in a file, in half precision, give the percentile of the numbers in it."""
    rows = make_activations(0, n=300, width=8).rows.astype(np.float16)
    np.save(tmp_path / "rows.npy", rows)
    head = make_activations(0, width=8).head

    mapped = ReAct().fit(np.load(tmp_path / "rows.npy", mmap_mode="r"), head=head)

    assert mapped.clip_ == pytest.approx(np.percentile(rows.astype(np.float64), 90))


def test_signed_features_are_said() -> None:
    """A note where fit features are negative, none where they are not."""
    signed, plain = make_activations(0, signed=True), make_activations(0)

    assert "only their upper side is cut" in ReAct().fit(signed.rows, head=signed.head).notes_[0]
    assert ReAct().fit(plain.rows, head=plain.head).notes_ == []


def test_errors() -> None:
    """A percentile that is none, and a head of another width."""
    data = make_activations(0)
    with pytest.raises(InvalidInput, match="percentile must be a percentile from 0 to 100, got 101"):
        ReAct(percentile=101).fit(data.rows, head=data.head)
    with pytest.raises(InvalidInput, match=r"head weight must have shape \(C, 6\)"):
        ReAct().fit(data.rows, head=(data.weight[:, :5], data.bias))


def test_the_head_is_kept_as_it_was() -> None:
    """Training the layer on after `fit` does not change scores."""
    data, layer = make_activations(0), torch.nn.Linear(6, 3)
    scorer = ReAct().fit(data.rows, head=layer)
    before = scorer.score_samples(data.queries)

    with torch.no_grad():
        layer.weight.add_(1)

    np.testing.assert_array_equal(scorer.score_samples(data.queries), before)


@pytest.mark.parametrize("rows", [np.zeros((5, 4)), np.full((5, 4), 2.0), np.ones((1, 4))])
def test_degenerate_fits(rows) -> None:
    """Zeros, constants, one row: finite scores, for a zero row too."""
    scorer = ReAct().fit(rows, head=(np.eye(3, 4), np.zeros(3)))

    assert np.isfinite(scorer.score_samples(np.array([[0.0] * 4, [1e4] * 4, [-1e4] * 4]))).all()
