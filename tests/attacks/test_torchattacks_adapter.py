import pytest
import torch

from oodkit.attacks import create_attack
from oodkit.attacks.ball import L2, LInf
from oodkit.attacks.torchattacks_adapter import LINF_NAMES
from oodkit.errors import InvalidInput, MissingDependency
from tests.attacks.linear import images, linear, weights


def test_attacks_that_need_a_class_to_change_are_refused() -> None:
    """They return the clean image otherwise, which the message says, with what to use instead."""
    with pytest.raises(InvalidInput, match=r"returns the clean image unless a class changes.*use apgd"):
        create_attack("torchattacks:AutoAttack")
    with pytest.raises(InvalidInput, match="hardly moves a score"):
        create_attack("torchattacks:SPSA")
    with pytest.raises(InvalidInput, match="did you mean 'PGD'"):
        create_attack("torchattacks:PGDD")
    with pytest.raises(InvalidInput, match="PGDL2 works under l2, not linf"):
        create_attack("torchattacks:PGDL2", LInf(8 / 255))


def test_missing_package_is_said() -> None:
    """One line says how to install it without its pins."""
    try:
        import torchattacks  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(MissingDependency, match="pip install --no-deps torchattacks"):
            create_attack("torchattacks:PGD")


@pytest.mark.parametrize("name", LINF_NAMES)
def test_points_outside_the_ball_do_not_count(name) -> None:
    """Attacks that look ahead, at scaled or at resized images end in the ball, and gain something there."""
    pytest.importorskip("torchattacks")
    x, ball = images(2, 16, low=100, high=150), LInf(8 / 255)

    found = create_attack(f"torchattacks:{name}", ball).run(linear(weights(16)), x, whole_levels=False)

    assert (ball.distance(found.unrounded, x) <= ball.eps + 1e-6).all()
    assert (found.found > found.before).all()


@pytest.mark.parametrize("direction", ["out2in", "in2out"])
@pytest.mark.parametrize(
    ("name", "ball", "params"),
    [
        ("PGD", LInf(8 / 255), {"steps": 20}),
        ("FGSM", LInf(8 / 255), {}),
        ("MIFGSM", LInf(8 / 255), {"steps": 20}),
        ("PGDL2", L2(0.5), {"alpha": 0.2, "steps": 20}),
    ],
)
def test_they_reach_the_optimum_of_a_linear_score(name, ball, params, direction) -> None:
    """As ours do, whatever the scale of the score; the global generator stays where it was."""
    pytest.importorskip("torchattacks")
    x, w = images(low=100, high=150), 1000 * weights()
    state = torch.random.get_rng_state()

    found = create_attack(f"torchattacks:{name}", ball, **params).run(linear(w, direction), x, whole_levels=False)

    best = ball.eps * (w.abs().sum() if ball.norm == "linf" else w.norm())
    torch.testing.assert_close((found.after - found.before).abs(), best.expand(4), rtol=1e-3, atol=0)
    assert torch.equal(torch.random.get_rng_state(), state)
