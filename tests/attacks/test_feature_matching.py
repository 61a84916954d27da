import numpy as np
import torch
from torch.nn.functional import cosine_similarity

from oodkit.attacks.feature_matching import FeatureMatching, matching
from tests.attacks.linear import images, weights


def embed(pixels: torch.Tensor) -> torch.Tensor:
    """A small network of fixed weights, (B, 16)."""
    maps = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(9))
    return torch.nn.functional.conv2d(pixels, maps / 10)[:, :, 0, 0].tanh()


def roughness(change: torch.Tensor) -> torch.Tensor:
    """Mean squares of forward differences, the last row and column as 0."""
    return sum(change.diff(dim=dim).square().sum(dim=(1, 2, 3)) for dim in (-1, -2)) / change[0].numel()


def test_features_come_to_those_of_the_target() -> None:
    """Cosines rise nearly to 1 and are those of the targets, image by image."""
    x, targets = images(), embed(images(seed=7))

    found = FeatureMatching(steps=300, learning_rate=3e-3).run(matching(embed, targets), x)

    assert (found.after > 0.95).all()
    np.testing.assert_allclose(found.after, cosine_similarity(embed(found.images), targets), atol=1e-6)


def test_a_smooth_change_is_smoother() -> None:
    """The weight on differences trades the cosine for a change without fine structure."""
    x, goal = images(), matching(embed, embed(images(seed=7)))

    rough = FeatureMatching(steps=100).run(goal, x, whole_levels=False)
    smooth = FeatureMatching(steps=100, smoothness=5e3).run(goal, x, whole_levels=False)

    assert (roughness(smooth.images - x) < 0.1 * roughness(rough.images - x)).all()
    assert smooth.found.mean() <= rough.found.mean()


def test_the_slope_of_the_smoothness_term() -> None:
    """It is that of the written formula, by autograd in float64."""
    change = weights()[None].double().requires_grad_(True)
    (slope,) = torch.autograd.grad(5e3 * roughness(change).sum(), change)

    found = FeatureMatching(smoothness=5e3)._roughness_slope(change.detach())

    torch.testing.assert_close(found, slope)


def test_steps_follow_adam() -> None:
    """Beside a loop with torch's Adam and autograd over the whole objective: the same change."""
    x, targets = images(2, low=60, high=190), embed(images(2, seed=7))
    attack = FeatureMatching(steps=12, smoothness=5e3)
    goal = matching(embed, targets)

    start = torch.stack([torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(s)) for s in (3, 4)]) * 1e-3
    change = start.clone().requires_grad_(True)
    adam = torch.optim.Adam([change], lr=1e-3)
    for _ in range(12):
        adam.zero_grad()
        (-goal(x + change).sum() + 5e3 * roughness(change).sum()).backward()
        adam.step()
        with torch.no_grad():
            change.copy_((x + change).clamp(0, 1) - x)

    torch.testing.assert_close(
        attack.run(goal, x, seeds=3, whole_levels=False).images, (x + change).detach(), atol=1e-5, rtol=0
    )
