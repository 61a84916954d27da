"""How a detector does against images that were made to deceive it: attack sets, and evaluation under attack."""

from oodkit.robustness.attack_set import AttackSet, make_attack_set
from oodkit.robustness.curve import plot_robustness
from oodkit.robustness.evaluation import Robustness, RobustResult, evaluate_robustness
from oodkit.robustness.radius import parse_radius

__all__ = [
    "AttackSet",
    "RobustResult",
    "Robustness",
    "evaluate_robustness",
    "make_attack_set",
    "parse_radius",
    "plot_robustness",
]
