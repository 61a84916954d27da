"""What is known of every attack on simple scores, whatever the network."""

from itertools import pairwise

import pytest
import torch

from oodkit.attacks import create_attack
from oodkit.attacks.ball import L2, LInf
from oodkit.attacks.goal import Goal
from tests.attacks.linear import images, linear, weights
from tests.attacks.test_base import QUICK, made

GRADIENT = ["fgsm", "pgd", "momentum_pgd", "apgd"]


def water_filling(image: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    """The largest gain w . d with |d| <= eps and image + d in [0, 1]: d is t w, cut, with the t that uses up eps."""
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        change = torch.minimum(torch.maximum(middle * weight, -image), 1 - image)
        low, high = (low, middle) if change.norm() > eps else (middle, high)
    return (torch.minimum(torch.maximum(low * weight, -image), 1 - image) * weight).sum()


@pytest.mark.parametrize("name", ["pgd", "momentum_pgd", "apgd"])
def test_the_optimum_under_l2_where_pixels_meet_their_ends(name) -> None:
    """No attack gains more than water-filling, and long ones come within half a per cent of it."""
    x, w = images().double(), weights().double()
    best = torch.stack([water_filling(image, w, 2.0) for image in x])

    found = create_attack(name, L2(2.0), steps=300).run(linear(w), x, whole_levels=False)

    share = (found.after - found.before) / best
    assert (share <= 1 + 1e-6).all()
    assert (share > 0.995).all()


@pytest.mark.parametrize("name", GRADIENT)
@pytest.mark.parametrize("ball", [LInf(8 / 255), L2(0.5)])
def test_the_scale_of_a_score_does_not_matter(name, ball) -> None:
    """The images are those of 3 J + 7; without momentum's sum of gradients, those of exp(J) too."""
    x, w = images().double(), weights().double()

    def moved(score) -> torch.Tensor:
        return made(name, ball).run(Goal(score), x, whole_levels=False).images

    plain = moved(lambda pixels: (pixels * w).sum(dim=(1, 2, 3)))
    torch.testing.assert_close(moved(lambda pixels: 3 * (pixels * w).sum(dim=(1, 2, 3)) + 7), plain)
    torch.testing.assert_close(moved(lambda pixels: ((pixels * w).sum(dim=(1, 2, 3)) / 30).exp()), plain)


@pytest.mark.parametrize("name", QUICK)
def test_lowering_a_score_is_raising_its_negative(name) -> None:
    """in2out on s gives the images of out2in on -s."""
    x, w = images(), weights()

    assert torch.equal(
        made(name).run(linear(w, "in2out"), x).images,
        made(name).run(linear(-w), x).images,
    )


@pytest.mark.parametrize("name", QUICK)
def test_network_and_generator_stay_as_they_were(name) -> None:
    """No gradient is left on weights, their flags and the global generator stay, and the images are not written to."""
    layers = [torch.nn.Conv2d(3, 4, 3), torch.nn.Dropout(0.5), torch.nn.Flatten(), torch.nn.Linear(144, 1)]
    network = torch.nn.Sequential(*layers).eval()
    x, state = images(), torch.random.get_rng_state()

    made(name).run(Goal(lambda pixels: network(pixels)[:, 0]), x)

    assert all(part.grad is None and part.requires_grad for part in network.parameters())
    assert not network.training
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(x, images())


def test_draws_of_a_score_that_draws_nothing_change_nothing() -> None:
    """The mean of three equal scores has the gradient of one."""
    x, w = images(), weights()
    one, three = (Goal(linear(w).score, draws=n) for n in (1, 3))

    assert torch.equal(made("pgd").run(one, x).images, made("pgd").run(three, x).images)


@pytest.mark.parametrize("name", ["pgd", "apgd"])
def test_more_restarts_are_never_worse(name) -> None:
    """The first restarts of a longer run are those of a shorter one."""
    w = weights()
    goal = Goal(lambda pixels: torch.sin(40 * (pixels * w).sum(dim=(1, 2, 3))))

    values = [
        create_attack(name, LInf(2 / 255), steps=5, restarts=n).run(goal, images(), whole_levels=False).found
        for n in (1, 2, 4)
    ]

    assert (values[0] <= values[1]).all()
    assert (values[1] <= values[2]).all()


def test_a_whole_range_reaches_any_image() -> None:
    """With eps = 1 a smooth score rises to that of the image it is largest at."""
    x, target = images(2), images(2, seed=5)
    goal = Goal(lambda pixels: -(pixels - target).square().mean(dim=(1, 2, 3)))

    for name in ("pgd", "apgd"):
        found = create_attack(name, LInf(1.0), steps=200).run(goal, x, whole_levels=False)
        assert (found.found > -1e-3).all()


def test_apgd_looks_back_at_the_published_checkpoints() -> None:
    """On a score that falls with every look, each checkpoint of 100 steps throws it back to its start."""
    sums: list[float] = []

    def falling(pixels: torch.Tensor) -> torch.Tensor:
        sums.append(float(pixels.detach().sum()))
        return pixels.sum(dim=(1, 2, 3)) - 1000 * len(sums)

    x = images(1, low=100, high=150).double()
    create_attack("apgd", LInf(8 / 255), steps=100).run(Goal(falling), x, whole_levels=False)

    places = sums[1:102]  # the clean image is looked at first, then the start and what each step found
    moves = [after - before for before, after in pairwise(places)]
    back = [step for step in range(1, 100) if moves[step] < -1e-9 <= moves[step - 1]]
    assert back == [22, 41, 57, 70, 80, 87, 93, 99]
