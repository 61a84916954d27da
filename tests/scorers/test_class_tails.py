import numpy as np
import pytest
import torch

from oodkit.errors import TooFewSamples
from oodkit.scorers.class_tails import distances_to_mean, fit_tails, representatives
from oodkit.scorers.weibull import Weibull


def test_rows_that_are_right_represent_their_class() -> None:
    """Class 0 has one right row of two; class 1 none, so all its rows count; negative labels never do."""
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 0.0], [3.0, 0.0, 0.0], [9.0, 0.0, 0.0]])

    used, wrong_alone = representatives(logits, torch.tensor([0, 0, 1, -1]))

    assert used.tolist() == [True, False, True, False]
    assert wrong_alone == 1


def test_distances_are_to_the_mean_of_the_own_class() -> None:
    """Rows (0, 0) and (2, 0) have the mean (1, 0); a class without rows has mean 0."""
    logits = torch.tensor([[0.0, 0.0], [2.0, 0.0], [9.0, 9.0]])

    means, distances = distances_to_mean(
        logits, torch.tensor([0, 0, 1]), torch.tensor([True, True, False]), torch.tensor([2, 0])
    )

    assert means.tolist() == [[1, 0], [0, 0]]
    assert distances.tolist() == [1, 1]


def test_each_class_gets_its_largest_distances() -> None:
    """The tail is `tail` long, but at most a twentieth of the class and at least 3."""
    rng = np.random.default_rng(0)
    sizes = {0: 500, 1: 200, 2: 5}
    classes = torch.from_numpy(rng.permutation(np.repeat(list(sizes), list(sizes.values()))))
    distances = torch.from_numpy(rng.gamma(3, 1, 705))

    fitted, pooled = fit_tails(distances, classes, torch.tensor([500, 200, 5, 0]), 20)

    assert pooled == 0
    for label, length in ((0, 20), (1, 10), (2, 3)):
        tail = distances[classes == label].sort(descending=True).values[None, :length]
        alone = Weibull.fit(tail, torch.ones_like(tail, dtype=torch.bool))
        for found, expected in zip(fitted, alone, strict=True):
            assert float(found[label]) == pytest.approx(float(expected[0]), rel=1e-9)


def test_classes_with_too_few_distances_share_one_distribution() -> None:
    """One row, two rows or equal distances get that of all classes together; finite for a class without rows."""
    distances = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 1.0, 1.0, 2.0, 2.0, 2.0], dtype=torch.float64)
    classes = torch.tensor([0, 0, 0, 0, 0, 1, 1, 2, 2, 2])

    fitted, pooled = fit_tails(distances, classes, torch.tensor([5, 2, 3, 0]), 20)

    assert pooled == 2
    assert fitted.start[1] == fitted.start[2] == fitted.start[3] != fitted.rate[0]
    assert all(bool(values.isfinite().all()) for values in fitted)


def test_equal_distances_everywhere_are_refused() -> None:
    """There is nothing to fit a distribution to."""
    with pytest.raises(TooFewSamples, match=r"at least 3 rows of a class .* 2 sample\(s\) have none, give more rows"):
        fit_tails(torch.ones(2), torch.tensor([0, 1]), torch.tensor([1, 1]), 20)


def test_a_tail_of_equal_distances_is_extended_to_all() -> None:
    """Where the largest distances are equal, those of all rows together are what is left to fit."""
    distances = torch.tensor([3.0, 3.0, 3.0, 1.0, 2.0], dtype=torch.float64)

    fitted, pooled = fit_tails(distances, torch.zeros(5, dtype=torch.int64), torch.tensor([5]), 20)

    assert pooled == 1
    assert fitted.start.tolist() == [1]
