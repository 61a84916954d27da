"""Which shifting transformation makes good negatives: chosen on in-distribution images alone."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone, load_backbone
from oodkit.data import load_fit_and_test, take
from oodkit.embedding import embed
from oodkit.embedding.store import training_checkpoints
from oodkit.errors import InvalidInput
from oodkit.evaluation.versions import library_versions
from oodkit.evaluation.view_supply import of_same
from oodkit.heads import fit_probe
from oodkit.metrics import Sensitivity, auroc, sensitivity_proxy
from oodkit.progress import progress
from oodkit.scorers import create
from oodkit.scorers.shifts import shift_names, shift_views
from oodkit.views import IDENTITY

CANDIDATES = ("rotate", "rotate_any", "patches2", "patches4", "pixels")
LEAST_AUROC = 0.6  # of a probe that tells images from shifted ones; below, the backbone does not see the shift
_PROBE_ROWS, _PROBE_EPOCHS = 4000, 20
_SET_BY_US = ("shift", "negatives", "seed")


@dataclass(frozen=True)
class Candidate:
    """What was found of one transformation.

    Attributes:
        shift: its name.
        probe_auroc: of a linear probe that tells held-out images from their shifted views; larger is more visible.
        proxy: sensitivity proxy of a scorer with these negatives, over the transformations that it did not see; None
            where the backbone hardly sees the shift, so that nothing was trained.
        by_shift: the proxy for each of those transformations alone.
        seconds: time to fit.
    """

    shift: str
    probe_auroc: float
    proxy: Sensitivity | None
    by_shift: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class SensitivityReport:
    """What `sensitivity` found.

    Attributes:
        in_: name of the data set.
        backbone: full name of the backbone.
        candidates: the most sensitive first; those that were dropped last.
        n_fit, n_held_out: number of images.
        params: parameters of the scorer that are not its defaults.
        settings: image size, precision, limit, seed and versions.
        notes: what the user should know.
    """

    in_: str
    backbone: str
    candidates: tuple[Candidate, ...]
    n_fit: int
    n_held_out: int
    params: dict[str, Any]
    settings: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def chosen(self) -> str | None:
        """The transformation of the largest proxy; None where all were dropped."""
        first = self.candidates[0]
        return None if first.proxy is None else first.shift

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        found = [
            {**vars(candidate), "proxy": candidate.proxy._asdict() if candidate.proxy else None}
            for candidate in self.candidates
        ]
        rest = {name: value for name, value in vars(self).items() if name not in ("in_", "candidates")}
        return {"in": self.in_, "chosen": self.chosen, "candidates": found, **rest}


def sensitivity(
    in_: str,
    *,
    shifts: Sequence[str] = CANDIDATES,
    params: Mapping[str, Any] | None = None,
    held_out: float = 0.2,
    backbone: Backbone | str = "efficientnet_lite0",
    limit: int | None = None,
    seed: int = 0,
    data_root: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    skip_unreadable: bool = False,
) -> SensitivityReport:
    """Rank shifting transformations as negatives of `selfdistill`, without OOD images.

    A share of the train images is held out. For each transformation, a linear probe first says whether the backbone
    sees it at all: below an AUROC of 0.6, it is dropped. Then `selfdistill` is trained with it on the other train
    images, and the sensitivity proxy says how far its scores of held-out images fall when these are shifted by each of
    the other transformations. No labels are used, and neither test images nor other sets.

    Args:
        in_: name of the data set; one with a single split is halved by the seed.
        shifts: transformations to compare, at least two that differ; names as `selfdistill` takes them.
        params: parameters of `selfdistill`.
        held_out: share of the train images.
        backbone: a backbone, or a name for `load_backbone`.
        limit: use at most this many train images, drawn by the seed.
        seed: of the scorers, of what is held out, and for halving and limiting.
        data_root: folder of data sets; None for the usual one.
        cache: folder of the embedding store; None for the usual one.
        skip_unreadable: leave out images that cannot be read instead of stopping.

    Raises:
        OodkitError: a name is unknown, a setting is out of range, there are too few images, or data are missing.
    """
    given = dict(params or {})
    _check(shifts, given, held_out)
    halves = load_fit_and_test(in_, data_root=data_root, seed=seed)
    images = halves.fit if limit is None else take(halves.fit, limit, seed)
    if isinstance(backbone, str):
        backbone = load_backbone(backbone)
    scorers = {shift: create("selfdistill", **given, shift=shift, negatives="own", seed=seed) for shift in shifts}
    names = {name for scorer in scorers.values() for name in scorer.view_names()}
    probes = {shift: shift_views(shift, 1)[0] for shift in shifts}
    embedded = {
        name: embed(images, backbone, view=name, cache=cache, skip_unreadable=skip_unreadable)
        for name in (IDENTITY, *sorted(names | set(probes.values())))
    }
    clean = embedded.pop(IDENTITY)
    views = {name: np.asarray(of_same(clean, part).features) for name, part in embedded.items()}
    order = np.random.default_rng(seed).permutation(len(clean))
    count = round(held_out * len(order))
    if count < 2 or len(order) - count < 2:
        raise InvalidInput(f"held_out={held_out} of {len(order)} images leaves fewer than two on one side")
    out, rest = np.sort(order[:count]), np.sort(order[count:])
    rows = np.asarray(clean.features)
    found = []
    label = "comparing transformations"
    with training_checkpoints(cache), progress(label, len(scorers), unit="transformations") as advance:
        for shift, scorer in scorers.items():
            seen = _probe_auroc(rows, views[probes[shift]], rest, out, seed)
            proxy, by_shift, seconds = None, {}, 0.0
            if seen >= LEAST_AUROC:
                started = time.perf_counter()
                scorer.fit(rows[rest], views=np.stack([views[name][rest] for name in scorer.view_names()]))
                seconds = time.perf_counter() - started
                others = {name: view for name, view in probes.items() if view not in scorer.view_names()}
                scores = scorer.score_samples(rows[out])
                moved = {name: scorer.score_samples(views[view][out]) for name, view in others.items()}
                proxy = sensitivity_proxy(scores, np.stack(list(moved.values())), seed=seed)
                by_shift = {name: sensitivity_proxy(scores, row, 1).value for name, row in moved.items()}
            found.append(Candidate(shift, seen, proxy, by_shift, round(seconds, 3)))
            advance()
    notes = [halves.note] if halves.note else []
    notes += [f"{len(clean.skipped)} unreadable images left out"] if clean.skipped else []
    notes += [
        f"{one.shift} is dropped: a linear probe tells shifted images with an AUROC of {100 * one.probe_auroc:.1f} % "
        f"only, below {100 * LEAST_AUROC:.0f}"
        for one in found
        if one.proxy is None
    ]
    return SensitivityReport(
        in_=in_,
        backbone=backbone.name,
        candidates=tuple(
            sorted(found, key=lambda one: -np.inf if one.proxy is None else one.proxy.value, reverse=True)
        ),
        n_fit=len(rest),
        n_held_out=len(out),
        params=given,
        settings={
            "image_size": backbone.image_size,
            "precision": backbone.numerics,
            "limit": limit,
            "seed": seed,
            "versions": library_versions(),
        },
        notes=tuple(notes),
    )


def _check(shifts: Sequence[str], given: Mapping[str, Any], held_out: float) -> None:
    for name in shifts:
        shift_names(name)
    for name in shifts:
        others = [other for other in shifts if shift_views(other, 1)[0] not in shift_views(name, 1)]
        if not others:
            raise InvalidInput(
                f"{name} has no other transformation to be judged by among {', '.join(shifts)}; give two that differ"
            )
    for name in _SET_BY_US:
        if name in given:
            raise InvalidInput(f"{name} is no parameter to give here: the comparison sets it")
    if not 0 < held_out < 1:
        raise InvalidInput(f"held_out must be a share between 0 and 1, got {held_out}")


def _probe_auroc(
    rows: NDArray[Any], shifted: NDArray[Any], rest: NDArray[np.int64], out: NDArray[np.int64], seed: int
) -> float:
    """How well a linear probe tells images from their shifted views, on held-out images."""
    few = rest[:: max(1, len(rest) // _PROBE_ROWS)]
    features = np.concatenate([rows[few], shifted[few]])
    labels = np.repeat([0, 1], len(few))
    probe = fit_probe(features, labels, classes=2, epochs=_PROBE_EPOCHS, seed=seed)
    logits = [np.asarray(probe.logits(np.asarray(part[out]))) for part in (rows, shifted)]
    clean, moved = (part[:, 0] - part[:, 1] for part in logits)
    return auroc(clean, moved)
