import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from oodkit.errors import InvalidInput, TooFewSamples, UnknownName
from oodkit.scorers import (
    KNN,
    Ensemble,
    Mahalanobis,
    Need,
    NotFitted,
    ReAct,
    Scorer,
    create,
    ensemble,
    load,
    parse_params,
)
from oodkit.scorers.holdout import held_out
from oodkit.testing import check_scorer, make_problem
from tests.scorers.problems import classes


class Column(Scorer):
    """A column of the features, through a map."""

    def __init__(self, column=0, through=lambda s: s):
        self.column, self.through = column, through

    def _fit(self, train):
        self.count_ = len(train.features)

    def _score(self, x):
        return self.through(x[:, self.column])


class Logits(Scorer):
    """The largest logit; its fit must see logits."""

    needs = frozenset({Need.LOGITS})

    def _fit(self, train):
        self.width_ = train.features.shape[1]

    def _score(self, x):
        return x.amax(dim=1)


@pytest.fixture
def members(monkeypatch):
    """The registry of members for a test: `members["a"] = scorer`."""
    known: dict[str, Scorer] = {}
    monkeypatch.setattr(ensemble, "create", lambda name, **params: known[name])
    return known


def expected_shares(rows, labels, column, queries, holdout=0.2, seed=0):
    """Smoothed share of held-out values below each query, by counting."""
    out = held_out(torch.from_numpy(rows), labels, holdout, seed).numpy()
    own = rows[out, column]
    below = np.array([np.sum(own < q) + 0.5 * np.sum(own == q) for q in queries[:, column]])
    return (below + 0.5) / (len(own) + 1), own


@given(st.integers(0, 10**6), st.booleans())
def test_agrees_with_counting(seed, ties) -> None:
    """Mean share of held-out scores below, sum of its logarithms, and mean z-score, all by counting."""
    rng = np.random.default_rng(seed)
    rows, queries = rng.standard_normal((40, 2)), rng.standard_normal((9, 2))
    if ties:
        rows, queries = np.round(8 * rows) / 8, np.round(8 * queries) / 8
    known = {"a": Column(0), "b": Column(1)}
    original, ensemble.create = ensemble.create, lambda name, **params: known[name]
    try:
        found = {
            how: Ensemble(("a", "b"), combine=how).fit(rows).score_samples(queries)
            for how in ("rank", "fisher", "zscore")
        }
    finally:
        ensemble.create = original

    (one, own_one), (other, own_other) = (expected_shares(rows, None, c, queries) for c in (0, 1))
    np.testing.assert_allclose(found["rank"], (one + other) / 2)
    np.testing.assert_allclose(found["fisher"], np.log(one) + np.log(other))
    z = [(queries[:, c] - own.mean()) / own.std() for c, own in enumerate((own_one, own_other))]
    np.testing.assert_allclose(found["zscore"], np.mean(z, axis=0), atol=1e-12)


@pytest.mark.parametrize("combine", ["rank", "fisher"])
@pytest.mark.parametrize("through", [torch.exp, torch.arctan, lambda s: 3 * s - 100, lambda s: s**3])
def test_increasing_maps_of_a_member_do_not_matter(members, combine, through) -> None:
    """A member's scores through a strictly increasing map give the same combination."""
    rng = np.random.default_rng(0)
    rows, queries = rng.standard_normal((60, 2)), rng.standard_normal((30, 2))
    members.update(a=Column(0), b=Column(1))
    plain = Ensemble(("a", "b"), combine=combine).fit(rows).score_samples(queries)

    members["b"] = Column(1, through)

    np.testing.assert_array_equal(Ensemble(("a", "b"), combine=combine).fit(rows).score_samples(queries), plain)


def test_beyond_all_held_out_rows_scores_are_finite(members) -> None:
    """Shares lie in [0.5 / (n + 1), (n + 0.5) / (n + 1)], so Fisher's logarithm is never infinite."""
    members["a"] = Column(0)
    rows = np.arange(50.0)[:, None]

    scores = Ensemble(("a",), combine="fisher").fit(rows).score_samples(np.array([[-1e30], [1e30]]))

    np.testing.assert_allclose(scores, np.log([0.5 / 11, 10.5 / 11]))


def test_members_never_see_the_held_out_rows(members) -> None:
    """Of 50 rows 10 calibrate, of which each class gives its share, and 40 fit the members."""
    members["a"] = Column(0)
    scorer = Ensemble(("a",)).fit(np.random.default_rng(0).standard_normal((50, 2)))

    assert scorer.calibration_.shape == (1, 10)
    assert scorer.members_[0].count_ == 40


@pytest.mark.parametrize("combine", ["rank", "fisher", "zscore"])
def test_keeps_every_rule_of_the_contract(combine) -> None:
    """`check_scorer` passes for every way to combine, with members that need labels or can use them."""
    check_scorer(Ensemble(("knn", "mahalanobis"), combine=combine), labels=False)
    check_scorer(Ensemble(("knn", "relative_mahalanobis", "react"), combine=combine))


def test_needs_are_those_of_the_members() -> None:
    """The union of what members need and can use; what one needs is not optional."""
    assert (Ensemble().needs, Ensemble().optional) == (frozenset(), {Need.LABELS})
    both = Ensemble(("mahalanobis", "relative_mahalanobis", "react"))
    assert (both.needs, both.optional) == ({Need.LABELS, Need.HEAD}, frozenset())
    with pytest.raises(InvalidInput, match=r"^Ensemble needs the classifier's linear layer"):
        Ensemble(("knn", "react")).fit(make_problem().features)


def test_members_that_take_logits_get_them_from_the_head(members) -> None:
    """Beside members that take features they see W z + b, in fit and in scoring; alone, the features are logits."""
    members.update(a=Column(0), b=Logits())
    rng = np.random.default_rng(0)
    rows, queries, weight, bias = (rng.standard_normal(shape) for shape in ((50, 4), (9, 4), (3, 4), 3))

    mixed = Ensemble(("a", "b")).fit(rows, head=(weight, bias))
    alone = Ensemble(("b",)).fit(rows @ weight.T + bias)

    assert Ensemble(("a", "b")).needs == {Need.HEAD}
    assert Ensemble(("b", "b")).needs == {Need.LOGITS}
    assert mixed.members_[1].width_ == alone.members_[0].width_ == 3
    out = held_out(torch.from_numpy(rows), None, 0.2, 0).numpy()
    own = np.sort((rows[out] @ weight.T + bias).max(axis=1))
    np.testing.assert_allclose(mixed.calibration_[1], own)
    share = (np.searchsorted(own, (queries @ weight.T + bias).max(axis=1)) + 0.5) / (len(own) + 1)
    np.testing.assert_allclose(mixed.score_samples(queries), (expected_shares(rows, None, 0, queries)[0] + share) / 2)


def test_scorers_are_cloned_and_fitted() -> None:
    """An instance stands for its parameters: the same as by name with the defaults, and the instance stays unfitted."""
    problem = make_problem()
    rows, queries = problem.features, np.concatenate([problem.inside, problem.outside])
    own = KNN(k=3)

    mixed = Ensemble((own, "mahalanobis")).fit(rows)

    by_name = Ensemble(("knn", "mahalanobis")).fit(rows).score_samples(queries)
    np.testing.assert_array_equal(Ensemble((KNN(), Mahalanobis())).fit(rows).score_samples(queries), by_name)
    assert mixed.members_[0].k == 3
    assert not hasattr(own, "bank_")
    assert Ensemble((own, "react")).needs == {Need.HEAD}
    assert mixed.notes_ == ["mahalanobis: no labels were given: all fit samples are one class"]


@pytest.mark.parametrize("combine", ["rank", "fisher", "zscore"])
def test_fitted_scorers_are_calibrated_as_they_stand(combine) -> None:
    """By hand: own scores 1, 2, 3, 4 of both; z scores 2.5 and 9: shares (2 + 0.5) / 5 and (4 + 0.5) / 5."""
    one, other = Column(0).fit(np.zeros((7, 2))), Column(1).fit(np.zeros((3, 2)))
    own = np.array([[4.0, 1], [2, 2], [1, 4], [3, 3]])

    scorer = Ensemble((one, other), combine=combine, prefit=True).fit(own)

    z = (np.array([2.5, 9]) - 2.5) / np.sqrt(1.25)
    expected = {"rank": (0.5 + 0.9) / 2, "fisher": np.log(0.5) + np.log(0.9), "zscore": z.mean()}
    np.testing.assert_allclose(scorer.score_samples([[2.5, 9.0]]), expected[combine])
    assert [member.count_ for member in scorer.members_] == [7, 3]
    assert scorer.calibration_.tolist() == [[1, 2, 3, 4]] * 2


def test_fitted_scorers_need_features_alone() -> None:
    """What they were fitted with is in them; a head only where some take logits and others features."""
    problem = make_problem(frozenset({Need.LABELS, Need.HEAD}))
    weight, bias = problem.needed["head"]
    knn, react = KNN().fit(problem.features), ReAct().fit(problem.features, head=(weight, bias))
    ensemble = Ensemble((knn, react), prefit=True)
    assert (ensemble.needs, ensemble.optional) == (frozenset(), frozenset())
    assert np.isfinite(ensemble.fit(problem.inside).score_samples(problem.outside)).all()

    msp = create("msp").fit(problem.features @ np.asarray(weight).T + np.asarray(bias))
    assert Ensemble((msp,), prefit=True).needs == {Need.LOGITS}
    assert Ensemble((knn, msp), prefit=True).needs == {Need.HEAD}
    mixed = Ensemble((knn, msp), prefit=True).fit(problem.inside, head=(weight, bias))
    assert np.isfinite(mixed.score_samples(problem.outside)).all()


def test_names_beside_fitted_scorers_are_fitted() -> None:
    """On the rows that are not held out; those held out calibrate both."""
    rows = np.random.default_rng(0).standard_normal((50, 2))
    scorer = Ensemble((Column(0).fit(rows[:7]), "knn"), prefit=True).fit(rows)
    assert scorer.members_[0].count_ == 7
    assert len(scorer.members_[1].bank_) == 40
    assert scorer.calibration_.shape == (2, 10)
    assert Ensemble((Column(0).fit(rows), "relative_mahalanobis"), prefit=True).needs == {Need.LABELS}


def test_a_fitted_member_can_be_fitted_again_without_harm() -> None:
    """The ensemble keeps what the member had learned when it was calibrated."""
    problem = make_problem()
    knn = KNN().fit(problem.features)
    scorer = Ensemble((knn,), prefit=True).fit(problem.inside)
    before = scorer.score_samples(problem.outside)

    knn.fit(problem.features[:, ::-1].copy())

    np.testing.assert_array_equal(scorer.score_samples(problem.outside), before)


def test_fitted_members_of_another_width() -> None:
    """The member's own line."""
    knn = KNN().fit(np.eye(5))
    with pytest.raises(InvalidInput, match=r"features must have shape \(N, 5\) as in fit"):
        Ensemble((knn,), prefit=True).fit(np.eye(4))


def test_clones_and_saved_ones_of_instances(tmp_path) -> None:
    """Parameters of members survive both; fitted members stay fitted, unfitted ones do not become so."""
    problem = make_problem()
    queries = np.concatenate([problem.inside, problem.outside])
    fitted = (KNN(k=4).fit(problem.features), Mahalanobis().fit(problem.features))
    for members, prefit in (((KNN(k=4), "mahalanobis", Ensemble((KNN(k=2),))), False), (fitted, True)):
        scorer = Ensemble(members, prefit=prefit).fit(problem.features)
        expected = scorer.score_samples(queries)

        np.testing.assert_array_equal(clone(scorer).fit(problem.features).score_samples(queries), expected)
        scorer.save(tmp_path)
        loaded = load(tmp_path)
        np.testing.assert_array_equal(loaded.score_samples(queries), expected)
        assert isinstance(loaded.members[0], KNN)
        assert loaded.members[0].k == 4
        assert hasattr(loaded.members[0], "bank_") == prefit
        np.testing.assert_array_equal(loaded.fit(problem.features).score_samples(queries), expected)
        np.testing.assert_array_equal(clone(loaded).fit(problem.features).score_samples(queries), expected)
    with pytest.raises(NotFitted):
        clone(scorer).score_samples(queries)
    with pytest.raises(InvalidInput, match="Column cannot be saved within another scorer: it is not registered"):
        Ensemble((Column(0),)).fit(problem.features).save(tmp_path)


def test_instances_keep_every_rule_of_the_contract() -> None:
    """`check_scorer` passes with members that are scorers."""
    check_scorer(Ensemble((KNN(k=2), Mahalanobis())), labels=False)


def test_gradients_of_z_scores_alone() -> None:
    """Ranks are constant between held-out scores: only z-scores have gradients, and only if all members have."""
    assert Ensemble(combine="zscore").differentiable
    assert not Ensemble().differentiable
    assert not Ensemble(("knn", "sklearn:KernelDensity"), combine="zscore").differentiable
    problem = make_problem()
    scorer = Ensemble(combine="zscore").fit(problem.features, problem.labels)
    rows = torch.from_numpy(problem.inside).requires_grad_(True)

    scorer.score_tensor(rows).sum().backward()

    assert bool((rows.grad != 0).any())


def test_saved_members_come_back(tmp_path) -> None:
    """One folder, JSON and safetensors, holds all: also two members with one head, and an ensemble within."""
    problem = make_problem(frozenset({Need.HEAD}))
    scorer = Ensemble(("react", "dice", "ensemble")).fit(problem.features, **problem.needed)
    scorer.save(tmp_path)

    loaded = load(tmp_path)

    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]
    assert json.loads((tmp_path / "scorer.json").read_text())["parameters"]["members"] == [
        "react",
        "dice",
        "ensemble",
    ]
    assert loaded.get_params() == scorer.get_params()
    assert [type(member) for member in loaded.members_] == [type(member) for member in scorer.members_]
    assert [member.get_params() for member in loaded.members_] == [m.get_params() for m in scorer.members_]
    queries = np.concatenate([problem.inside, problem.outside])
    np.testing.assert_array_equal(loaded.score_samples(queries), scorer.score_samples(queries))
    with pytest.raises(InvalidInput, match="Ensemble cannot be saved"):
        Ensemble(("knn", "sklearn:KernelDensity")).fit(problem.features).save(tmp_path)


def test_moving_a_copy_leaves_the_members(members) -> None:
    """`to` moves members by way of copies: a scorer that shares them keeps its own."""
    members["a"] = Column(0)
    scorer = Ensemble(("a",)).fit(np.arange(20.0)[:, None])
    before = scorer.members_[0]

    scorer.to("cpu")

    assert scorer.members_[0] is not before


def test_notes_of_members_are_named() -> None:
    """What a member has to say is said with its name."""
    scorer = Ensemble().fit(make_problem().features)

    assert scorer.notes_ == ["mahalanobis: no labels were given: all fit samples are one class"]


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"members": ()}, InvalidInput, r"members must be a tuple of names of scorers, or of scorers, got \(\)"),
        ({"members": "knn"}, InvalidInput, "members must be a tuple of names of scorers, or of scorers, got 'knn'"),
        ({"members": ("knnn",)}, UnknownName, "no scorer named 'knnn'; did you mean 'knn'"),
        ({"members": (5,)}, InvalidInput, "members must be names of scorers, or scorers, but one is int"),
        ({"prefit": 0}, InvalidInput, "prefit must be True or False, got 0"),
        ({"members": (KNN(),), "prefit": True}, NotFitted, "this KNN is not fitted yet"),
        ({"combine": "sum"}, InvalidInput, "combine must be one of 'rank', 'zscore', 'fisher', got 'sum'"),
        ({"holdout": 0}, InvalidInput, "holdout must be a share between 0 and 1, got 0"),
        ({"holdout": 1.0}, InvalidInput, "holdout must be a share between 0 and 1, got 1.0"),
        ({"seed": -1}, InvalidInput, "seed must be an integer from 0 to 4294967295, got -1"),
    ],
)
def test_errors(parameters, error, message) -> None:
    """Names and parameters that cannot be used, in one line."""
    with pytest.raises(error, match=message):
        Ensemble(**parameters).fit(make_problem().features)


def test_too_few_rows() -> None:
    """Nothing to hold out, or too few left for a member."""
    with pytest.raises(TooFewSamples, match=r"no row can be held out of 2 sample"):
        Ensemble().fit(np.eye(2))
    with pytest.raises(TooFewSamples, match="no row can be held out of 4"):
        Ensemble().fit(np.eye(4), np.arange(4))


def test_z_scores_of_a_constant_member(members) -> None:
    """Without spread there is no unit: refused, while ranks count all as equal."""
    members["a"] = Column(0)
    rows = np.ones((20, 1))

    with pytest.raises(InvalidInput, match=r"^a gives all 4 held-out rows the same score, so its z-score has no unit"):
        Ensemble(("a",), combine="zscore").fit(rows)
    assert Ensemble(("a",)).fit(rows).score_samples(rows[:1]).tolist() == [0.5]


def test_parameters_as_text() -> None:
    """On a command line members stand between commas."""
    assert parse_params("ensemble", {"members": "knn,mahalanobis", "holdout": "0.3"}) == {
        "members": ("knn", "mahalanobis"),
        "holdout": 0.3,
    }
    assert create("ensemble", members=("knn",)).members == ("knn",)


def test_better_than_chance_on_labelled_data() -> None:
    """In-distribution rows rank above shifted ones, with labels and without."""
    rows, labels = classes(0, n=120)
    for given_labels in (None, labels):
        scorer = Ensemble().fit(rows[:80], None if given_labels is None else labels[:80])
        inside, outside = scorer.score_samples(rows[80:]), scorer.score_samples(rows[80:] + 20)
        assert np.mean(inside[:, None] > outside) > 0.9
