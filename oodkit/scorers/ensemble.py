"""Several scorers in one, each calibrated on held-out in-distribution rows."""

import copy
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear

from oodkit.errors import InvalidInput
from oodkit.scorers import create
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice, check_number, check_seed
from oodkit.scorers.holdout import held_out
from oodkit.scorers.parts import in_parts
from oodkit.scorers.saving import as_parameters

Combine = Literal["rank", "zscore", "fisher"]
ROUNDING = 1e-6  # scores that differ by this share of themselves are equal


class Ensemble(Scorer):
    """Combination of scorers on a common scale; in (0, 1) for ranks, below 0 for Fisher's, any number for z-scores.

    Members are fitted on a part of the fit rows. The n rows that were held out give member k the distribution of its
    scores within the distribution: with r the number of them that score below s, counting those equal to s half,

        F_k(s) = (r + 0.5) / (n + 1)

    which is never 0 or 1. Raw scores are never added: they have no common scale. The score of z is, over the members,

        combine "rank":    mean_k F_k(s_k(z))
        combine "fisher":  sum_k log F_k(s_k(z))
        combine "zscore":  mean_k (s_k(z) - m_k) / d_k,   m_k, d_k: mean and standard deviation when held out

    The first two stay as they are if the scores of a member go through a strictly increasing map. They cannot tell
    apart rows that every member scores below all held-out rows.

    Parameters
    ----------
    members : tuple of str, default ("knn", "mahalanobis")
        Registry names; members have their default parameters. The ensemble needs what any of them needs.
    combine : {"rank", "zscore", "fisher"}, default "rank"
        How scores are combined.
    holdout : float, default 0.2
        Share of the fit rows that is held out, in (0, 1); of each class where labels are given.
    seed : int, default 0
        Of the choice of these rows, which depends on what is in them and not on their order, and but for rows on the
        edge not on rounding.

    Attributes
    ----------
    members_ : list of Scorer
        The fitted members.
    calibration_ : (K, n) tensor
        Held-out scores of each member in ascending order, float64.
    weight_, bias_ : (C, D) and (C,) tensors, or None
        The head, where some members take logits and others features.

    Raises
    ------
    UnknownName
        A member is not registered.
    InvalidInput
        No members, parameters out of range, what a member refuses, or for z-scores a member whose held-out scores are
        all equal.
    TooFewSamples
        Too few rows to hold some out, or for a member to be fitted on the rest.

    Notes
    -----
    Where all members take logits, so does the ensemble. Where only some do, it takes features and a head, whose logits
    these members get. Only z-scores have gradients, and only if all members have. The rows that members are fitted on
    are copied into memory, also from a file. For ranks, scores that differ by less than a millionth of themselves count
    as equal, so that rounding does not decide where a row stands. An ensemble can be saved if each of its members can.

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
        members: tuple[str, ...] = ("knn", "mahalanobis"),
        combine: Combine = "rank",
        holdout: float = 0.2,
        seed: int = 0,
    ) -> None:
        self.members = members
        self.combine = combine
        self.holdout = holdout
        self.seed = seed

    @property
    def needs(self) -> frozenset[Need]:  # type: ignore[override]  # what an instance needs, its members decide
        """What any member needs; a head in place of logits where other members take features."""
        members = self._created()
        every = frozenset[Need]().union(*(member.needs for member in members))
        mixed = Need.LOGITS in every and not all(Need.LOGITS in member.needs for member in members)
        return every - {Need.LOGITS} | {Need.HEAD} if mixed else every

    @property
    def optional(self) -> frozenset[Need]:  # type: ignore[override]
        """What any member can use and none needs."""
        return frozenset[Need]().union(*(member.optional for member in self._created())) - self.needs

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        """Only z-scores, of members that all are."""
        return self.combine == "zscore" and all(member.differentiable for member in self._created())

    @property
    def saveable(self) -> bool:  # type: ignore[override]
        """Whether all members are."""
        return all(member.saveable for member in self._created())

    def view_names(self) -> tuple[str, ...]:
        """Views that any member takes, each once."""
        return tuple(dict.fromkeys(name for member in self._created() for name in member.view_names()))

    def aux_view_names(self) -> tuple[str, ...]:
        """Views of auxiliary images that any member takes, each once."""
        return tuple(dict.fromkeys(name for member in self._created() for name in member.aux_view_names()))

    def to(self, device: torch.device | str) -> Self:
        """Move what was learned, by members too, to a device for good."""
        if hasattr(self, "members_"):
            self.members_ = [copy.copy(member).to(device) for member in self.members_]
        return super().to(device)

    def _fit(self, train: Train) -> None:
        self._check_parameters()
        out = held_out(train.features, train.labels, self.holdout, self.seed)
        mixed = Need.LOGITS not in self.needs
        self.members_ = self._created()
        self.weight_ = self.bias_ = None
        if mixed and any(Need.LOGITS in member.needs for member in self.members_):
            assert train.head is not None
            self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()
        features, rest = train.features[out], train.features[~out]
        calibration = []
        for name, member in zip(self.members, self.members_, strict=True):
            given = {
                need.value: self._given(member, getattr(train, need), need, ~out)
                for need in (member.needs | member.optional) - {Need.LOGITS}
            }
            member.fit(self._input_of(member, rest), **given)
            calibration.append(np.sort(member.score_samples(self._input_of(member, features))))
            self.notes_ += [f"{name}: {note}" for note in member.notes_]
        self.calibration_ = torch.from_numpy(np.stack(calibration)).to(train.features.device)
        self._check_spread()

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
            raise InvalidInput(f"members must be a tuple of names of scorers, got {self.members!r}")
        return [create(name) for name in self.members]

    def _check_parameters(self) -> None:
        check_choice("combine", self.combine, Combine)
        check_number("holdout", self.holdout, "a share between 0 and 1", lambda share: 0 < share < 1)
        check_seed(self.seed)

    def _check_spread(self) -> None:
        for name, own in zip(self.members, self.calibration_, strict=True):
            if self.combine == "zscore" and not bool(own[0] < own[-1]):
                raise InvalidInput(
                    f"{name} gives all {len(own)} held-out rows the same score, so its z-score has no unit; "
                    "leave it out, raise holdout or use combine='rank'"
                )

    def _state(self) -> dict[str, Any]:
        state = {key: value for key, value in super()._state().items() if key != "members_"}
        state["member_parameters_"] = [member.get_params(deep=False) for member in self.members_]
        for place, member in enumerate(self.members_):
            state |= {f"{place}.{key}": value for key, value in member._state().items()}
        return state

    def _restore(self, state: dict[str, Any]) -> None:
        own = {key: value for key, value in state.items() if "." not in key}
        parameters = own.pop("member_parameters_")
        super()._restore(own)
        self.members_ = []
        for place, (name, given) in enumerate(zip(self.members, parameters, strict=True)):
            member = create(name, **as_parameters(given))
            prefix = f"{place}."
            member._restore({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
            self.members_.append(member)
