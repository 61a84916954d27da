import sys
import types
import warnings
from importlib.util import find_spec

import numpy as np
import pytest
import sklearn.neighbors
from sklearn.base import BaseEstimator
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, LocalOutlierFactor
from sklearn.svm import OneClassSVM

from oodkit.errors import InvalidInput, MissingDependency, UnknownName
from oodkit.scorers import ThirdParty, create, parse_params, third_party
from oodkit.scorers.third_party_classes import third_party_class
from oodkit.testing import check_scorer, make_problem

needs_pyod = pytest.mark.skipif(find_spec("pyod") is None, reason="pyod is not installed")


@pytest.mark.parametrize(
    ("name", "params", "estimator"),
    [
        ("LocalOutlierFactor", {"n_neighbors": 5}, LocalOutlierFactor(n_neighbors=5, novelty=True)),
        ("IsolationForest", {"n_estimators": 20}, IsolationForest(n_estimators=20, random_state=0)),
        ("OneClassSVM", {}, OneClassSVM()),
        ("EllipticEnvelope", {}, EllipticEnvelope(random_state=0)),
        ("KernelDensity", {"bandwidth": 0.7}, KernelDensity(bandwidth=0.7)),
        ("GaussianMixture", {"n_components": 3}, GaussianMixture(n_components=3, random_state=0)),
    ],
)
def test_scores_are_those_of_scikit_learn(name, params, estimator) -> None:
    """`sklearn:NAME` scores as the estimator's score_samples: higher is more in-distribution, novelty is set."""
    problem = make_problem()
    queries = np.concatenate([problem.inside, problem.outside])

    scores = create(f"sklearn:{name}", **params).fit(problem.features).score_samples(queries)

    exact = estimator.fit(problem.features.astype(np.float64))
    np.testing.assert_allclose(scores, exact.score_samples(queries.astype(np.float64)), rtol=1e-9)
    assert scores[: len(problem.inside)].mean() > scores[len(problem.inside) :].mean()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["LocalOutlierFactor", "KernelDensity", "GaussianMixture", "OneClassSVM"])
def test_keeps_every_rule_of_the_contract(name) -> None:
    """`check_scorer` passes, with saving refused in one line."""
    check_scorer(create(f"sklearn:{name}"))


def test_parameters_are_those_of_the_estimator(tmp_path) -> None:
    """A wrong name is refused with the nearest, text is read as what it looks like, and `get_params` says it all."""
    with pytest.raises(InvalidInput, match="has no parameter 'neighbors'; did you mean 'n_neighbors'"):
        create("sklearn:LocalOutlierFactor", neighbors=3)
    texts = {"n_neighbors": "5", "metric": "cityblock", "p": "1.5"}
    assert parse_params("sklearn:LocalOutlierFactor", texts) == {
        "n_neighbors": 5,
        "metric": "cityblock",
        "p": 1.5,
    }

    scorer = create("sklearn:LocalOutlierFactor", n_neighbors=5)

    assert isinstance(scorer, ThirdParty)
    assert scorer.get_params() == {"detector": "sklearn:LocalOutlierFactor", "params": {"n_neighbors": 5}}
    with pytest.raises(InvalidInput, match=r"^ThirdParty cannot be saved: it holds more than numbers and text"):
        scorer.fit(make_problem().features).save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_classes_come_with_the_nearest() -> None:
    """A class that is not there, or that does not score rows, is one line."""
    with pytest.raises(UnknownName, match="estimator 'LocalOutlierFactr'; did you mean 'sklearn:LocalOutlierFactor'"):
        create("sklearn:LocalOutlierFactr")
    with pytest.raises(UnknownName, match="sklearn has no outlier or density estimator 'LogisticRegression'"):
        create("sklearn:LogisticRegression")
    with pytest.raises(UnknownName, match=r"it has .*KernelDensity"):
        create("sklearn:xyzzy")


def test_what_an_estimator_refuses_is_one_line() -> None:
    """Bad parameters, too few rows and fit-rows-only scoring: the estimator's own first line, with its name."""
    rows = make_problem().features
    with pytest.raises(InvalidInput, match=r"^sklearn:GaussianMixture cannot be fitted: .*n_components"):
        create("sklearn:GaussianMixture", n_components=-1).fit(rows)
    with pytest.raises(InvalidInput, match=r"^sklearn:GaussianMixture cannot be fitted: "):
        create("sklearn:GaussianMixture", n_components=5).fit(rows[:2])
    with pytest.raises(InvalidInput, match="novelty=False scores its fit rows only; leave it out"):
        create("sklearn:LocalOutlierFactor", novelty=False).fit(rows)


def test_warnings_become_notes() -> None:
    """What the estimator warns of is not printed: it is in `notes_`, with its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scorer = create("sklearn:LocalOutlierFactor", n_neighbors=100).fit(make_problem().features)

    assert scorer.notes_[0].startswith("sklearn:LocalOutlierFactor: n_neighbors (100) is greater than")


def test_a_density_of_0_is_the_lowest_number() -> None:
    """Beyond the reach of a compact kernel the log density is minus infinity: finite, and below all others."""
    scorer = create("sklearn:KernelDensity", kernel="tophat").fit(make_problem().features)

    assert scorer.score_samples(np.full((1, 6), 1e3)).tolist() == [np.finfo(np.float64).min]


class Rogue(BaseEstimator):
    """Scores by a mean over the batch and fit rows, and draws from the global generator."""

    def fit(self, x):
        self.rows = x
        self.noise = np.random.rand()
        return self

    def score_samples(self, x):
        return -np.abs(x - np.concatenate([self.rows, x]).mean(axis=0)).sum(axis=1) + self.noise


def test_scores_that_depend_on_the_batch_are_taken_one_by_one(monkeypatch) -> None:
    """Each row then scores as if alone, which is said; and random draws are the same in every fit."""
    monkeypatch.setattr(third_party, "third_party_class", lambda name: Rogue)
    problem = make_problem()

    scorer, other = (ThirdParty("sklearn:Rogue").fit(problem.features) for _ in range(2))

    scores = scorer.score_samples(problem.inside)
    alone = [scorer.score_samples(row[None])[0] for row in problem.inside]
    np.testing.assert_array_equal(scores, alone)
    np.testing.assert_array_equal(scores, other.score_samples(problem.inside))
    assert scorer.one_by_one_
    assert "a score depends on the rows beside it, so rows are scored one by one" in scorer.notes_[-1]


def test_estimators_that_need_others_or_draw_scores_are_left_out() -> None:
    """A search needs an estimator, and a Boltzmann machine's scores are random: neither is offered."""
    for name in ("GridSearchCV", "Pipeline", "BernoulliRBM"):
        with pytest.raises(UnknownName):
            third_party_class(f"sklearn:{name}")
    assert third_party_class("sklearn:LocalOutlierFactor") is sklearn.neighbors.LocalOutlierFactor


def test_without_pyod_it_is_one_line(monkeypatch) -> None:
    """What is not installed is named, with what to do."""
    monkeypatch.setattr("oodkit.scorers.third_party_classes.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"^scorer 'pyod:ECOD' needs the package 'pyod'; install it$"):
        create("pyod:ECOD")


@pytest.fixture
def small_pyod(tmp_path, monkeypatch):
    """A package of PyOD's form: one detector, whose decision_function is higher for outliers, and one for labels."""
    models = tmp_path / "pyod" / "models"
    models.mkdir(parents=True)
    (tmp_path / "pyod" / "__init__.py").write_text("")
    (models / "__init__.py").write_text("")
    (models / "base.py").write_text("class BaseDetector: pass\n")
    (models / "far.py").write_text(
        "from .base import BaseDetector\n"
        "class Far(BaseDetector):\n"
        "    def __init__(self, power=1): self.power = power\n"
        "    def fit(self, X, y=None): self.mean = X.mean(axis=0); return self\n"
        "    def decision_function(self, X): return (abs(X - self.mean) ** self.power).sum(axis=1)\n"
        "class Learner(BaseDetector):\n"
        "    def fit(self, X, y): return self\n"
    )
    (models / "ts_series.py").write_text("class Series(BaseDetector):\n    pass\n")
    (models / "lacking.py").write_text("import no_such_package\nclass Lacking(BaseDetector):\n    pass\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyod"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    yield types.SimpleNamespace(path=tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyod"]:
        del sys.modules[name]


def test_sign_and_lookup_of_pyod(small_pyod) -> None:
    """`pyod:NAME` is minus decision_function; classes are found in the files, and only the module that is needed
    is imported.
    """
    rows = np.array([[0.0, 0], [2, 0], [1, 3]])

    scorer = create("pyod:Far", power=2).fit(rows)

    np.testing.assert_allclose(scorer.score_samples(np.array([[1.0, 1], [4, 1]])), [0, -9])
    check_scorer(create("pyod:Far"))
    with pytest.raises(UnknownName, match="pyod has no outlier or density estimator 'Farr'; did you mean 'pyod:Far'"):
        create("pyod:Farr")
    with pytest.raises(UnknownName):
        create("pyod:Series")
    with pytest.raises(InvalidInput, match="pyod:Learner learns from labelled outliers"):
        create("pyod:Learner")
    with pytest.raises(MissingDependency, match="scorer 'pyod:Lacking' needs the package 'no_such_package'"):
        create("pyod:Lacking")


@needs_pyod
def test_ecod_of_pyod() -> None:
    """PyOD's ECOD scores far noise below in-distribution rows, each row by itself."""
    problem = make_problem()

    scorer = create("pyod:ECOD").fit(problem.features)

    inside, outside = scorer.score_samples(problem.inside), scorer.score_samples(problem.outside)
    assert np.mean(inside[:, None] > outside) > 0.95
    np.testing.assert_array_equal(scorer.score_samples(problem.inside[:1]), inside[:1])
    check_scorer(create("pyod:ECOD"))


@needs_pyod
@pytest.mark.parametrize("name", ["KNN", "HBOS", "IForest", "COPOD", "PCA"])
def test_others_of_pyod(name) -> None:
    """Minus the decision function of PyOD itself, fitted alike."""
    problem = make_problem()

    scorer = create(f"pyod:{name}").fit(problem.features)

    exact = third_party_class(f"pyod:{name}")
    assert isinstance(scorer.estimator_, exact)
    expected = [-scorer.estimator_.decision_function(row[None].astype(np.float64))[0] for row in problem.inside]
    np.testing.assert_allclose(scorer.score_samples(problem.inside), expected, rtol=1e-6)
