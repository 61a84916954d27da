"""Attacks on a detector's score: pixels and a goal in, pixels out; they know no data set and no scorer.

`attacks` is the registry; looking at it, or importing this package, does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from oodkit.attacks.entries import ENTRIES
from oodkit.attacks.registry import TORCHATTACKS, attacks

if TYPE_CHECKING:
    from oodkit.attacks.apgd import APGD
    from oodkit.attacks.ball import L2, Ball, LInf
    from oodkit.attacks.base import Attack, Attacked
    from oodkit.attacks.feature_matching import FeatureMatching, matching
    from oodkit.attacks.fgsm import FGSM
    from oodkit.attacks.goal import Goal
    from oodkit.attacks.momentum_pgd import MomentumPGD
    from oodkit.attacks.pgd import PGD
    from oodkit.attacks.square import Square

__all__ = [
    "APGD",
    "FGSM",
    "L2",
    "PGD",
    "TORCHATTACKS",
    "Attack",
    "Attacked",
    "Ball",
    "FeatureMatching",
    "Goal",
    "LInf",
    "MomentumPGD",
    "Square",
    "attacks",
    "create_attack",
    "matching",
]

_LAZY = {
    **{entry.target.partition(":")[2]: entry.target for entry in ENTRIES.values()},
    **{name: f"oodkit.attacks.ball:{name}" for name in ("Ball", "LInf", "L2")},
    **{name: f"oodkit.attacks.base:{name}" for name in ("Attack", "Attacked")},
    "Goal": "oodkit.attacks.goal:Goal",
    "matching": "oodkit.attacks.feature_matching:matching",
}


def create_attack(name: str, ball: "Ball | None" = None, **params: Any) -> "Attack":
    """An attack by its registry name, or `torchattacks:NAME`.

    Args:
        name: such as "pgd".
        ball: how far images may be moved; None for the attack's own default.
        **params: the attack's parameters, such as steps=100.

    Raises:
        UnknownName: no such attack; the message has the nearest names.
        InvalidInput: a parameter that the attack does not have, or one out of its range.
        MissingDependency: torchattacks is asked for and not installed.
    """
    from oodkit.attacks.parameters import check_parameters

    if name.startswith(TORCHATTACKS):
        from oodkit.attacks.torchattacks_adapter import TorchAttack

        return TorchAttack(name.removeprefix(TORCHATTACKS), ball, **params)
    check_parameters(name, params)
    attack: Attack = attacks.load(name)(ball, **params)
    return attack


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
