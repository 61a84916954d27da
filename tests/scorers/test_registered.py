"""What all scorers owe, over the whole registry: a new scorer is tested by being registered."""

import inspect
import math
from dataclasses import replace

import pytest
from sklearn.utils.estimator_checks import check_estimator

from oodkit.errors import InvalidInput
from oodkit.scorers import GradNorm, Need, Scorer, create, scorers
from oodkit.testing import Problem, check_scorer, make_problem


def instances() -> list[Scorer]:
    """Each scorer by default, and once more with every flag the other way round."""
    found = []
    for name in scorers:
        parameters = inspect.signature(scorers.load(name)).parameters.values()
        flags = {p.name: not p.default for p in parameters if isinstance(p.default, bool)}
        found += [create(name), *([create(name, **flags)] if flags else [])]
    return found


def problem(scorer: Scorer) -> Problem:
    """The usual one; the noise is short for GradNorm, to which long rows are in-distribution by definition."""
    views, aux_views = scorer.view_names(), scorer.aux_view_names()
    usual = make_problem(scorer.needs | scorer.optional, views=views, aux_views=aux_views)
    return replace(usual, outside=usual.outside / 20) if isinstance(scorer, GradNorm) else usual


def arrays_alone(scorer: Scorer) -> bool:
    """Whether scikit-learn's suite, which has features and labels, can fit it."""
    return scorer.needs <= {Need.LABELS, Need.LOGITS}


@pytest.mark.parametrize("scorer", instances(), ids=repr)
def test_keeps_every_rule_of_the_contract(scorer) -> None:
    """Every registered scorer passes `check_scorer`, with labels and, where it can, without."""
    check_scorer(scorer, problem=problem(scorer))
    if scorer.optional:
        check_scorer(scorer, problem=problem(scorer), labels=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scorer", [s for s in instances() if arrays_alone(s)], ids=repr)
def test_passes_all_of_check_estimator(scorer) -> None:
    """scikit-learn's own suite passes; only its array API check may be skipped, which needs an environment variable."""
    results = check_estimator(scorer, on_fail=None, on_skip=None)

    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}

    assert not failed
    assert skipped <= {"check_array_api_input"}


def parameters() -> list[tuple[str, str]]:
    """Every parameter of every scorer."""
    return [(name, parameter) for name in scorers for parameter in inspect.signature(scorers.load(name)).parameters]


@pytest.mark.parametrize(("name", "parameter"), parameters())
def test_what_a_parameter_cannot_be_is_one_line(name, parameter) -> None:
    """None where it is not the default, text, NaN and a negative number are refused in fit by the parameter's name."""
    optional = inspect.signature(scorers.load(name)).parameters[parameter].default is None
    data = problem(create(name))

    for bad in ["x", math.nan, -1, *([] if optional else [None])]:
        scorer = create(name, **{parameter: bad})
        with pytest.raises(InvalidInput, match=f"^{parameter} must be ") as caught:
            scorer.fit(data.features, data.labels, **data.needed)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(scorers))
def test_is_described(name) -> None:
    """Listings can say what each scorer is, where it comes from and what its parameters are."""
    entry = scorers[name]
    documentation = inspect.getdoc(scorers.load(name)) or ""

    assert entry.summary
    assert entry.source
    for parameter in inspect.signature(scorers.load(name)).parameters:
        assert f"\n{parameter} : " in documentation
