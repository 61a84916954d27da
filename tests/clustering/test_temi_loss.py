import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.clustering.temi_loss import pair_weights, pmi_loss, temi_loss


def logs(*shares: float) -> torch.Tensor:
    return torch.tensor(shares, dtype=torch.float64).log()


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def one_hot(place: int, tail: float = 0.0) -> torch.Tensor:
    probabilities = torch.full((10,), tail, dtype=torch.float64)
    probabilities[place] = 1 - 9 * tail
    return probabilities.clamp_min(1e-300).log()


UNIFORM = logs(*[0.1] * 10)


@pytest.mark.parametrize(("beta", "value"), [(1.0, 0.0), (0.6, -1.842068), (0.5, -2.302585)])
def test_uniform_heads(beta, value) -> None:
    """Uniform student, teacher and shares give -(2 - 2 beta) log C, and the weight 1 / C."""
    assert pmi_loss(UNIFORM, UNIFORM, UNIFORM, beta).item() == pytest.approx(value, abs=1e-6)
    assert pair_weights(UNIFORM[None, None], UNIFORM[None, None], "wpmi").item() == pytest.approx(0.1)


@pytest.mark.parametrize("beta", [1.0, 0.6, 0.51])
def test_sure_heads_that_agree_are_the_optimum(beta) -> None:
    """Equal one-hots with balanced clusters give -log C for every beta, and the weight 1."""
    assert pmi_loss(one_hot(3), one_hot(3), UNIFORM, beta).item() == pytest.approx(-math.log(10), abs=1e-6)
    assert pair_weights(one_hot(3)[None, None], one_hot(3)[None, None], "wpmi").item() == pytest.approx(1)


def test_collapse_gains_nothing() -> None:
    """All mass and the share on one cluster: 0, or -log(1 + (C - 1) eps^(2 beta - 1)) with tails of eps."""
    sure, tailed = one_hot(0), one_hot(0, 1e-12)

    assert pmi_loss(sure, sure, sure, 1.0).item() == pytest.approx(0, abs=1e-9)
    assert pmi_loss(tailed, tailed, tailed, 0.6).item() == pytest.approx(-0.0352, abs=5e-5)


def test_sure_heads_that_disagree() -> None:
    """The loss is large but finite, and its weight takes the pair out."""
    here, there = one_hot(0), one_hot(1)
    loss = pmi_loss(here, there, UNIFORM, 0.6)
    weight = pair_weights(here[None, None], there[None, None], "wpmi")

    assert 100 < loss.item() < math.inf
    assert (weight * loss).item() == pytest.approx(0, abs=1e-9)
    heads = torch.stack([here, there])[None, :, None]
    assert temi_loss(heads, heads, UNIFORM.exp()[None], 0.6).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("beta", "value"), [(1.0, -0.086178), (0.6, -0.751507)])
def test_three_clusters_by_hand(beta, value) -> None:
    """Student (.7, .2, .1), teacher (.6, .3, .1), shares (.5, .3, .2); weight .42 + .06 + .01 between the two."""
    student, teacher, share = logs(0.7, 0.2, 0.1), logs(0.6, 0.3, 0.1), logs(0.5, 0.3, 0.2)
    loss = pmi_loss(student, teacher, share, beta).item()
    weight = pair_weights(student[None, None], teacher[None, None], "wpmi").item()

    assert loss == pytest.approx(value, abs=1e-6)
    assert weight == pytest.approx(0.49)
    if beta == 0.6:
        assert weight * loss == pytest.approx(-0.368238, abs=1e-6)


@given(st.integers(0, 10**6), st.floats(0.51, 1), st.sampled_from([1.0, 0.1]))
def test_gradient_by_logits(seed, beta, temperature) -> None:
    """dL/dz = beta / tau (q_s - r), r = softmax(beta (log q_s + log q_t) - log q): sums to 0; as differences say."""
    z = drawn(seed, 5).requires_grad_(True)
    teacher, share = drawn(seed + 1, 5).log_softmax(0), drawn(seed + 2, 5).log_softmax(0)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return pmi_loss((logits / temperature).log_softmax(0), teacher, share, beta)

    (found,) = torch.autograd.grad(loss(z), z)
    student = (z.detach() / temperature).log_softmax(0)
    r = (beta * (student + teacher) - share).softmax(0)
    torch.testing.assert_close(found, beta / temperature * (student.exp() - r), atol=1e-9, rtol=1e-9)
    assert found.sum().item() == pytest.approx(0, abs=1e-9)
    assert torch.autograd.gradcheck(loss, (z,))


def test_uniform_heads_have_no_gradient() -> None:
    """Uniform everywhere is a stationary point."""
    z = torch.zeros(10, dtype=torch.float64, requires_grad=True)
    pmi_loss(z.log_softmax(0), UNIFORM, UNIFORM, 0.6).backward()

    assert z.grad is not None
    assert z.grad.abs().max().item() < 1e-12


@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 6),
    st.floats(0.51, 1),
    st.sampled_from(["temi", "wpmi", "pmi"]),
)
def test_loop_over_heads_and_pairs(seed, heads, pairs, clusters, beta, weighting) -> None:
    """An independent loop in NumPy over heads, pairs and directions gives the same."""
    student, teacher = drawn(seed, heads, 2, pairs, clusters), drawn(seed + 1, heads, 2, pairs, clusters)
    student, teacher = student.log_softmax(3), teacher.log_softmax(3)
    share = drawn(seed + 2, heads, clusters).softmax(1)
    qs, qt, q = student.exp().numpy(), teacher.exp().numpy(), share.numpy()
    expected = np.zeros(heads)
    for i in range(heads):
        for p in range(pairs):
            own = [float(np.dot(qt[j, 0, p], qt[j, 1, p])) for j in range(heads)]
            weight = {"temi": sum(own) / heads, "wpmi": own[i], "pmi": 1.0}[weighting]
            for a, b in ((0, 1), (1, 0)):
                terms = [(qs[i, a, p, c] * qt[i, b, p, c]) ** beta / q[i, c] for c in range(clusters)]
                expected[i] += -weight * math.log(sum(terms)) / (2 * pairs)

    np.testing.assert_allclose(temi_loss(student, teacher, share, beta, weighting).numpy(), expected, rtol=1e-9)


def test_nothing_but_the_student_learns() -> None:
    """No gradient reaches teacher, weights or shares."""
    student, teacher = (drawn(seed, 3, 2, 4, 5).requires_grad_(True) for seed in (0, 1))
    share = drawn(2, 3, 5).softmax(1).requires_grad_(True)
    temi_loss(student.log_softmax(3), teacher.log_softmax(3), share, 0.6).sum().backward()

    assert student.grad is not None
    assert teacher.grad is None
    assert share.grad is None


@given(st.integers(0, 10**6))
def test_identities(seed) -> None:
    """One head, or equal heads: the shared weight is each head's own. Swapped rows, renamed clusters: no change."""
    student, teacher = drawn(seed, 2, 2, 4, 5).log_softmax(3), drawn(seed + 1, 2, 2, 4, 5).log_softmax(3)
    share = drawn(seed + 2, 2, 5).softmax(1)
    losses = temi_loss(student, teacher, share, 0.6)

    for same in ([0], [1, 1, 1]):
        args = (student[same], teacher[same], share[same], 0.6)
        torch.testing.assert_close(temi_loss(*args, "temi"), temi_loss(*args, "wpmi"))
    torch.testing.assert_close(temi_loss(student.flip(1), teacher.flip(1), share, 0.6), losses)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(temi_loss(student[..., order], teacher[..., order], share[:, order], 0.6), losses)
