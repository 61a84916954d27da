"""What every scorer owes, one rule after the other."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, NotFitted, Scorer
from oodkit.testing.problem import Problem, make_problem

Scores = NDArray[np.float64]


def check_scorer(scorer: Scorer, *, problem: Problem | None = None, labels: bool = True) -> None:
    """Check a scorer against the whole contract, on a small problem, in about a second.

    Args:
        scorer: an instance with the parameters to check; it is cloned, never fitted itself.
        problem: data to check on; default: `make_problem` for the scorer's needs.
        labels: whether a scorer that can use labels but does not need them is given them.

    Raises:
        AssertionError: a rule is broken; the message names the rule and says what was found.
    """
    case = _Case(scorer, problem or _problem(scorer), labels)
    for rule in RULES:
        if rule in (_tensors, _gradients) and not scorer.differentiable:
            continue
        if rule in (_batches, _sign) and not scorer.inductive:  # what a batch has in common does not show
            continue
        try:
            rule(case)
        except Exception as error:
            found = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            raise AssertionError(f"{scorer!r} breaks a rule: {rule.__doc__}\n{found}") from error


def _problem(scorer: Scorer, seed: int = 0) -> Problem:
    return make_problem(scorer.needs | scorer.optional, seed, scorer.view_names(), scorer.aux_view_names())


@dataclass(frozen=True)
class _Case:
    scorer: Scorer
    problem: Problem
    labels: bool

    def fresh(self) -> Scorer:
        scorer: Scorer = clone(self.scorer)
        return scorer

    def fitted(self) -> Scorer:
        return self.fit(self.fresh(), self.problem)

    def fit(self, scorer: Scorer, problem: Problem, features: Any = None, labels: Any = None) -> Scorer:
        given: dict[str, Any] = dict(problem.needed)
        if self.labels or Need.LABELS in scorer.needs:
            given[Need.LABELS.value] = problem.labels if labels is None else labels
        return scorer.fit(problem.features.copy() if features is None else features, **given)

    @property
    def queries(self) -> NDArray[np.float32]:
        return np.concatenate([self.problem.inside, self.problem.outside])


def _same(found: Scores, expected: Scores, what: str, tolerance: float = 1e-5) -> None:
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def _identical(found: Scores, expected: Scores, what: str) -> None:
    assert np.array_equal(found, expected), f"{what}: scores differ by up to {np.abs(found - expected).max():.2g}"


def _refuses(call: Callable[[], object], of: type[Exception], words: tuple[str, ...], what: str) -> None:
    try:
        call()
    except of as error:
        text = str(error)
        missing = [word for word in words if word.lower() not in text.lower()]
        assert not missing, f"{what}: the message should contain {missing}, it is {text!r}"
        assert "\n" not in text, f"{what}: the message should be one line, it is {text!r}"
        return
    raise AssertionError(f"{what}: no {of.__name__} was raised")


def _sign(case: _Case) -> None:
    """Higher means more in-distribution."""
    scores = case.fitted().score_samples(case.queries)
    inside, outside = np.split(scores, [len(case.problem.inside)])
    share = float(np.mean(inside[:, None] > outside))
    assert share > 0.9, f"in-distribution rows score higher than far noise in only {100 * share:.0f} % of pairs"


def _form(case: _Case) -> None:
    """Scores are (N,) float64 NumPy, finite for every finite row, a zero row included."""
    scorer = case.fresh()
    assert case.fit(scorer, case.problem) is scorer, "fit must return the scorer itself"
    rows = np.concatenate([case.queries, np.zeros_like(case.queries[:1]), 1e15 * case.queries[:1]])
    scores = scorer.score_samples(rows)
    assert isinstance(scores, np.ndarray), f"scores are {type(scores).__name__}"
    assert scores.dtype == np.float64, f"scores have dtype {scores.dtype}"
    assert scores.shape == (len(rows),), f"scores have shape {scores.shape} for {len(rows)} rows"
    assert np.isfinite(scores).all(), f"scores of rows {np.flatnonzero(~np.isfinite(scores))} are not finite"
    assert scorer.score_samples(rows[:0]).shape == (0,), "no rows must give no scores"


def _batches(case: _Case) -> None:
    """A score depends on its own row only: not on order, batch size or chunks."""
    scorer, rows = case.fitted(), case.queries
    scores = scorer.score_samples(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    _same(scorer.score_samples(rows[order]), scores[order], "in another order")
    for size in (1, 7):
        parts = [scorer.score_samples(rows[i : i + size]) for i in range(0, len(rows), size)]
        _same(np.concatenate(parts), scores, f"in batches of {size}")
    _same(scorer.score_samples(np.concatenate([rows, 100 * rows]))[: len(rows)], scores, "beside far larger rows")
    scorer.chunk_bytes = 1  # type: ignore[misc]  # on this instance only
    _same(scorer.score_samples(rows), scores, "in chunks of one row")


def _tensors(case: _Case) -> None:
    """score_tensor gives the scores of score_samples, on the device and in the dtype of its input."""
    scorer, rows = case.fitted(), torch.from_numpy(case.queries)
    for dtype in (torch.float32, torch.float64):
        tensor = scorer.score_tensor(rows.to(dtype))
        assert tensor.dtype == dtype, f"{dtype} features gave {tensor.dtype} scores"
        assert tensor.device == rows.device, f"features on {rows.device} gave scores on {tensor.device}"
        _same(tensor.detach().numpy(), scorer.score_samples(rows.to(dtype)), f"{dtype}")
    scores = scorer.score_samples(rows.clone().requires_grad_(True))
    _same(scores, scorer.score_samples(rows), "score_samples of a tensor that requires gradients")


def _gradients(case: _Case) -> None:
    """Gradients of score_tensor agree with finite differences."""
    scorer = case.fitted()
    rows = torch.from_numpy(case.queries[[0, 1, -1]]).double().requires_grad_(True)
    assert scorer.score_tensor(rows).requires_grad, "scores of rows that require gradients have no graph"
    assert torch.autograd.gradcheck(scorer.score_tensor, (rows,)), "gradcheck failed"


def _parameters(case: _Case) -> None:
    """Fit leaves the parameters of `__init__` as they are, and clone gives the same scorer, not fitted."""
    scorer = case.fresh()
    before = dict(scorer.get_params())
    case.fit(scorer, case.problem)
    assert scorer.get_params() == before, f"fit changed the parameters from {before} to {scorer.get_params()}"
    copy: Scorer = clone(scorer)
    _refuses(lambda: copy.score_samples(case.queries), NotFitted, (), "a clone must not be fitted")
    found = case.fit(copy, case.problem).score_samples(case.queries)
    _same(found, scorer.score_samples(case.queries), "a clone fitted on the same")


def _copies(case: _Case) -> None:
    """A scorer that was pickled, or saved and loaded, gives bitwise the same scores; or `save` refuses."""
    scorer = case.fitted()
    scores = scorer.score_samples(case.queries)
    _identical(pickle.loads(pickle.dumps(scorer)).score_samples(case.queries), scores, "pickled")
    with TemporaryDirectory() as folder:
        if not scorer.saveable:
            _refuses(lambda: scorer.save(folder), InvalidInput, ("saved",), "saving what is not saveable")
            return
        scorer.save(folder)
        loaded = type(scorer).load(folder)
    assert loaded._parameters() == scorer._parameters(), "saved and loaded: other parameters"
    _identical(loaded.score_samples(case.queries), scores, "saved and loaded")


def _inputs(case: _Case) -> None:
    """Neither fit nor scoring changes what it is given, nor notices when that is changed afterwards."""
    features, labels, queries = case.problem.features.copy(), case.problem.labels.copy(), case.queries
    scorer = case.fit(case.fresh(), case.problem, features, labels)
    scores = scorer.score_samples(queries)
    assert np.array_equal(features, case.problem.features), "fit changed the features"
    assert np.array_equal(labels, case.problem.labels), "fit changed the labels"
    assert np.array_equal(queries, case.queries), "score_samples changed the features"
    features += 100
    _identical(scorer.score_samples(queries), scores, "after the fit features were changed")


def _refits(case: _Case) -> None:
    """A second fit forgets the first."""
    scores = case.fitted().score_samples(case.queries)
    other = _problem(case.scorer, seed=1)
    scorer = case.fit(case.fresh(), other)
    _same(case.fit(scorer, case.problem).score_samples(case.queries), scores, "fitted on other data before")


def _layouts(case: _Case) -> None:
    """NumPy and torch, any memory order and read-only arrays give the same scores; so does float64, nearly."""
    scores = case.fitted().score_samples(case.queries)
    layouts: dict[str, Callable[[NDArray[np.float32]], Any]] = {
        "Fortran order": np.asfortranarray,
        "every second column of a wider array": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        "every second row of a longer array": lambda a: np.repeat(a, 2, axis=0)[::2],
        "reversed strides": lambda a: a[::-1].copy()[::-1],
        "torch": lambda a: torch.from_numpy(a.copy()),
        "read-only": _read_only,
        "float64": lambda a: a.astype(np.float64),
    }
    for name, layout in layouts.items():
        scorer = case.fit(case.fresh(), case.problem, layout(case.problem.features))
        _same(scorer.score_samples(layout(case.queries)), scores, name, 1e-4 if name == "float64" else 1e-5)


def _read_only(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array = array.copy()
    array.setflags(write=False)
    return array


def _fit_order(case: _Case) -> None:
    """Neither the order of the fit rows nor the names of the classes matter."""
    problem = case.problem
    scores = case.fitted().score_samples(case.queries)
    order = np.random.default_rng(0).permutation(len(problem.features))
    if Need.VIEWS not in case.scorer.needs:
        scorer = case.fit(case.fresh(), problem, problem.features[order], problem.labels[order])
        _same(scorer.score_samples(case.queries), scores, "fit rows in another order", 1e-4)
    if not case.scorer.needs & {Need.HEAD, Need.TEXT, Need.LOGITS}:  # there, labels index the classes
        scorer = case.fit(case.fresh(), problem, labels=100 - 7 * problem.labels)
        _same(scorer.score_samples(case.queries), scores, "classes renamed", 1e-4)


def _errors(case: _Case) -> None:
    """What cannot be used is refused in one line that says what was found and where."""
    scorer, fitted, problem = case.fresh(), case.fitted(), case.problem
    width = problem.features.shape[1]
    _refuses(lambda: scorer.score_samples(case.queries), NotFitted, ("fit",), "scoring before fit")
    before_fit = (NotFitted, ("fit",)) if scorer.differentiable else (InvalidInput, ("score_samples",))
    _refuses(lambda: scorer.score_tensor(torch.ones(1, width)), *before_fit, "score_tensor before fit")
    for bad in (np.nan, np.inf, -np.inf):
        broken, broken_query = problem.features.copy(), case.queries
        broken[3, -1] = broken_query[3, -1] = bad
        _refuses(lambda b=broken: case.fit(scorer, problem, b), InvalidInput, ("row 3",), f"fit with {bad}")  # type: ignore[misc]
        _refuses(lambda q=broken_query: fitted.score_samples(q), InvalidInput, ("row 3",), f"scoring {bad}")  # type: ignore[misc]
    none = problem.features[:0]
    _refuses(lambda: case.fit(scorer, problem, none, problem.labels[:0]), InvalidInput, (), "fit on no rows")
    _refuses(lambda: case.fit(scorer, problem, problem.features[0]), InvalidInput, (), "fit on one axis")
    wider = np.ones((2, width + 1), dtype=np.float32)
    words = (str(width), str(width + 1))
    _refuses(lambda: fitted.score_samples(wider), InvalidInput, words, "rows of another width")
    for need in case.scorer.needs - {Need.LOGITS}:
        given = {**problem.needed, Need.LABELS.value: problem.labels}
        del given[need.value]
        words = (need.value, type(scorer).__name__)
        _refuses(lambda g=given: scorer.fit(problem.features, **g), InvalidInput, words, f"no {need.value}")  # type: ignore[misc]


def _global_state(case: _Case) -> None:
    """Nothing global changes: random generators, threads, default dtype."""

    def state() -> tuple[Any, ...]:
        numpy_state = np.random.get_state(legacy=True)
        drawn = (numpy_state[1].tobytes(), numpy_state[2])  # type: ignore[index]
        return (drawn, torch.get_rng_state().tolist(), torch.get_num_threads(), torch.get_default_dtype())

    before = state()
    case.fitted().score_samples(case.queries)
    assert state() == before, "random state, number of threads or default dtype is another than before"


RULES: tuple[Callable[[_Case], None], ...] = (
    _form,
    _sign,
    _batches,
    _tensors,
    _gradients,
    _parameters,
    _copies,
    _inputs,
    _refits,
    _layouts,
    _fit_order,
    _errors,
    _global_state,
)
