"""How well a method's own score tells an in-set's test images from those of out-sets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from oodkit.data import take
from oodkit.data.image_set import ImageSet
from oodkit.metrics import summarise
from oodkit.training.images import TrainingImages
from oodkit.training.pair_score import TRANSDUCTIVE_BATCH, PairScore
from oodkit.training.uniformity_score import UniformityScore


@dataclass(frozen=True)
class Judgement:
    """One figure.

    Attributes:
        out: name of the out-set.
        protocol: "inductive", each image by itself; "transductive", batches of one set; or "mixed batches", the same
            network with batches of both sets.
        auroc: a fraction.
        interval: its ends at 95 %.
        n_in, n_out: images of both sides.
    """

    out: str
    protocol: str
    auroc: float
    interval: tuple[float, float]
    n_in: int
    n_out: int


def judge_pairs(
    score: PairScore,
    test: ImageSet,
    outs: Mapping[str, ImageSet],
    transductive: bool,
    limit: int | None = None,
    seed: int = 0,
) -> tuple[Judgement, ...]:
    """The AUROC of each out-set.

    Args:
        score: trained.
        test: images of the in-set that it was not trained on.
        outs: by name.
        transductive: the score takes statistics of the batch: each out-set has a figure for batches of one set, as
            published, and one for mixed batches, which leave out what the batch says.
        limit: at most so many images of each set.
        seed: for the limit and the mixing.
    """
    own = score.pairs_of(_images(score, test, limit, seed))
    pure = TRANSDUCTIVE_BATCH if transductive else None
    in_scores = score.score(own, pure) if pure else score.score(own)
    found = []
    for name, images in outs.items():
        pairs = score.pairs_of(_images(score, images, limit, seed))
        out_scores = score.score(pairs, pure) if pure else score.score(pairs)
        found.append(_judgement(name, "transductive" if transductive else "inductive", in_scores, out_scores))
        if transductive:
            both = torch.cat([own, pairs])
            order = torch.randperm(len(both), generator=torch.Generator().manual_seed(seed))
            mixed = np.empty(len(both))
            mixed[order.numpy()] = score.score(both[order], TRANSDUCTIVE_BATCH)
            found.append(_judgement(name, "mixed batches", mixed[: len(own)], mixed[len(own) :]))
    return tuple(found)


def judge_uniformity(
    score: UniformityScore, test: ImageSet, outs: Mapping[str, ImageSet], limit: int | None = None, seed: int = 0
) -> tuple[Judgement, ...]:
    """The AUROC of each out-set; arguments as in `judge_pairs`."""
    in_scores = score.score(_images(score, test, limit, seed))
    return tuple(
        _judgement(name, "inductive", in_scores, score.score(_images(score, images, limit, seed)))
        for name, images in outs.items()
    )


def _images(score: PairScore | UniformityScore, images: ImageSet, limit: int | None, seed: int) -> TrainingImages:
    return TrainingImages(images if limit is None else take(images, limit, seed), score.preprocessing)


def _judgement(out: str, protocol: str, in_scores: np.ndarray, out_scores: np.ndarray) -> Judgement:
    metrics = summarise(in_scores, out_scores)
    return Judgement(out, protocol, metrics.auroc, metrics.auroc_ci, len(in_scores), len(out_scores))
