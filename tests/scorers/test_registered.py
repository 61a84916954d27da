"""What all scorers owe, over the whole registry: a new scorer is tested by being registered."""

import inspect

import pytest
from sklearn.utils.estimator_checks import check_estimator

from oodkit.scorers import Scorer, create, scorers
from oodkit.testing import check_scorer


def instances() -> list[Scorer]:
    """Each scorer by default, and once more with every flag the other way round."""
    found = []
    for name in scorers:
        parameters = inspect.signature(scorers.load(name)).parameters.values()
        flags = {p.name: not p.default for p in parameters if isinstance(p.default, bool)}
        found += [create(name), *([create(name, **flags)] if flags else [])]
    return found


@pytest.mark.parametrize("scorer", instances(), ids=repr)
def test_keeps_every_rule_of_the_contract(scorer) -> None:
    """Every registered scorer passes `check_scorer`, with labels and, where it can, without."""
    check_scorer(scorer)
    if scorer.optional:
        check_scorer(scorer, labels=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scorer", instances(), ids=repr)
def test_passes_all_of_check_estimator(scorer) -> None:
    """scikit-learn's own suite passes; only its array API check may be skipped, which needs an environment variable."""
    results = check_estimator(scorer, on_fail=None, on_skip=None)

    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}

    assert not failed
    assert skipped <= {"check_array_api_input"}


@pytest.mark.parametrize("name", list(scorers))
def test_is_described(name) -> None:
    """Listings can say what each scorer is, where it comes from and what its parameters are."""
    entry = scorers[name]
    documentation = inspect.getdoc(scorers.load(name)) or ""

    assert entry.summary
    assert entry.source
    for parameter in inspect.signature(scorers.load(name)).parameters:
        assert f"\n{parameter} : " in documentation
