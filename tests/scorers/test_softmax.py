import math

import numpy as np
import pytest
import torch
from hypothesis import given

from oodkit.scorers.softmax import (
    constant_notes,
    log_max_probability,
    log_odds,
    over_temperature,
    set_aside_largest,
    softmax,
)
from tests.scorers.logit_rows import log_sum_exp, logit_rows, probabilities


@given(logit_rows())
def test_softmax_comes_with_its_normaliser(rows) -> None:
    """Probabilities and log-sum-exp are those of a loop in float64."""
    found, total = softmax(torch.from_numpy(rows))

    np.testing.assert_allclose(found, [probabilities(row) for row in rows], atol=1e-12)
    np.testing.assert_allclose(total, [log_sum_exp(row) for row in rows], rtol=1e-12, atol=1e-14)


@given(logit_rows())
def test_one_largest_is_set_aside(rows) -> None:
    """Exactly one entry becomes -inf, a largest one, ties or not; the others stay."""
    largest, others = set_aside_largest(torch.from_numpy(rows))

    np.testing.assert_array_equal(largest[:, 0], rows.max(axis=1))
    for row, rest in zip(rows, others.numpy(), strict=True):
        assert sorted(rest)[1:] == sorted(row)[:-1]
        assert min(rest) == -np.inf


@given(logit_rows(least=2))
def test_log_odds_are_those_of_the_largest_probability(rows) -> None:
    """The log-odds of p are log p - log(1 - p), with 1 - p summed over the other classes."""
    found = log_odds(torch.from_numpy(rows))

    for row, odds in zip(rows, found.tolist(), strict=True):
        first, *others = sorted(row, reverse=True)
        assert odds == pytest.approx(first - log_sum_exp(np.array(others)), abs=1e-9)


def test_log_odds_do_not_saturate() -> None:
    """A lead of 10,000 is told from one of 9,000, in float32 as well; the probability is 1 for both."""
    rows = torch.tensor([[1e4, 0.0], [9e3, 0.0], [-1e4, -1.9e4]])

    assert log_odds(rows).tolist() == [1e4, 9e3, 9e3]
    assert log_max_probability(torch.tensor([[700.0, 0.0], [600.0, 0.0]])).tolist() == [
        -math.exp(-700),
        -math.exp(-600),
    ]


def test_one_class_is_certain() -> None:
    """With one column the probability is 1, its gradient 0, and a note says that scores are equal."""
    rows = torch.tensor([[3.0], [-5.0]], requires_grad=True)

    scores = log_max_probability(rows)

    assert scores.tolist() == [0, 0]
    (slope,) = torch.autograd.grad(scores.sum(), rows)
    assert slope.tolist() == [[0], [0]]
    assert constant_notes(rows) == ["the logits have one column, so all scores are equal"]
    assert constant_notes(rows.T) == []


def test_gradient_of_log_odds() -> None:
    """It is 1 at the largest logit and minus the others' softmax elsewhere, ties among the others included."""
    rows = torch.tensor([[5.0, 1.0, 1.0, 0.0]], dtype=torch.float64, requires_grad=True)

    (slope,) = torch.autograd.grad(log_odds(rows).sum(), rows)

    others = np.exp([1, 1, 0]) / np.exp([1, 1, 0]).sum()
    np.testing.assert_allclose(slope[0], [1, *-others], atol=1e-12)


def test_temperature_1_makes_no_copy() -> None:
    """Any other divides."""
    rows = torch.tensor([[4.0, 2.0]])

    assert over_temperature(rows, 1.0) is rows
    assert over_temperature(rows, 2.0).tolist() == [[2, 1]]
