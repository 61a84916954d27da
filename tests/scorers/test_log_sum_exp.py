import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from oodkit.scorers.log_sum_exp import cosine_log_sum_exp
from oodkit.scorers.unit_rows import unit_rows
from tests.scorers.joint_space import draw_space


@pytest.mark.parametrize("temperature", [0.001, 0.01, 1.0, 100.0])
@pytest.mark.parametrize("groups", [1, 4, 20])
def test_agrees_with_scipy_group_by_group(temperature, groups):
    """The mean of exponentials of each group of consecutive points, for any temperature."""
    images, _, points = (unit_rows(torch.from_numpy(rows)) for rows in draw_space())

    found = cosine_log_sum_exp(images, points, temperature, groups)

    cosines = (images @ points.T).numpy().reshape(50, groups, -1)
    expected = logsumexp(cosines / temperature, axis=2) - np.log(20 / groups)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_float32_rows_keep_the_order_of_nearly_equal_sums():
    """At temperature 1, where a thousand terms are much alike, float32 loses no more than the cosines' own digits."""
    images, points, _ = (unit_rows(torch.from_numpy(rows)) for rows in draw_space(n=300, classes=1000))

    found = cosine_log_sum_exp(images.float(), points.float(), 1.0)

    np.testing.assert_allclose(found, cosine_log_sum_exp(images, points, 1.0), atol=3e-8)


def test_the_gradient_is_the_weighted_mean_of_the_points():
    """Although the largest cosine is taken as a constant."""
    images, points, _ = (unit_rows(torch.from_numpy(rows)) for rows in draw_space(n=4))

    assert torch.autograd.gradcheck(lambda x: cosine_log_sum_exp(x, points, 0.1), (images.requires_grad_(True),))
