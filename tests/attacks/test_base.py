import pytest
import torch

from oodkit.attacks import attacks, create_attack
from oodkit.attacks.ball import L2, LInf
from oodkit.attacks.goal import Goal
from oodkit.errors import InvalidInput, UnknownName
from tests.attacks.linear import images, linear, weights

QUICK = {
    "pgd": {"steps": 8},
    "momentum_pgd": {"steps": 8},
    "apgd": {"steps": 12},
    "square": {"steps": 40},
    "fgsm": {},
    "feature_matching": {"steps": 8},
}


def made(name: str, ball=None):
    return create_attack(name, ball or LInf(8 / 255), **QUICK[name])


def test_every_attack_is_tested() -> None:
    """A new attack gets the tests below by a line in QUICK."""
    assert set(attacks) == set(QUICK)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("ball", [LInf(8 / 255), L2(0.5)])
@pytest.mark.parametrize("direction", ["out2in", "in2out"])
def test_the_score_moves_the_right_way_within_the_ball(name, ball, direction) -> None:
    """Scores rise for out2in and fall for in2out, images are 8-bit and no further than eps."""
    x = images()
    found = made(name, ball).run(linear(weights(), direction), x, seeds=3)

    moved = found.after - found.before
    assert (moved > 0).all() if direction == "out2in" else (moved < 0).all()
    assert torch.allclose(found.images * 255, (found.images * 255).round(), atol=1e-4)
    assert (ball.distance(found.images, x) <= ball.eps * (1 + 1e-5)).all()
    torch.testing.assert_close(found.after, (found.images * weights()).sum(dim=(1, 2, 3)))


@pytest.mark.parametrize("name", QUICK)
def test_an_image_gets_the_same_alone_and_in_any_batch(name) -> None:
    """Batch-mates and their order change nothing; the same seed gives the same images."""
    x = images()
    attack = made(name)
    together = attack.run(linear(weights()), x, seeds=[5, 6, 7, 8]).images
    reversed_ = attack.run(linear(weights()), x.flip(0), seeds=[8, 7, 6, 5]).images.flip(0)
    alone = attack.run(linear(weights()), x[2:3], seeds=[7]).images

    torch.testing.assert_close(together, reversed_, atol=1e-6, rtol=0)
    torch.testing.assert_close(together[2:3], alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", QUICK)
def test_no_radius_and_a_constant_score_leave_images_alone(name) -> None:
    """eps = 0 gives the images bit for bit; a constant score gives no NaN, and says that gradients are zero."""
    x = images()

    assert torch.equal(made(name, LInf(0.0)).run(linear(weights()), x).images, x)
    flat = made(name).run(Goal(lambda pixels: (pixels * 0).sum(dim=(1, 2, 3))), x)
    assert torch.equal(flat.images, x) or name == "feature_matching"
    assert bool(flat.zero_slopes.all()) is (name != "square")


@pytest.mark.parametrize("name", sorted(set(QUICK) - {"square"}))
def test_a_score_without_gradients_is_refused(name) -> None:
    """The message names the attack that needs none."""
    goal = Goal(lambda pixels: pixels.sum(dim=(1, 2, 3)), differentiable=False)
    with pytest.raises(InvalidInput, match="takes gradients, and this score has none; use the attack square"):
        made(name).run(goal, images())


def test_gradients_that_are_not_finite_are_refused() -> None:
    """The sign of NaN is 0, so that an attack would silently do nothing."""
    goal = Goal(lambda pixels: (pixels - pixels.detach()).abs().sqrt().sum(dim=(1, 2, 3)))
    with pytest.raises(InvalidInput, match="gradient of the score is not finite"):
        made("pgd").run(goal, images())


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (images() * 255, r"pixels in \[0, 1\]; divide"),
        (images()[0], r"shape \(B, 3, H, W\)"),
        (images() * 0.999, "not of 8 bits"),
    ],
)
def test_unfit_images_are_refused(pixels, message) -> None:
    """8-bit values, a missing batch, and pixels between grey levels."""
    with pytest.raises(InvalidInput, match=message):
        made("pgd").run(linear(weights()), pixels)


def test_without_rounding_pixels_may_lie_between_levels() -> None:
    """Then the result is what the search found."""
    found = made("pgd").run(linear(weights()), images() * 0.999, whole_levels=False)
    torch.testing.assert_close(found.found, found.after)


def test_unknown_names_and_parameters() -> None:
    """The nearest right name is said."""
    with pytest.raises(UnknownName, match="apgd"):
        create_attack("agpd")
    with pytest.raises(InvalidInput, match="no parameter 'step'; did you mean 'steps'"):
        create_attack("pgd", step=5)
    with pytest.raises(InvalidInput, match="steps must be a whole number of at least 1"):
        create_attack("pgd", steps=0)


@pytest.mark.parametrize(
    ("name", "param", "value", "message"),
    [
        ("pgd", "step_size", -1.0, "step_size must be a number at least 0, got -1.0"),
        ("momentum_pgd", "step_size", float("nan"), "step_size must be a number at least 0, got nan"),
        ("momentum_pgd", "decay", float("inf"), "decay must be a number at least 0, got inf"),
        ("apgd", "rho", 1.5, r"rho must be a number in \[0, 1\], got 1.5"),
        ("square", "share", 7, r"share must be a number in \[0, 1\], got 7"),
        ("feature_matching", "learning_rate", "fast", "learning_rate must be a number at least 0, got 'fast'"),
    ],
)
def test_numbers_out_of_range_are_refused(name, param, value, message) -> None:
    """They would make an attack that walks backwards or nowhere, and a detector that looks robust."""
    with pytest.raises(InvalidInput, match=message):
        create_attack(name, **{param: value})


def test_an_attack_on_the_mean_of_draws_sees_through_noise() -> None:
    """Where each draw drops most pixels, one draw's gradient points nowhere and that of many along the weights."""
    weight, x, eps = weights(), images(low=60, high=190), 8 / 255
    generator = torch.Generator().manual_seed(0)

    def noisy(pixels: torch.Tensor) -> torch.Tensor:
        signs = 1.2 - 2 * torch.rand(pixels.shape, generator=generator)  # mean 0.2
        return (pixels * weight * signs.sign()).sum(dim=(1, 2, 3))

    best = eps * weight.abs().sum()
    gains = []
    for draws in (1, 400):
        found = create_attack("fgsm", LInf(eps)).run(Goal(noisy, draws=draws), x)
        gains.append(float(((found.images - x) * weight).sum(dim=(1, 2, 3)).mean() / best))
    assert gains[0] < 0.5
    assert gains[1] > 0.95


def test_draws_of_a_random_score_are_averaged() -> None:
    """With draws=n each evaluation is the mean of n."""
    values = iter([1.0, 2.0, 6.0])
    goal = Goal(lambda pixels: torch.full((len(pixels),), next(values)), draws=3)

    assert goal(images(2)).tolist() == [3, 3]
    with pytest.raises(InvalidInput, match="at least 1 draw"):
        Goal(lambda pixels: pixels, draws=0)
    with pytest.raises(InvalidInput, match="out2in or in2out"):
        Goal(lambda pixels: pixels, "up")  # type: ignore[arg-type]
