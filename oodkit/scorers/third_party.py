"""Outlier and density estimators of scikit-learn and PyOD as scorers."""

import inspect
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.third_party_classes import third_party_class

_PROBE = 8  # fit rows that are scored alone and beside others


class ThirdParty(Scorer):
    """What an outlier or density estimator of another package says of a row; any real number.

    For "sklearn:NAME" that is `score_samples` of the estimator, such as minus the local outlier factor or a log
    density; for "pyod:NAME" it is minus `decision_function`. Rows are given to it as float64, and those it is fitted on
    are held in memory. Its name in the registry makes one: `create("sklearn:LocalOutlierFactor", n_neighbors=20)`.

    `random_state` is 0 if the estimator has one and it is not given, and `novelty` is true, without which
    LocalOutlierFactor scores nothing but its fit rows. What the estimator warns of when it is fitted is in `notes_`. A
    density of 0, whose logarithm is minus infinity, is given as the lowest float64.

    Parameters
    ----------
    detector : str
        "sklearn:" or "pyod:" and the name of the class.
    params : mapping or None, default None
        Its parameters; None: its defaults.

    Attributes
    ----------
    estimator_ : object
        The fitted estimator.
    one_by_one_ : bool
        Whether rows are scored one at a time, since the estimator's score of a row depends on the rows beside it.

    Raises
    ------
    UnknownName
        The package has no such estimator.
    InvalidInput
        The estimator refuses its parameters or the features, or gives NaN; or it learns from labelled outliers.

    Notes
    -----
    There are no gradients. A fitted estimator of another package is an object that only pickle could write, so `save`
    refuses. Some detectors of PyOD, such as ECOD and COPOD, add the scored rows to the fit rows, so that scores depend
    on the batch; here each row is then scored by itself, which takes the time of a fit per row.
    """

    differentiable = False
    saveable = False

    estimator_: Any
    one_by_one_: bool

    def __init__(self, detector: str, params: Mapping[str, Any] | None = None) -> None:
        self.detector = detector
        self.params = params

    def _fit(self, train: Train) -> None:
        rows = np.array(train.features.to("cpu", torch.float64).numpy())  # a copy: estimators keep references
        with (
            self._in_one_line("be fitted"),
            _own_random_state(),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            self.estimator_ = third_party_class(self.detector)(**self._all_params()).fit(rows)
        said = dict.fromkeys(str(warning.message).strip().splitlines()[0] for warning in caught)
        self.notes_ += [f"{self.detector}: {line}" for line in said]
        self.one_by_one_ = self._depends_on_batch(rows)
        if self.one_by_one_:
            self.notes_.append(
                f"{self.detector}: a score depends on the rows beside it, so rows are scored one by one, slowly"
            )

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        rows = x.detach().to("cpu", torch.float64).numpy()
        parts = np.split(rows, len(rows)) if self.one_by_one_ else [rows]
        scores = np.concatenate([self._raw(part) for part in parts])
        if np.isnan(scores).any():
            raise InvalidInput(f"{self.detector} gives NaN as a score; other parameters or features may help")
        return torch.from_numpy(np.maximum(scores, np.finfo(np.float64).min)).to(x.device)

    def _all_params(self) -> dict[str, Any]:
        given = dict(self.params or {})
        known = inspect.signature(third_party_class(self.detector)).parameters
        if "random_state" in known:
            given.setdefault("random_state", 0)
        if "novelty" in known and given.setdefault("novelty", True) is not True:
            raise InvalidInput(
                f"{self.detector} with novelty={given['novelty']} scores its fit rows only; leave it out"
            )
        return given

    def _raw(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        with self._in_one_line("score"), _own_random_state(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.detector.startswith("sklearn:"):
                scores = self.estimator_.score_samples(rows)
            else:
                scores = -np.asarray(self.estimator_.decision_function(rows))
        return np.asarray(scores, dtype=np.float64).reshape(len(rows))

    def _depends_on_batch(self, rows: NDArray[np.float64]) -> bool:
        probe = rows[:_PROBE]
        alone = np.concatenate([self._raw(row) for row in np.split(probe, len(probe))])
        beside = self._raw(np.concatenate([probe, *[probe + shift * (1 + rows.std()) for shift in range(1, 9)]]))
        return not np.allclose(beside[: len(probe)], alone, rtol=1e-5, equal_nan=True)

    @contextmanager
    def _in_one_line(self, doing: str) -> Iterator[None]:
        try:
            yield
        except InvalidInput:
            raise
        except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
            what = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InvalidInput(f"{self.detector} cannot {doing}: {what}") from error


class ThirdPartyMaker:
    """Makes a `ThirdParty` of an estimator's own parameters; its signature is that of the estimator's class."""

    def __init__(self, detector: str) -> None:
        self.detector = detector
        self.__signature__ = inspect.signature(third_party_class(detector))

    def __call__(self, **params: Any) -> ThirdParty:
        """The scorer, not fitted."""
        return ThirdParty(self.detector, params or None)


def sklearn_detector(name: str) -> ThirdPartyMaker:
    """What makes the scorer "sklearn:NAME"."""
    return ThirdPartyMaker(f"sklearn:{name}")


def pyod_detector(name: str) -> ThirdPartyMaker:
    """What makes the scorer "pyod:NAME"."""
    return ThirdPartyMaker(f"pyod:{name}")


@contextmanager
def _own_random_state() -> Iterator[None]:
    """Global generators start from 0, and are then as they were: some detectors draw from them."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        np.random.seed(0)
        torch.manual_seed(0)
        try:
            yield
        finally:
            np.random.set_state(state)
