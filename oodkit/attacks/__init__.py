"""Attacks on a detector's score: pixels and a goal in, pixels out; they know no data set and no scorer."""

from typing import TYPE_CHECKING, Any

from oodkit.attacks.registry import TORCHATTACKS, attacks

if TYPE_CHECKING:
    from oodkit.attacks.ball import Ball
    from oodkit.attacks.base import Attack

__all__ = ["TORCHATTACKS", "attacks", "create_attack"]


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
