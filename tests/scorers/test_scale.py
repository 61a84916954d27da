import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import SCALE
from tests.scorers.activations import activations, energy, make_activations


def scaled(rows, percentile):
    """Row by row."""
    found = []
    for row in rows:
        count = len(row) - round(len(row) * percentile / 100)
        of_kept = np.sort(row)[-count:].sum()
        ratio = 1 if count == len(row) else row.sum() / of_kept if of_kept > 1e-12 else -math.inf
        found.append(row * math.exp(ratio))
    return np.array(found)


def test_half_of_four() -> None:
    """(1, 4, 2, 3) sums to 10, its larger half to 7: all of it grows by exp(10 / 7)."""
    scorer = SCALE(percentile=50).fit(np.ones((2, 4)), head=(np.ones((1, 4)), np.zeros(1)))

    np.testing.assert_allclose(scorer.score_samples(np.array([[1.0, 4, 2, 3]])), [10 * math.exp(10 / 7)])


@given(activations(), st.floats(0, 90))
def test_agrees_with_loops_in_float64(data, percentile) -> None:
    """Scores are the energy of rows that are scaled one by one."""
    width = data.rows.shape[1]
    if width - round(width * percentile / 100) == 0:
        return

    scorer = SCALE(percentile=percentile).fit(data.rows, head=data.head)

    expected = energy(scaled(data.queries, percentile), *data.head)
    np.testing.assert_allclose(scorer.score_samples(data.queries), expected, rtol=1e-7, atol=1e-9)


@given(activations())
def test_nothing_left_out(data) -> None:
    """At percentile 0 every row is taken times e."""
    scores = SCALE(percentile=0).fit(data.rows, head=data.head).score_samples(data.queries)

    np.testing.assert_allclose(scores, energy(math.e * data.queries, *data.head), rtol=1e-9, atol=1e-9)


@given(activations(signed=False))
def test_without_bias_the_predicted_class_stays(data) -> None:
    """One factor for a whole row: the largest logit stays the largest, so the score has its sign and order."""
    width = data.rows.shape[1]
    count = width - round(width * 50 / 100)
    rows = torch.from_numpy(data.queries[data.queries.max(axis=1) > 0])
    if not len(rows) or not count:
        return

    logits = rows.numpy() @ data.weight.T
    np.testing.assert_array_equal((scaled(rows.numpy(), 50) @ data.weight.T).argmax(axis=1), logits.argmax(axis=1))
    scorer = SCALE(percentile=50).fit(data.rows, head=(data.weight, np.zeros(len(data.weight))))
    largest = (scaled(rows.numpy(), 50) @ data.weight.T).max(axis=1)
    assert (scorer.score_samples(rows) >= largest - 1e-9 * (1 + np.abs(largest))).all()


def test_rows_without_positive_activations() -> None:
    """Signed rows whose largest activations sum to 0 or less score LSE(b), with finite gradients; it is said."""
    data = make_activations(0, signed=True)
    scorer = SCALE().fit(data.rows, head=data.head)
    rows = torch.tensor([[-1.0] * 6, [0.0] * 6, [-3.0, -1, -2, -5, -4, -6], [0, -1, -1, -1, -1, -1]])

    scores = scorer.score_tensor(rows.requires_grad_(True))
    scores.sum().backward()

    np.testing.assert_allclose(scores.detach(), energy(np.zeros((4, 6)), *data.head), rtol=1e-6)
    assert bool(rows.grad.isfinite().all())
    assert "gets the factor 0" in scorer.notes_[0]
    plain = make_activations(0)
    assert SCALE().fit(plain.rows, head=plain.head).notes_ == []


def test_a_large_factor_does_not_overflow() -> None:
    """One of 300 activations gives exp(300) for equal ones, which float32 cannot hold: the score is then float64's."""
    rows = np.ones((2, 300), dtype=np.float32)

    scorer = SCALE(percentile=99.7).fit(rows, head=(np.ones((1, 300)), np.zeros(1)))

    np.testing.assert_allclose(scorer.score_samples(rows), 300 * math.exp(300), rtol=1e-9)


@pytest.mark.parametrize(
    ("percentile", "message"),
    [
        (-1, "percentile must be a percentile from 0 to 100, got -1"),
        (95, "percentile=95 keeps none of the 6 features of a row; lower it"),
    ],
)
def test_errors(percentile, message) -> None:
    """A percentile that is none, or one that leaves nothing."""
    data = make_activations(0)
    with pytest.raises(InvalidInput, match=f"^{message}$"):
        SCALE(percentile=percentile).fit(data.rows, head=data.head)
