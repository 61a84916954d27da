"""What every scorer is: scikit-learn's estimator contract over one torch hook, with checks, chunks and devices."""

import copy
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import Tags
from sklearn.utils.validation import validate_data
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.allocation import keep_freed_memory
from oodkit.scorers.rows import as_tensor, check_finite, floating
from oodkit.scorers.saving import load_state, save_state
from oodkit.scorers.train import HOW_TO_GIVE, Head, Need, Train, make_train
from oodkit.scorers.unit_rows import check_unit_rows

__all__ = ["Head", "Need", "NotFitted", "Scorer", "Train"]


class NotFitted(InvalidInput, NotFittedError):  # type: ignore[misc]  # scikit-learn has no type hints
    """A scorer that was asked for scores before `fit`."""


class Scorer(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no type hints
    """Learns from in-distribution features and scores others; higher is more in-distribution.

    A method fills `_fit` and `_score` and may count on checked input; everything public is written here. Parameters
    belong in `__init__` alone, what is learned in attributes that end in `_`: tensors, arrays, numbers, text.
    A score depends on its own row only, never on the rows beside it, unless `inductive` says otherwise.

    Attributes
    ----------
    needs : frozenset of Need
        What `fit` must be given besides features (class attribute); with VIEWS, `view_names` says which.
    optional : frozenset of Need
        What `fit` uses where it is given (class attribute).
    differentiable : bool
        Whether gradients flow through the score (class attribute); where not, `score_tensor` refuses.
    wants_held_out : bool
        Whether `fit` should be given logits of rows that the head was not trained on (class attribute).
    inductive : bool
        Whether a score depends on its own row only (class attribute); where not, figures tell sets apart, not images.
    saveable : bool
        Whether what was learned is numbers and text alone (class attribute); where not, `save` refuses.
    chunk_bytes : int
        Rows are scored in chunks of about this many bytes, so memory does not grow with their number.
    notes_ : list of str
        What the user should know about this fit, one plain statement each; often empty.
    unit_features_ : bool
        Whether `fit` was given a head that stands for rows of length 1; others are refused then, in scoring too.
    head_weight_, head_bias_ : (C, D) and (C,) tensors
        The head whose logits are taken; only where a scorer of logits was fitted with one.
    """

    needs: ClassVar[frozenset[Need]] = frozenset()
    optional: ClassVar[frozenset[Need]] = frozenset()
    differentiable: ClassVar[bool] = True
    wants_held_out: ClassVar[bool] = False
    inductive: ClassVar[bool] = True
    saveable: ClassVar[bool] = True
    chunk_bytes: ClassVar[int] = 16 * 2**20

    notes_: list[str]
    n_features_in_: int
    unit_features_: bool = False
    head_weight_: Tensor
    head_bias_: Tensor

    @abstractmethod
    def _fit(self, train: Train) -> None:
        """Learn from checked data; set attributes that end in `_`, append to `notes_`."""

    @abstractmethod
    def _score(self, x: Tensor) -> Tensor:
        """Scores (B,) of finite features (B, D), float32 or float64 on the device of the learned tensors."""

    def view_names(self) -> tuple[str, ...]:
        """Names of the views of the fit images that `fit` takes as `views`, in this order; of a scorer with VIEWS."""
        return ()

    @property
    def wants_aux(self) -> bool:
        """Whether `fit` cannot do without an auxiliary set; may depend on the parameters."""
        return Need.AUX in self.needs

    def aux_view_names(self) -> tuple[str, ...]:
        """Names of the views of the auxiliary images that follow these in `aux`, in this order; often none."""
        return ()

    def fit(self, features: Any, y: Any = None, *, labels: Any = None, **needed: Any) -> Self:
        """Learn from in-distribution features; what an earlier fit learned is forgotten.

        Args:
            features: (N, D) real numbers: NumPy (any dtype or order, also memory-mapped), torch (any device) or
                anything with `__array__`. Where `needs` has LOGITS: logits (N, C), or features beside a `head`, whose
                logits are then taken, in scoring too.
            y: (N,) integer class labels; ignored by a scorer that does not use them.
            labels: the same by its own name; scikit-learn calls it `y`.
            **needed: `head`, `text`, `out_text`, `captions`, `negatives`, `views`, `aux`, as `Need` describes them;
                ignored if not used. `views` stand in the order of `view_names()`.

        Returns:
            The scorer itself.

        Raises:
            InvalidInput: wrong shape, NaN or infinity, or something in `needs` is missing; or rows of another length
                than 1 with a head that stands for such rows (`LinearHead.unit_features`).
            TooFewSamples: fewer rows than the method can work with.
        """
        if y is not None and labels is not None:
            raise InvalidInput("labels were given twice, as y and as labels; give them once")
        given = {Need.LABELS.value: labels if y is None else y, **needed}
        on_logits = Need.LOGITS in self.needs
        wanted = self.needs | self.optional | ({Need.HEAD} if on_logits else set())
        train = make_train(type(self).__name__, wanted, features, given)
        self._check_needs(train)
        self._forget()
        self._match_columns(features, train.features, reset=True)
        self.notes_ = []
        if train.unit_features:
            self.unit_features_ = True
        if on_logits and train.head is not None:
            self.head_weight_, self.head_bias_ = (part.clone() for part in train.head)
            train = replace(train, features=self._rows_of(train.features), mapped=False)
        try:
            with torch.inference_mode(False), torch.no_grad():
                self._fit(train)
        except BaseException:
            self._forget()
            raise
        return self

    def score_samples(self, features: Any) -> NDArray[np.float64]:
        """Scores of features; higher is more in-distribution.

        Args:
            features: (N, D) in any form that `fit` takes; N may be 0. Computed in float64 if they are float64, else in
                float32, on the device of what was learned.

        Returns:
            (N,) float64, finite.

        Raises:
            InvalidInput: wrong shape or width, NaN or infinity, or numbers so large that float64 overflows.
            NotFitted: `fit` was not called.
        """
        rows = self._check_rows(features)
        devices = {value.device for value in self._learned().values() if isinstance(value, Tensor)}
        with torch.no_grad():
            scores = self._score_rows(rows, devices.pop() if devices else rows.device)
        return scores.to(torch.float64).cpu().numpy()

    def score_tensor(self, features: Tensor) -> Tensor:
        """The same scores as a tensor that gradients flow through.

        Args:
            features: (N, D) tensor. What was learned is moved to its device for the call; `to` moves it for good.

        Returns:
            (N,) tensor on the device of `features`, float64 if they are float64, else float32.

        Raises:
            InvalidInput: not a tensor, a scorer that has no gradients, or as `score_samples`.
            NotFitted: `fit` was not called.
        """
        if not isinstance(features, Tensor):
            raise InvalidInput(f"score_tensor takes a tensor, got {type(features).__name__}; use score_samples")
        if not self.differentiable:
            raise InvalidInput(f"{type(self).__name__} has no gradients; use score_samples")
        self._check_rows(features)
        placed = copy.copy(self).to(features.device)
        return placed._score_rows(features, features.device).to(floating(features[:0]).dtype)

    def to(self, device: torch.device | str) -> Self:
        """Move what was learned to a device, for good; scores are then computed there."""
        for name, value in self._learned().items():
            if isinstance(value, Tensor):
                setattr(self, name, value.to(device))
        return self

    def save(self, folder: str | Path) -> None:
        """Write the fitted scorer to a folder, as JSON and safetensors; an interrupted write leaves the old one whole.

        Raises:
            NotFitted: there is nothing to save.
            InvalidInput: a parameter or learned value is neither array, number nor text.
        """
        if not self.saveable:
            name = type(self).__name__
            raise InvalidInput(f"{name} cannot be saved: it holds more than numbers and text; fit it again instead")
        self._check_fitted()
        save_state(Path(folder), _kind(type(self)), self._parameters(), self._state())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a scorer of this class that `save` wrote; its scores are bitwise those of the saved one.

        Raises:
            DataNotFound: no scorer was saved in the folder.
            InvalidInput: the folder holds another kind of scorer, or damaged files.
        """
        parameters, learned = load_state(Path(folder), _kind(cls))
        scorer = cls(**parameters)
        scorer._restore(learned)
        return scorer

    def __sklearn_tags__(self) -> Tags:
        """scikit-learn's tags: `fit` requires y where labels are needed."""
        tags: Tags = super().__sklearn_tags__()
        tags.target_tags.required = Need.LABELS in self.needs
        return tags

    def _check_needs(self, train: Train) -> None:
        name = type(self).__name__
        for need in sorted(self.needs - {Need.LOGITS}):
            if getattr(train, need) is None:
                y = "requires y to be passed, but the target y is None: it " if need is Need.LABELS else ""
                raise InvalidInput(f"{name} {y}needs {HOW_TO_GIVE[need]}")
        names = self.view_names()
        if train.views is not None and names and len(train.views) != len(names):
            raise InvalidInput(
                f"views must be those of view_names(), {', '.join(names)}: shape ({len(names)}, N, D), "
                f"got {tuple(train.views.shape)}"
            )
        shifted = self.aux_view_names()
        if train.aux is not None and len(train.aux) != 1 + len(shifted):
            order = ", ".join(("the images", *shifted))
            raise InvalidInput(f"aux must be ({1 + len(shifted)}, A, D): {order}; got {tuple(train.aux.shape)}")

    def _check_fitted(self) -> None:
        if not hasattr(self, "n_features_in_"):
            raise NotFitted(f"this {type(self).__name__} is not fitted yet; call fit(features) first")

    def _check_rows(self, features: Any) -> Tensor:
        self._check_fitted()
        rows = as_tensor(features, "features")
        if rows.shape[1] != self.n_features_in_:
            shape = tuple(rows.shape)
            raise InvalidInput(f"features must have shape (N, {self.n_features_in_}) as in fit, got {shape}")
        self._match_columns(features, rows, reset=False)
        check_finite(rows, "features")
        if self.unit_features_:
            check_unit_rows(rows, "features")
        return rows

    def _match_columns(self, features: Any, rows: Tensor, reset: bool) -> None:
        """Keep, or compare with, the width and a data frame's column names, as scikit-learn does."""
        validate_data(self, features if hasattr(features, "columns") else rows, reset=reset, skip_check_array=True)

    def _score_rows(self, rows: Tensor, device: torch.device) -> Tensor:
        per_chunk = max(1, self.chunk_bytes // (rows.shape[1] * floating(rows[:0]).element_size()))
        per_chunk = per_chunk if self.inductive else max(1, len(rows))
        # one tensor for all: small ones kept between the temporaries of the chunks would keep these from being reused
        scores = torch.empty(len(rows), dtype=torch.float64, device=device)
        keep_freed_memory()
        for start in range(0, len(rows), per_chunk):
            x = floating(rows[start : start + per_chunk]).to(device)
            scores[start : start + per_chunk] = self._score_finite(x.contiguous(), start)
        return scores

    def _score_finite(self, x: Tensor, start: int) -> Tensor:
        scores = self._score(self._rows_of(x))
        overflown = ~scores.isfinite()
        if bool(overflown.any()):
            again = self._score(self._rows_of(x[overflown].to(torch.float64)))
            if not bool(again.isfinite().all()):
                row = start + int(overflown.nonzero()[int((~again.isfinite()).nonzero()[0])])
                raise InvalidInput(f"features are too large to be scored: row {row} overflows float64; scale them down")
            scores = scores.to(torch.float64).index_put((overflown,), again)
        return scores

    def _rows_of(self, x: Tensor) -> Tensor:
        """What `_fit` and `_score` take of features: themselves, or their logits where `fit` was given their head."""
        if not hasattr(self, "head_weight_"):
            return x
        x = floating(x)
        return x @ self.head_weight_.T.to(x) + self.head_bias_.to(x)

    def _learned(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k.endswith("_") and not k.startswith("_")}

    def _parameters(self) -> dict[str, Any]:
        """What `save` writes of the parameters: plain values by name."""
        parameters: dict[str, Any] = self.get_params(deep=False)
        return parameters

    def _state(self) -> dict[str, Any]:
        """What `save` writes: tensors, arrays, numbers and text by name."""
        return self._learned()

    def _restore(self, state: dict[str, Any]) -> None:
        """Take over what `_state` gave."""
        self.__dict__.update(state)

    def _forget(self) -> None:
        for name in self._learned():
            delattr(self, name)


def _kind(scorer: type[Scorer]) -> str:
    return f"{scorer.__module__}:{scorer.__qualname__}"
