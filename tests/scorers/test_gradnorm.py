import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from oodkit.scorers import GradNorm
from tests.scorers.activations import activations, make_activations


def test_two_classes() -> None:
    """z = (1, -2) under W = I has p = sigmoid(3) and 1 - sigmoid(3): 3 * 2 (2 sigmoid(3) - 1)."""
    scorer = GradNorm().fit(np.ones((1, 2)), head=(np.eye(2), np.zeros(2)))

    expected = 3 * 2 * (2 / (1 + np.exp(-3)) - 1)
    np.testing.assert_allclose(scorer.score_samples(np.array([[1.0, -2.0]])), [expected])


@given(activations())
def test_is_the_length_of_the_gradient(data) -> None:
    """Row by row, the L1 norm of what autograd gives for -sum_c log p_c in the weights of the last layer."""
    scores = GradNorm().fit(data.rows, head=data.head).score_samples(data.queries)

    for row, score in zip(torch.from_numpy(data.queries), scores, strict=True):
        weight = torch.from_numpy(data.weight).requires_grad_(True)
        loss = -(weight @ row + torch.from_numpy(data.bias)).log_softmax(dim=0).sum()
        (slope,) = torch.autograd.grad(loss, weight)
        assert score == pytest.approx(float(slope.abs().sum()), rel=1e-9, abs=1e-9)


@given(activations())
def test_agrees_with_numpy(data) -> None:
    """||z||_1 times the sum of |C p_c - 1|."""
    shares = softmax(data.queries @ data.weight.T + data.bias, axis=1)
    expected = np.abs(data.queries).sum(axis=1) * np.abs(len(data.bias) * shares - 1).sum(axis=1)

    scores = GradNorm().fit(data.rows, head=data.head).score_samples(data.queries)

    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)


def test_uniform_probabilities_and_zero_rows_score_nothing() -> None:
    """Where all logits are equal, and for z = 0, there is no gradient."""
    scorer = GradNorm().fit(np.ones((1, 4)), head=(np.ones((3, 4)), np.zeros(3)))

    np.testing.assert_allclose(scorer.score_samples(np.array([[1.0, 2, 3, 4], [0, 0, 0, 0]])), 0, atol=1e-12)


@given(activations(), st.floats(-50, 50))
def test_a_constant_on_all_logits_does_not_matter(data, shift) -> None:
    """Probabilities are what counts."""
    plain, shifted = (GradNorm().fit(data.rows, head=(data.weight, data.bias + s)) for s in (0, shift))

    expected = plain.score_samples(data.queries)
    np.testing.assert_allclose(shifted.score_samples(data.queries), expected, rtol=1e-9, atol=1e-9)


@given(activations(), st.floats(0.1, 10))
def test_is_linear_in_the_length_of_a_row(data, stretch) -> None:
    """Where the probabilities stay, because W is divided, a row of c times the length scores c times as much."""
    plain = GradNorm().fit(data.rows, head=data.head)
    divided = GradNorm().fit(data.rows, head=(data.weight / stretch, data.bias))

    expected = stretch * plain.score_samples(data.queries)
    np.testing.assert_allclose(divided.score_samples(stretch * data.queries), expected, rtol=1e-9, atol=1e-9)


def test_one_class_and_extreme_logits() -> None:
    """One class: 0 for every row. Logits of +-1e4: the bound 2 (C - 1) ||z||_1, finite."""
    data = make_activations(0, count=1)
    assert GradNorm().fit(data.rows, head=data.head).score_samples(data.queries).tolist() == [0] * 9

    extreme = GradNorm().fit(np.ones((1, 2)), head=(1e4 * np.array([[1.0, 0], [0, 1], [-1, -1]]), np.zeros(3)))
    np.testing.assert_allclose(extreme.score_samples(np.array([[1.0, -1.0]])), [8])
