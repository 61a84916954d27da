"""Losses of self-distillation: values, gradients, an independent loop over crops."""

import math

import numpy as np
import pytest
import torch

from oodkit.scorers.distillation_loss import distillation_loss, positive_loss, uniform_loss


def drawn(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def loop(student, teacher, sets, scale):
    """The sum over teacher crops, student crops and images, in plain numbers, and how many terms there are.

    Each negative is counted once per teacher crop; sets of negatives share weight 1.
    """
    terms = total = 0.0
    counts = []
    for t in range(len(teacher)):
        for s in range(len(student)):
            if s != t:
                total -= float(np.mean(np.sum(teacher[t] * student[s], axis=1)))
                terms += 1
    counts.append(int(terms))
    for crops in sets:
        terms = 0
        for _ in range(len(teacher)):
            for crop in crops:
                total -= scale * float(np.mean(crop))
                terms += 1
        counts.append(terms)
    return 3 / sum(counts) * total, counts


@pytest.mark.parametrize(("outputs", "value"), [(4096, 8.317766), (16, math.log(16))])
def test_equal_logits_cost_log_k_whatever_the_teacher_says(outputs, value):
    """All student logits equal: each part is log K; their sum is 2 log K, and 3 log K at 1.5 times the scale."""
    student = torch.zeros(4, 3, outputs, dtype=torch.float64).log_softmax(dim=2)
    teacher = drawn(2, 3, outputs).softmax(dim=2)
    positive, negative = distillation_loss(student, teacher, [student[:1], student])
    assert float(positive) == pytest.approx(value, abs=1e-6)
    assert float(negative) == pytest.approx(value, abs=1e-6)
    if outputs == 4096:
        assert float(positive + negative) == pytest.approx(16.635532, abs=1e-6)
        assert 1.5 * float(positive + negative) == pytest.approx(24.953298, abs=1e-6)


def test_positive_loss_is_least_where_the_student_answers_as_the_teacher():
    """It is at least the teacher's entropy, and equal to it where both agree on all crops."""
    logits = drawn(1, 5, 7).expand(3, 5, 7)
    teacher = logits[:2].softmax(dim=2)
    entropy = -(teacher * teacher.log()).sum(dim=2).mean()
    assert float(positive_loss(logits.log_softmax(dim=2), teacher)) == pytest.approx(float(entropy), rel=1e-12)
    for seed in range(1, 20):
        assert positive_loss(drawn(3, 5, 7, seed=seed).log_softmax(dim=2), teacher) > entropy


def test_uniform_loss_is_least_for_uniform_answers():
    """It is log K plus a divergence: larger for all other answers."""
    for seed in range(20):
        assert uniform_loss(drawn(2, 3, 6, seed=seed).log_softmax(dim=2)) > math.log(6) + 1e-3
    assert float(uniform_loss(torch.full((2, 3, 6), -math.log(6)))) == pytest.approx(math.log(6))


def test_a_uniform_teacher_asks_for_what_negatives_are_asked():
    """Where the teacher is uniform, both losses are least, log K, for a uniform student."""
    teacher = torch.full((2, 4, 9), 1 / 9, dtype=torch.float64)
    uniform = torch.full((3, 4, 9), -math.log(9), dtype=torch.float64)
    assert float(positive_loss(uniform, teacher)) == pytest.approx(math.log(9))
    assert positive_loss(drawn(3, 4, 9).log_softmax(dim=2), teacher) > math.log(9)


@pytest.mark.parametrize(("sets", "scale", "factor"), [(2, 0.5, 1.0), (1, 1.0, 1.5)])
def test_is_the_loop_over_crops(sets, scale, factor):
    """2 + 8, 1 + 8 and 1 + 8 crops have 18 terms each; the published weighting is L_pos + L_neg, or 1.5 times that."""
    student, teacher = drawn(10, 3, 5).log_softmax(dim=2), drawn(2, 3, 5, seed=1).softmax(dim=2)
    negatives = [drawn(9, 3, 5, seed=2 + i).log_softmax(dim=2) for i in range(sets)]
    expected, counts = loop(student.numpy(), teacher.numpy(), [crops.numpy() for crops in negatives], scale)
    positive, negative = distillation_loss(student, teacher, negatives)
    assert counts == [18] * (1 + sets)
    assert factor * float(positive + negative) == pytest.approx(expected, rel=1e-12)


def test_the_weight_multiplies_the_negatives_alone():
    """Twice the weight, twice that part."""
    student, teacher = drawn(3, 4, 5).log_softmax(dim=2), drawn(2, 4, 5).softmax(dim=2)
    once, twice = (distillation_loss(student, teacher, [student], weight) for weight in (1.0, 2.0))
    assert once[0] == twice[0]
    assert float(twice[1]) == pytest.approx(2 * float(once[1]))


def test_gradients_are_those_of_the_formulas_and_of_finite_differences():
    """(q_s - q_t) / tau for positives, (q_s - 1 / K) / tau for negatives; each sums to 0; none reaches the teacher."""
    tau, count = 0.1, 6
    logits = drawn(2, 1, count).mul(0.2).requires_grad_(True)
    targets = drawn(2, 1, count, seed=1).requires_grad_(True)

    def loss(logits):
        return positive_loss((logits / tau).log_softmax(dim=2), targets.softmax(dim=2))

    assert torch.autograd.gradcheck(loss, (logits,))
    (slope,) = torch.autograd.grad(loss(logits), logits)
    answers, wanted = (logits / tau).softmax(dim=2), targets.softmax(dim=2).flip(0)
    torch.testing.assert_close(slope, (answers - wanted) / tau / 2)  # the mean of two pairs
    torch.testing.assert_close(slope.sum(dim=2), torch.zeros(2, 1, dtype=torch.float64))
    loss(logits).backward()
    assert targets.grad is None

    def apart(logits):
        return uniform_loss((logits / tau).log_softmax(dim=2))

    assert torch.autograd.gradcheck(apart, (logits,))
    (slope,) = torch.autograd.grad(apart(logits), logits)
    torch.testing.assert_close(slope, (answers - 1 / count) / tau / 2)
    torch.testing.assert_close(slope.sum(dim=2), torch.zeros(2, 1, dtype=torch.float64))
