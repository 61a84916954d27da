import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers import ASH
from tests.scorers.activations import activations, energy, make_activations


def shaped(rows, variant, percentile):
    """Row by row: keep the k first of a stable sort."""
    found = []
    for row in rows:
        count = len(row) - round(len(row) * percentile / 100)
        kept = np.isin(np.arange(len(row)), np.argsort(-row, kind="stable")[:count])
        if variant == "b":
            found.append(np.where(kept, row.sum() / count, 0))
        elif variant == "p":
            found.append(np.where(kept, row, 0))
        else:
            total, of_kept = row.sum(), row[kept].sum()
            ratio = 1 if count == len(row) else total / of_kept if of_kept > 1e-12 else -math.inf
            found.append(np.where(kept, row * math.exp(ratio), 0))
    return np.array(found)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [("p", 7), ("b", 10), ("s", 7 * math.exp(10 / 7))],
    ids=["prune", "binarise", "sharpen"],
)
def test_two_of_four(variant, expected) -> None:
    """Of (1, 4, 2, 3) half is kept, 4 and 3: they stay, become (1 + 2 + 3 + 4) / 2 = 5 each, or grow by exp(10 / 7)."""
    scorer = ASH(variant=variant, percentile=50).fit(np.ones((2, 4)), head=(np.ones((1, 4)), np.zeros(1)))

    np.testing.assert_allclose(scorer.score_samples(np.array([[1.0, 4, 2, 3]])), [expected])


@given(activations(), st.sampled_from("pbs"), st.floats(0, 90))
def test_agrees_with_loops_in_float64(data, variant, percentile) -> None:
    """Scores are the energy of rows that are shaped one by one; among equal activations the first are kept."""
    width = data.rows.shape[1]
    if width - round(width * percentile / 100) == 0:
        return

    scorer = ASH(variant=variant, percentile=percentile).fit(data.rows, head=data.head)

    expected = energy(shaped(data.queries, variant, percentile), *data.head)
    np.testing.assert_allclose(scorer.score_samples(data.queries), expected, rtol=1e-7, atol=1e-9)


@given(activations())
def test_nothing_pruned(data) -> None:
    """At percentile 0, "p" leaves rows as they are and "s" takes them times e."""
    plain, times_e = (ASH(variant=v, percentile=0).fit(data.rows, head=data.head) for v in "ps")

    np.testing.assert_allclose(
        plain.score_samples(data.queries), energy(data.queries, *data.head), rtol=1e-9, atol=1e-9
    )
    expected = energy(math.e * data.queries, *data.head)
    np.testing.assert_allclose(times_e.score_samples(data.queries), expected, rtol=1e-9, atol=1e-9)


@given(activations(), st.floats(0, 80))
def test_binarised_rows_keep_their_sum(data, percentile) -> None:
    """A head of ones sees the sum, which "b" does not change."""
    width = data.rows.shape[1]
    if width - round(width * percentile / 100) == 0:
        return
    scorer = ASH(variant="b", percentile=percentile).fit(data.rows, head=(np.ones((1, width)), np.zeros(1)))

    np.testing.assert_allclose(scorer.score_samples(data.queries), data.queries.sum(axis=1), atol=1e-9)


def test_rows_without_positive_activations() -> None:
    """Signed rows whose largest activations sum to 0 or less score LSE(b) under "s"; it is said."""
    data = make_activations(0, signed=True)
    scorer = ASH(percentile=80).fit(data.rows, head=data.head)
    rows = torch.tensor([[-1.0] * 6, [0.0] * 6, [-3.0, -1, -2, -5, -4, -6], [0, -1, -1, -1, -1, -1]])

    scores = scorer.score_tensor(rows.requires_grad_(True))
    scores.sum().backward()

    np.testing.assert_allclose(scores.detach(), energy(np.zeros((4, 6)), *data.head), rtol=1e-6)
    assert bool(rows.grad.isfinite().all())
    assert "gets the factor 0" in scorer.notes_[0]
    plain = make_activations(0)
    assert ASH(percentile=80).fit(plain.rows, head=plain.head).notes_ == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"variant": "x"}, "variant must be one of 'p', 'b', 's', got 'x'"),
        ({"percentile": 101}, "percentile must be a percentile from 0 to 100, got 101"),
        ({"percentile": 100}, "percentile=100 keeps none of the 6 features of a row; lower it"),
        ({"percentile": 95, "variant": "p"}, "percentile=95 keeps none of the 6 features of a row; lower it"),
    ],
)
def test_errors(parameters, message) -> None:
    """Another letter, a percentile that is none, or one that leaves nothing."""
    data = make_activations(0)
    with pytest.raises(InvalidInput, match=f"^{message}$"):
        ASH(**parameters).fit(data.rows, head=data.head)
