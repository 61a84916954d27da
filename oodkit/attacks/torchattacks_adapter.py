"""Attacks of torchattacks against a score, shown to them as a model of two classes."""

from typing import Any

import torch
from torch import Tensor, nn

from oodkit.attacks.ball import L2, Ball
from oodkit.attacks.base import Attack, default_ball
from oodkit.attacks.draws import Draws
from oodkit.attacks.watched import Watched
from oodkit.errors import InvalidInput, MissingDependency, nearest_names

LINF_NAMES = (
    "FGSM",
    "FFGSM",
    "RFGSM",
    "BIM",
    "PGD",
    "EOTPGD",
    "UPGD",
    "MIFGSM",
    "NIFGSM",
    "DIFGSM",
    "TIFGSM",
    "SINIFGSM",
    "VMIFGSM",
    "VNIFGSM",
)
L2_NAMES = ("PGDL2",)
_CROSSING = (
    "APGD",
    "APGDT",
    "AutoAttack",
    "CW",
    "DeepFool",
    "FAB",
    "MultiAttack",
    "OnePixel",
    "Pixle",
    "SparseFool",
    "Square",
)
_WEAK = ("Jitter", "SPSA")
_SCALE = 10.0  # gap of the logits over the spread of a batch: far from where float32 loses the gradient, about 90


class TorchAttack(Attack):
    """An attack of torchattacks that moves along the gradient of the cross-entropy of two classes.

    With the goal J of a batch, its mean m and standard deviation d at the clean images, the model's logits are
    (-g, g) / 2 with g = (J - m) / d, all images are labelled 0, and the cross-entropy log(1 + exp g) rises with J. The
    global random generator, from which torchattacks draws, is left as it was found.

    Args:
        name: class in torchattacks, one of `LINF_NAMES` or `L2_NAMES`.
        ball: how far images may be moved; its norm must be the attack's.
        **params: the attack's other parameters, such as steps=50.

    Raises:
        InvalidInput: an attack that cannot be used on a score, or one of the other norm.
        MissingDependency: torchattacks is not installed.

    Notes:
        Attacks that return the clean image unless the predicted class changes (AutoAttack and its parts, CW, DeepFool
        and others) are refused: without a threshold nothing changes class, and an AUROC from them overstates the
        detector. `apgd` and `square` of this package search for the largest score instead.
    """

    def __init__(self, name: str, ball: Ball | None = None, **params: Any) -> None:
        super().__init__(ball or default_ball())
        _check_name(name)
        norm = L2.norm if name in L2_NAMES else "linf"
        if self.ball.norm != norm:
            raise InvalidInput(f"torchattacks:{name} works under {norm}, not {self.ball.norm}")
        self.name, self.params = name, params
        self._made = _class(name)

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        model = _TwoClasses(goal, self.ball)
        try:
            attack = self._made(model, eps=self.ball.eps, **self.params)
        except TypeError as error:
            raise InvalidInput(f"torchattacks:{self.name} does not take these parameters: {error}") from error
        seed = int(draws.uniform(images[:1, 0, 0, 0].expand(len(images)).double())[0] * 2**31)
        with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []), torch.enable_grad():
            torch.manual_seed(seed)
            moved = attack(images, torch.zeros(len(images), dtype=torch.long, device=images.device))
        return self.ball.project(moved.detach(), around=images)


class _TwoClasses(nn.Module):
    """A goal as the logits of the classes "as it was" (0) and "where it should be" (1)."""

    def __init__(self, goal: Watched, ball: Ball) -> None:
        super().__init__()
        self.place = nn.Parameter(goal.start.new_zeros(1))  # by which torchattacks finds the device
        self._goal, self._ball = goal, ball
        self._middle = goal.start.mean()
        spread = goal.start.std(unbiased=False)
        self._spread = torch.where(spread > 0, spread, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        gap = (self._goal.differentiable(pixels, self._ball) - self._middle) / self._spread
        gap = gap.clamp_min(-_SCALE) + 0.01 * (gap - gap.clamp_min(-_SCALE))  # never where exp(gap) vanishes
        return torch.stack([-gap / 2, gap / 2], dim=1)


def _check_name(name: str) -> None:
    if name in _CROSSING:
        raise InvalidInput(
            f"torchattacks:{name} returns the clean image unless a class changes, which hides how weak a score is; use "
            "apgd, square or torchattacks:PGD"
        )
    if name in _WEAK:
        raise InvalidInput(
            f"torchattacks:{name} hardly moves a score even where its gradient is constant; use torchattacks:PGD"
        )
    known = [*LINF_NAMES, *L2_NAMES]
    if name not in known:
        near = nearest_names(name, known)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise InvalidInput(
            f"no attack {name!r} of torchattacks works on a score{meant or '.'} These do: {', '.join(known)}"
        )


def _class(name: str) -> Any:
    try:
        import torchattacks
    except ModuleNotFoundError as error:
        raise MissingDependency(
            "torchattacks is not installed: pip install --no-deps torchattacks (its pin of requests is not needed here)"
        ) from error
    return getattr(torchattacks, name)
