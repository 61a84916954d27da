import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.attacks.ball import L2, LInf
from oodkit.attacks.draws import Draws
from oodkit.errors import InvalidInput
from tests.attacks.linear import images, weights


@pytest.mark.parametrize("ball", [LInf(8 / 255), L2(0.5)])
def test_a_projection_is_in_the_ball_and_in_the_range_of_pixels(ball) -> None:
    """Far images come to the border; images inside stay bit for bit."""
    centre = images()
    far = centre + torch.randn(centre.shape, generator=torch.Generator().manual_seed(2))

    near = ball.project(far, centre)

    assert (ball.distance(near, centre) <= ball.eps * (1 + 1e-5)).all()
    assert near.min() >= 0
    assert near.max() <= 1
    assert torch.equal(ball.project(centre, centre), centre)


@given(st.sampled_from(["linf", "l2"]), st.integers(0, 64), st.integers(0, 10**6))
def test_rounding_gives_whole_levels_inside_the_ball(norm, levels, seed) -> None:
    """Whatever the radius, the rounded image is k/255, in the ball, and no worse a move than half a level away."""
    ball = LInf(levels / 255) if norm == "linf" else L2(levels / 25)
    centre = images(3, 6, seed)
    inside = ball.random(centre, Draws([seed, seed + 1, seed + 2]))

    found = ball.rounded(inside, centre)

    np.testing.assert_allclose(found * 255, (found * 255).round(), atol=1e-4)
    assert (ball.distance(found, centre) <= ball.eps + 1e-5).all()
    if norm == "linf":
        assert (found - inside).abs().max() <= 0.5 / 255 + 1e-5


def test_a_radius_of_whole_levels_is_used_up() -> None:
    """A change of exactly eight levels stays one, though 8/255 * 255 is not 8 in floating point."""
    centre = images(high=200)
    ball = LInf(8 / 255)

    assert torch.equal(((ball.rounded(centre + 8 / 255, centre) - centre) * 255).round(), torch.full_like(centre, 8))


def test_small_changes_are_not_rounded_away() -> None:
    """Where each pixel changes by less than half a level, the largest changes grow till the radius is used up."""
    centre = images(2, 64, low=100, high=150)
    ball = L2(0.1)  # a quarter of a level in a pixel
    inside = centre + ball.eps * ball.steepest(weights(64)[None].expand_as(centre))

    found = ball.rounded(inside, centre)

    assert (ball.distance(found, centre) > 0.99 * ball.eps).all()
    gain = ((found - centre) * weights(64)).sum(dim=(1, 2, 3))
    assert (gain > 0.5 * ball.eps * weights(64).norm()).all()


def test_whole_changes_stay_as_they_are() -> None:
    """A change that fits under both norms is not made longer because its radius allows more."""
    centre = images(2, low=100, high=150)
    moved = centre.clone()
    moved[:, 0, :2, :2] += torch.tensor([[3, -2], [1, 0]]) / 255

    for ball in (LInf(8 / 255), L2(1.0)):
        assert torch.equal((ball.rounded(moved, centre) * 255).round(), (moved * 255).round())


def test_steepest_directions_have_length_1() -> None:
    """Signs under the largest change, the unit gradient under the Euclidean norm, however small; 0 stays 0."""
    slope = torch.stack([weights(), 1e-30 * weights(), torch.zeros(3, 8, 8)])

    assert LInf(0.1).steepest(slope).abs().amax(dim=(1, 2, 3)).tolist() == [1, 1, 0]
    lengths = L2(0.1).steepest(slope).flatten(1).norm(dim=1)
    np.testing.assert_allclose(lengths, [1, 1, 0], atol=1e-6)


def test_draws_are_uniform_in_the_ball() -> None:
    """The share within half the radius is that of the volume; each coordinate has mean 0."""
    centre = torch.full((2000, 3, 1, 1), 0.5)
    for ball, share in ((LInf(0.2), 0.5**3), (L2(0.2), 0.5**3)):
        distance = ball.distance(ball.random(centre, Draws(range(2000))), centre)
        assert abs(float((distance < 0.1).double().mean()) - share) < 0.03
        assert distance.max() <= 0.2 + 1e-6


def test_a_radius_out_of_range_is_refused() -> None:
    """8 grey levels written as 8 are pointed out; negative radii too."""
    with pytest.raises(InvalidInput, match=r"in \[0, 1\], got 8; 8 grey levels are 8/255"):
        LInf(8)
    with pytest.raises(InvalidInput, match="got -1"):
        L2(-1)
