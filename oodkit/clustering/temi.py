"""TEMI: clusters of rows and their neighbours, by heads that learn from one another."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.checkpoints import Checkpoints, State, checkpoints_of, named, optimiser_tensors, restore_optimiser
from oodkit.clustering.own_neighbours import nearest_others
from oodkit.clustering.row_order import row_order
from oodkit.clustering.temi_gradient import student_step, teacher_step
from oodkit.clustering.temi_heads import Heads
from oodkit.clustering.temi_loss import Weighting, weights_of
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.progress import progress

BLOCK = 4096  # rows that are assigned at once
SHARE_MOMENTUM = 0.9
LEAST_VARIANCE = 1e-10  # of the largest, that is taken for rounding in float32

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class TemiClusters:
    """A partition into at most C clusters, and the head that assigns other rows to them.

    Attributes:
        assignments: (N,) int64 in 0 .. C - 1; a cluster may be empty.
        losses: (H,) mean training loss of each head in the last epoch, float64.
        head: the best head, that of the lowest training loss.
        neighbours: how many neighbours were used.
        location: (D,) float32 what is taken from each row.
        projection: (D, P) float32 what the row is then multiplied by.
        teacher: the best head's own network.
    """

    assignments: NDArray[np.int64]
    losses: NDArray[np.float64]
    head: int
    neighbours: int
    location: Tensor
    projection: Tensor
    teacher: Heads

    def probabilities(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """Probabilities of the clusters, (N, C), of features (N, D); of each row by itself."""
        return np.concatenate([self._log(part).exp().numpy() for part in _parts(features)])

    def predict(self, features: NDArray[np.floating]) -> NDArray[np.int64]:
        """Most probable cluster of each row, (N,), of features (N, D); of each row by itself."""
        return np.concatenate([self._log(part).argmax(dim=1).numpy() for part in _parts(features)])

    def _log(self, part: NDArray[np.floating]) -> Tensor:
        x = (torch.from_numpy(np.asarray(part, dtype=np.float32)) - self.location) @ self.projection
        with torch.no_grad():
            return self.teacher.log_probabilities(x)[0]


def temi(
    features: NDArray[np.floating],
    clusters: int,
    *,
    heads: int = 16,
    neighbours: int = 20,
    beta: float = 0.6,
    weighting: Weighting = "temi",
    epochs: int = 100,
    warm_up: int = 20,
    batch_size: int = 512,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-4,
    momentum: float = 0.996,
    components: int = 256,
    whitening: float = 0.0,
    precision: Precision = "fp32",
    seed: int = 0,
) -> TemiClusters:
    """Cluster rows so that a row and its nearest neighbours share a cluster and all clusters are used.

    Each of the heads, a small network with a softmax over the clusters, is trained on pairs of a row and one of its
    nearest neighbours, to raise the pairs' pointwise mutual information under itself and its own moving average, the
    teacher. A pair that the teachers of all heads hold for one of two clusters counts less. The teacher of the lowest
    training loss in the last epoch assigns the clusters; no label is ever used. The same arguments give the same
    clusters whatever the order of the rows; no global random state is read or changed. Within
    `oodkit.checkpoints.checkpoints_in`, a training that was killed goes on.

    Args:
        features: (N, D) finite float32 or float64, in memory; computed in float32.
        clusters: C, at least 2 and at most N.
        heads: H, number of heads.
        neighbours: nearest other rows by cosine that a pair is drawn from; all others where there are fewer.
        beta: exponent of the loss, above 0.5 and at most 1; smaller ones push towards clusters of equal size.
        weighting: of the pairs: "temi", "wpmi" (each head by its own teacher) or "pmi" (all alike).
        epochs: passes over the rows.
        warm_up: epochs in which the learning rate rises from 0; constant afterwards.
        batch_size: rows per step, about; each comes with a neighbour.
        learning_rate: of AdamW.
        weight_decay: of AdamW, not on biases and gains.
        momentum: of the teachers, per step.
        components: principal components of the features that the heads work on; all where there are fewer.
            Neighbours are those of the features as they are.
        whitening: power of its standard deviation that each component is divided by: 0 to leave the components as they
            are, 1 to give them equal variance. All are then scaled to a mean variance of 1.
        precision: "fp32", or "bf16" for the products of the training, several times faster on processors made for it.
        seed: of initial weights, order and pairs.

    Raises:
        InvalidInput: wrong shape, not finite, a setting out of range, or a loss that is no longer finite.
        TooFewSamples: more clusters than rows.

    Source: Adaloglou, Michels, Kalisch, Kollmann, BMVC 2023, arXiv 2303.17896.
    """
    settings: dict[str, Any] = {
        name: value for name, value in locals().items() if name not in ("features", "clusters", "settings")
    }
    _check_features(features, clusters)
    _check_settings(settings)
    order = row_order(features)
    rows = torch.from_numpy(np.ascontiguousarray(features[order], dtype=np.float32))
    checkpoints = checkpoints_of("temi", {"clusters": int(clusters), **settings}, rows)
    count = min(int(neighbours), len(rows) - 1)
    nearest = nearest_others(rows, count)
    location, projection = principal_components(rows, int(components), whitening)
    rows = torch.cat([(part - location) @ projection for part in torch.split(rows, BLOCK)])
    generator = torch.Generator().manual_seed(int(seed))
    trainer = Trainer(
        Heads.draw(int(heads), rows.shape[1], int(clusters), generator),
        beta=beta,
        weighting=weighting,
        weight_decay=weight_decay,
        momentum=momentum,
    )
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    losses = _train(trainer, rows.to(dtype), nearest, settings, generator, checkpoints)
    best = int(losses.argmin())
    teacher = trainer.teacher.one(best)
    assigned = torch.cat([teacher.log_probabilities(part)[0].argmax(dim=1) for part in torch.split(rows, BLOCK)])
    assignments = np.empty(len(rows), dtype=np.int64)
    assignments[order] = assigned.numpy()
    return TemiClusters(assignments, losses.numpy(), best, count, location, projection, teacher)


class Trainer:
    """Student and teacher heads with all that a training step changes.

    Attributes:
        student, teacher: heads; the teacher is the moving average of the student.
        share: (H, C) moving average of the clusters' shares by the teachers.
    """

    def __init__(
        self,
        heads: Heads,
        *,
        beta: float = 0.6,
        weighting: Weighting = "temi",
        weight_decay: float = 1e-4,
        momentum: float = 0.996,
    ) -> None:
        self.student, self.teacher = heads, heads.copy()
        self.beta, self.weighting, self.momentum = beta, weighting, momentum
        tensors = heads.tensors()
        count, _, clusters = heads.last.shape
        self.share = torch.full((count, clusters), 1 / clusters, device=heads.last.device)
        decayed = [tensors[name] for name in ("first", "second", "last")]
        others = [tensors[name] for name in ("first_bias", "second_bias", "gain")]
        groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=0.0, fused=True)

    def step(self, pairs: Tensor, learning_rate: float, hold_last: bool = False) -> Tensor:
        """One step on pairs (2, B, D), first rows and second rows; returns the loss of each head, (H,).

        Args:
            pairs: rows and one neighbour of each.
            learning_rate: of this step.
            hold_last: whether the last layer stays as it is.
        """
        with torch.no_grad():
            return self._step(pairs.flatten(0, 1), learning_rate, hold_last)

    def state(self, step: int, total: Tensor, generator: Tensor) -> State:
        """All that a training goes on from.

        Args:
            step: how many are done.
            total: (H,) mean losses of the epoch so far.
            generator: state of the generator before the epoch of the next step.
        """
        parts = {"student": self.student.tensors(), "teacher": self.teacher.tensors()}
        tensors = named("optimiser", optimiser_tensors(self.optimiser))
        for name, part in parts.items():
            tensors |= named(name, part)
        return State({"step": step}, {**tensors, "share": self.share, "total": total, "generator": generator})

    def restore(self, state: State) -> None:
        """Bring heads, shares and optimiser to where they were."""
        for name, heads in (("student", self.student), ("teacher", self.teacher)):
            for key, value in state.part(name).items():
                heads.tensors()[key].copy_(value)
        self.share.copy_(state.tensors["share"])
        restore_optimiser(self.optimiser, state.part("optimiser"))

    def _step(self, rows: Tensor, learning_rate: float, hold_last: bool) -> Tensor:
        taught = teacher_step(self.teacher, rows)
        self.share.lerp_(taught.shares, 1 - SHARE_MOMENTUM)
        weights = weights_of(taught.agreements, self.weighting)
        log_share = self.share.log()
        losses, slopes = student_step(self.student, rows, taught.log_probabilities, weights, log_share, self.beta)
        if not bool(losses.isfinite().all()):
            return losses
        learning = self.student.tensors()
        for name, tensor in learning.items():
            tensor.grad = None if hold_last and name in ("last", "gain") else slopes[name]
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.step()
        torch._foreach_lerp_(list(self.teacher.tensors().values()), list(learning.values()), 1 - self.momentum)
        return losses


def learning_rate_at(step: int, warm: int, peak: float) -> float:
    """Linear up to the peak, which step `warm` has and all after it; steps count from 0."""
    return peak * min(1.0, (step + 1) / (warm + 1))


def principal_components(rows: Tensor, components: int, whitening: float) -> tuple[Tensor, Tensor]:
    """Mean (D,) of rows, and the projection (D, P) onto the components of largest variance, scaled as `temi` says.

    Components without variance are left out, unless that leaves none.

    Args:
        rows: (N, D) float32.
        components: P at most.
        whitening: power of its standard deviation that each component is divided by.
    """
    mean = rows.mean(dim=0, dtype=torch.float64)
    covariance = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64)
    for part in torch.split(rows, BLOCK):
        centred = part.double() - mean
        covariance.addmm_(centred.T, centred, alpha=1 / len(rows))
    variances, directions = torch.linalg.eigh(covariance)
    kept = variances.flip(0)[:components].clamp_min(0)
    kept = kept[: max(1, int((kept > LEAST_VARIANCE * kept[0]).sum()))]
    directions = directions.flip(1)[:, : len(kept)]
    if float(kept[0]) == 0:
        return mean.float(), directions.float()
    # an eigenvector's sign is arbitrary: fix it, so that runs on other machines start alike
    directions = directions * directions.gather(0, directions.abs().argmax(dim=0, keepdim=True)).sign()
    scales = kept ** (-whitening / 2)
    return mean.float(), (directions * (scales / (kept * scales.square()).mean().sqrt())).float()


def _train(
    trainer: Trainer,
    rows: Tensor,
    nearest: Tensor,
    settings: Mapping[str, Any],
    generator: torch.Generator,
    checkpoints: Checkpoints,
) -> Tensor:
    """Train all heads; their mean losses of the last epoch, (H,) float64."""
    epochs, batches = int(settings["epochs"]), math.ceil(len(rows) / int(settings["batch_size"]))
    warm = int(settings["warm_up"]) * batches
    total = torch.zeros(len(trainer.share), dtype=torch.float64)
    step = 0
    if start := checkpoints.last(trainer.state(0, total, generator.get_state())):
        step, total = start.words["step"], start.tensors["total"]
        generator.set_state(start.tensors["generator"])  # as it was before the epoch
        trainer.restore(start)
    with progress("training TEMI", epochs * batches, unit="steps") as advance:
        advance(step)
        for epoch in range(step // batches, epochs):
            drawn = generator.get_state()
            shuffled = torch.randperm(len(rows), generator=generator)
            picked = torch.randint(nearest.shape[1], (len(rows),), generator=generator)
            for batch in torch.tensor_split(shuffled, batches)[step % batches :]:
                if step % batches == 0:
                    total = torch.zeros_like(total)
                pairs = torch.stack([rows[batch], rows[nearest[batch, picked[batch]]]])
                rate = learning_rate_at(step, warm, settings["learning_rate"])
                losses = trainer.step(pairs, rate, hold_last=epoch == 0)
                if not bool(losses.isfinite().all()):
                    made = ", ".join(f"{name}={value}" for name, value in settings.items())
                    raise InvalidInput(
                        f"the loss is no longer finite at step {step + 1} of {epochs * batches} "
                        f"with {made}; lower learning_rate, or scale the features down"
                    )
                total += len(batch) / len(rows) * losses
                step += 1
                advance()
                before = generator.get_state() if step % batches == 0 else drawn
                checkpoints.offer(partial(trainer.state, step, total, before))
    return total


def _parts(features: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    return [features[start : start + BLOCK] for start in range(0, max(1, len(features)), BLOCK)]


def _check_features(features: NDArray[np.floating], clusters: int) -> None:
    if features.ndim != 2 or 0 in features.shape or not np.isfinite(features).all():
        raise InvalidInput(f"features to cluster must be finite numbers of shape (N, D), got {features.shape}")
    if clusters != int(clusters) or clusters < 2:
        raise InvalidInput(f"clusters must be an integer of at least 2, got {clusters}")
    if clusters > len(features):
        found = f"got {len(features)} sample(s)"
        raise TooFewSamples(f"clusters={clusters} needs at least {clusters} fit samples, {found}; lower clusters")


def _check_settings(settings: Mapping[str, Any]) -> None:
    whole = {"heads": 1, "neighbours": 1, "components": 1, "epochs": 1, "warm_up": 0, "batch_size": 1, "seed": 0}
    for name, least in whole.items():
        value = settings[name]
        if not _is_number(value) or value != int(value) or value < least:
            raise InvalidInput(f"{name} must be an integer of at least {least}, got {value!r}")
    for name, words in {"weighting": get_args(Weighting), "precision": get_args(Precision)}.items():
        if settings[name] not in words:
            raise InvalidInput(f"{name} must be one of {', '.join(map(repr, words))}, got {settings[name]!r}")
    ranges: dict[str, tuple[str, Callable[[float], bool]]] = {
        "beta": ("above 0.5 and at most 1 (at 0.5 the uniform answer is already best)", lambda x: 0.5 < x <= 1),
        "whitening": ("from 0 to 1", lambda x: 0 <= x <= 1),
        "learning_rate": ("a positive number", lambda x: x > 0),
        "weight_decay": ("a number of at least 0", lambda x: x >= 0),
        "momentum": ("at least 0 and below 1", lambda x: 0 <= x < 1),
    }
    for name, (what, allowed) in ranges.items():
        if not _is_number(settings[name]) or not allowed(settings[name]):
            raise InvalidInput(f"{name} must be {what}, got {settings[name]!r}")


def _is_number(value: Any) -> bool:
    return type(value) is not bool and isinstance(value, Real) and math.isfinite(value)
