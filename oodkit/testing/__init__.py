"""Checks for those who write their own scorers: `check_scorer(MyScorer())` in a test is the whole contract."""

from oodkit.testing.problem import Problem, make_problem
from oodkit.testing.scorer_rules import check_scorer

__all__ = ["Problem", "check_scorer", "make_problem"]
