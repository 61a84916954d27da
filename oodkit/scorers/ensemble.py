"""Several scorers in one, each calibrated on held-out in-distribution rows."""

import copy
from typing import Any, Literal, Self

import numpy as np
import torch
from sklearn.base import clone
from torch import Tensor
from torch.nn.functional import linear

from oodkit.errors import InvalidInput
from oodkit.scorers import create
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice, check_flag, check_number, check_seed
from oodkit.scorers.holdout import held_out
from oodkit.scorers.members import Member, described, made_again, name_of
from oodkit.scorers.parts import in_parts

Combine = Literal["rank", "zscore", "fisher"]
ROUNDING = 1e-6  # scores that differ by this share of themselves are equal


class Ensemble(Scorer):
    """Combination of scorers on a common scale; in (0, 1) for ranks, below 0 for Fisher's, any number for z-scores.

    Members are fitted on a part of the fit rows, or were fitted before (`prefit`). The n rows that were held out
    give member k the distribution of its scores within the distribution: with r the number of them that score below
    s, counting those equal to s half,

        F_k(s) = (r + 0.5) / (n + 1)

    which is never 0 or 1. Raw scores are never added: they have no common scale. The score of z is, over the members,

        combine "rank":    mean_k F_k(s_k(z))
        combine "fisher":  sum_k log F_k(s_k(z))
        combine "zscore":  mean_k (s_k(z) - m_k) / d_k,   m_k, d_k: mean and standard deviation when held out

    The first two stay as they are if the scores of a member go through a strictly increasing map. They cannot tell
    apart rows that every member scores below all held-out rows.

    Parameters
    ----------
    members : tuple of str or Scorer, default ("knn", "mahalanobis")
        Registry names, which stand for default parameters, and scorers, of which clones are fitted. The ensemble needs
        what any of them needs.
    combine : {"rank", "zscore", "fisher"}, default "rank"
        How scores are combined.
    holdout : float, default 0.2
        Share of the fit rows that is held out, in (0, 1); of each class where labels are given.
    seed : int, default 0
        Of the choice of these rows, which depends on what is in them and not on their order, and but for rows on the
        edge not on rounding.
    prefit : bool, default False
        Whether members that are scorers were fitted before and stay as they are; only names are fitted then. Where all
        were, every row given to `fit` calibrates, so these should be in-distribution rows that no member was fitted on,
        and `fit` needs features alone, with a head where only some members take logits.

    Attributes
    ----------
    members_ : list of Scorer
        The fitted members; with `prefit` also copies of those that were fitted before.
    calibration_ : (K, n) tensor
        Held-out scores of each member in ascending order, float64.
    weight_, bias_ : (C, D) and (C,) tensors, or None
        The head, where some members take logits and others features.

    Raises
    ------
    UnknownName
        A name of a member is not registered.
    NotFitted
        With `prefit`, a member that is a scorer was not fitted.
    InvalidInput
        No members, parameters out of range, what a member refuses, or for z-scores a member whose held-out scores are
        all equal.
    TooFewSamples
        Too few rows to hold some out, or for a member to be fitted on the rest.

    Notes
    -----
    Where all members take logits, so does the ensemble. Where only some do, it takes features and a head, whose
    logits these members get. Only z-scores have gradients, and only if all members have. The rows that members are
    fitted on are copied into memory, also from a file. For ranks, scores that differ by less than a millionth of
    themselves count as equal, so that rounding does not decide where a row stands. An ensemble can be saved if each
    of its members can and is registered; read again, it has members of its own. A clone of an ensemble with
    `prefit` shares the fitted members.

    References
    ----------
    R. A. Fisher: Statistical Methods for Research Workers. 1932 (the sum of logarithms). The smoothed ranks are those
    of a split conformal calibration.
    """

    members_: list[Scorer]
    calibration_: Tensor
    weight_: Tensor | None
    bias_: Tensor | None

    def __init__(
        self,
        members: tuple[Member, ...] = ("knn", "mahalanobis"),
        combine: Combine = "rank",
        holdout: float = 0.2,
        seed: int = 0,
        prefit: bool = False,
    ) -> None:
        self.members = members
        self.combine = combine
        self.holdout = holdout
        self.seed = seed
        self.prefit = prefit

    @property
    def needs(self) -> frozenset[Need]:  # type: ignore[override]  # what an instance needs, its members decide
        """What any member needs; a head in place of logits where other members take features."""
        take_logits = [Need.LOGITS in member.needs for member in self._created()]
        others = frozenset[Need]().union(*(member.needs for member in self._to_fit())) - {Need.LOGITS}
        if not any(take_logits):
            return others
        return others | {Need.LOGITS if all(take_logits) else Need.HEAD}

    @property
    def optional(self) -> frozenset[Need]:  # type: ignore[override]
        """What any member can use and none needs."""
        return frozenset[Need]().union(*(member.optional for member in self._to_fit())) - self.needs

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        """Only z-scores, of members that all are."""
        return self.combine == "zscore" and all(member.differentiable for member in self._created())

    @property
    def inductive(self) -> bool:  # type: ignore[override]
        """Whether all members are."""
        return all(member.inductive for member in self._created())

    @property
    def saveable(self) -> bool:  # type: ignore[override]
        """Whether all members are."""
        return all(member.saveable for member in self._created())

    def view_names(self) -> tuple[str, ...]:
        """Views that any member takes, each once."""
        return tuple(dict.fromkeys(name for member in self._to_fit() for name in member.view_names()))

    def aux_view_names(self) -> tuple[str, ...]:
        """Views of auxiliary images that any member takes, each once."""
        return tuple(dict.fromkeys(name for member in self._to_fit() for name in member.aux_view_names()))

    def __sklearn_clone__(self) -> Self:
        """A copy that is not fitted; members that were fitted before stay so."""
        if self.prefit:
            return type(self)(**self.get_params(deep=False))
        copied: Self = super().__sklearn_clone__()
        return copied

    def to(self, device: torch.device | str) -> Self:
        """Move what was learned, by members too, to a device for good."""
        if hasattr(self, "members_"):
            self.members_ = [copy.copy(member).to(device) for member in self.members_]
        return super().to(device)

    def _fit(self, train: Train) -> None:
        self._check_parameters()
        mixed = Need.LOGITS not in self.needs
        self.members_ = self._created()
        self.weight_ = self.bias_ = None
        if mixed and any(Need.LOGITS in member.needs for member in self.members_):
            assert train.head is not None
            self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()
        features = self._fit_members(train) if self._to_fit() else train.features
        calibration = []
        for member, fitted in zip(self.members, self.members_, strict=True):
            calibration.append(np.sort(fitted.score_samples(self._input_of(fitted, features))))
            self.notes_ += [f"{name_of(member)}: {note}" for note in fitted.notes_]
        self.calibration_ = torch.from_numpy(np.stack(calibration)).to(train.features.device)
        self._check_spread()

    def _fit_members(self, train: Train) -> Tensor:
        """Fit members that were not before on a part of the rows; the rest."""
        out = held_out(train.features, train.labels, self.holdout, self.seed)
        for spec, member in zip(self.members, self.members_, strict=True):
            if self._stays(spec):
                continue
            given = {
                need.value: self._given(member, getattr(train, need), need, ~out)
                for need in (member.needs | member.optional) - {Need.LOGITS}
            }
            member.fit(self._input_of(member, train.features[~out]), **given)
        return train.features[out]

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        combined = [
            self._on_scale(self._member_scores(member, x), own)
            for member, own in zip(self.members_, self.calibration_, strict=True)
        ]
        total = torch.stack(combined).sum(dim=0)
        return total if self.combine == "fisher" else total / len(combined)

    def _on_scale(self, scores: Tensor, own: Tensor) -> Tensor:
        """Scores (B,) of a member, by its held-out scores (n,)."""
        if self.combine == "zscore":
            return (scores - own.mean()) / own.std(correction=0)
        margin = ROUNDING * scores.abs()
        below = torch.searchsorted(own, scores - margin)
        up_to = torch.searchsorted(own, scores + margin, right=True)
        share = ((below + up_to).to(torch.float64) / 2 + 0.5) / (len(own) + 1)
        return share if self.combine == "rank" else share.log()

    def _member_scores(self, member: Scorer, x: Tensor) -> Tensor:
        def scores(part: Tensor) -> Tensor:
            rows = self._input_of(member, part)
            if self.differentiable:
                return member.score_tensor(rows).to(torch.float64)
            return torch.from_numpy(member.score_samples(rows)).to(x.device)

        return scores(x) if self.weight_ is None else in_parts(scores, x, len(self.weight_))

    def _input_of(self, member: Scorer, features: Tensor) -> Tensor:
        """What a member takes: the features, or their logits."""
        if self.weight_ is None or self.bias_ is None or Need.LOGITS not in member.needs:
            return features
        dtype = torch.float64 if features.dtype == torch.float64 else torch.float32
        return linear(features.to(dtype), self.weight_.to(dtype), self.bias_.to(dtype))

    def _given(self, member: Scorer, value: Any, need: Need, rows: Tensor) -> Any:
        """What a member is given: the rows' part of what is given per row, of views those that it names, else all."""
        if value is None:
            return None
        if need is Need.VIEWS:
            every = self.view_names()
            return value[[every.index(name) for name in member.view_names()]][:, rows] if every else value[:, rows]
        if need is Need.AUX:
            every = self.aux_view_names()
            return value[[0, *(1 + every.index(name) for name in member.aux_view_names())]]
        return value[rows] if need is Need.LABELS else value

    def _created(self) -> list[Scorer]:
        if not isinstance(self.members, tuple | list) or not self.members:
            raise InvalidInput(f"members must be a tuple of names of scorers, or of scorers, got {self.members!r}")
        return [self._member(member) for member in self.members]

    def _member(self, member: Member) -> Scorer:
        """A scorer to be fitted; with `prefit` a copy of a fitted one, which fitting that again does not reach."""
        if not isinstance(member, str | Scorer):
            raise InvalidInput(f"members must be names of scorers, or scorers, but one is {type(member).__name__}")
        if isinstance(member, str):
            return create(member)
        if self._stays(member):
            member._check_fitted()
            return copy.copy(member)
        cloned: Scorer = clone(member)
        return cloned

    def _stays(self, member: Member) -> bool:
        """Whether a member was fitted before."""
        return bool(self.prefit) and not isinstance(member, str)

    def _to_fit(self) -> list[Scorer]:
        """Members that `fit` fits."""
        made = zip(self.members, self._created(), strict=True)
        return [scorer for member, scorer in made if not self._stays(member)]

    def _check_parameters(self) -> None:
        check_choice("combine", self.combine, Combine)
        check_number("holdout", self.holdout, "a share between 0 and 1", lambda share: 0 < share < 1)
        check_seed(self.seed)
        check_flag("prefit", self.prefit)

    def _check_spread(self) -> None:
        for member, own in zip(self.members, self.calibration_, strict=True):
            if self.combine == "zscore" and not bool(own[0] < own[-1]):
                raise InvalidInput(
                    f"{name_of(member)} gives all {len(own)} held-out rows the same score, so its z-score has no unit; "
                    "leave it out, hold out more rows or use combine='rank'"
                )

    def _parameters(self) -> dict[str, Any]:
        return {**super()._parameters(), "members": [described(member) for member in self.members]}

    def _state(self) -> dict[str, Any]:
        state = {key: value for key, value in super()._state().items() if key != "members_"}
        state["described_members_"] = [described(member) for member in self.members_]
        for place, member in enumerate(self.members_):
            state |= {f"{place}.{key}": value for key, value in member._state().items()}
        return state

    def _restore(self, state: dict[str, Any]) -> None:
        own = {key: value for key, value in state.items() if "." not in key}
        self.members_ = [made_again(description) for description in own.pop("described_members_")]
        super()._restore(own)
        for place, member in enumerate(self.members_):
            prefix = f"{place}."
            member._restore({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
        given = [made_again(member) for member in self.members]
        pairs = zip(given, self.members_, strict=True)
        self.members = tuple(fitted if self._stays(member) else member for member, fitted in pairs)
