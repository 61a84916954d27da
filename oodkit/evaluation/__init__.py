"""One in/out evaluation: what `oodkit score` does."""

from oodkit.evaluation.evaluate import DEFAULT_SCORERS, evaluate
from oodkit.evaluation.evaluation import Evaluation, Result
from oodkit.evaluation.plot import plot_evaluation

__all__ = ["DEFAULT_SCORERS", "Evaluation", "Result", "evaluate", "plot_evaluation"]
