"""One cell of a benchmark: what ran, what came out, or why nothing did."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reported:
    """A figure that somebody published for a cell.

    Attributes:
        value: AUROC as a fraction.
        source: who reported it, and where.
        protocol: how it was measured, as far as that is known.
        certainty: "sighted" in the publication, "derived" from what was sighted there, "exercise" of its authors'
            group, or "leaderboard" of a benchmark.
        scorer: registry name of the scorer; None where it is known only that a method of the protocol was used.
        backbone: name of the backbone that it was measured with, as far as that is known.
    """

    value: float
    source: str
    protocol: str
    certainty: str
    scorer: str | None = None
    backbone: str | None = None


@dataclass(frozen=True)
class Expected:
    """The figure that a cell must reproduce: an AUROC as a fraction, and how far it may be off."""

    value: float
    tolerance: float


@dataclass(frozen=True)
class Record:
    """What a cell gave. All metrics are fractions, not per cent, and None where the cell failed.

    Attributes:
        key: SHA-256 over the contents that decide the result: weights, images, scorer, parameters, seed, view, head,
            preprocessing, precision, code. Names play no part.
        suite: name of the suite that it was run for.
        in_: name of the in-set.
        out: name of the out-set.
        backbone: full name of the backbone.
        scorer: registry name.
        params: all parameters of the scorer.
        seed: of halves, limits and what the scorer draws.
        view: name of the view that was embedded.
        head: registry name of the head that gave logits; None where none was used.
        image_size: side in pixels of the network's input.
        precision: "fp32", "bf16" or "fp16".
        auroc: probability that an in-image scores above an out-image, ties one half.
        auroc_ci: DeLong's 95 % interval; None where it is not defined.
        aupr_in: average precision with in-images as positives.
        aupr_out: average precision with out-images as positives.
        fpr95_in: share of out-images accepted where 95 % of in-images are.
        fpr95_out: share of in-images flagged where 95 % of out-images are.
        detection_error: smallest mean of the two error rates over all thresholds.
        ties: share of pairs of an in- and an out-image with equal scores.
        n_fit: number of images fitted on.
        n_in: number of in-images scored.
        n_out: number of out-images scored.
        seconds: time by step: "fit", "score_in", "score_out".
        notes: what scorer, head and sets say, one line each.
        doubts: why the figure may mislead, one line each.
        error: why the cell failed, in one line; None where it did not.
        provenance: versions, fingerprints, content hashes, limit and the command.
        finished: UTC, ISO 8601.
        reported: published figures for this cell.
        expected: the figure that it must reproduce.
    """

    key: str
    suite: str
    in_: str
    out: str
    backbone: str
    scorer: str
    params: Mapping[str, Any]
    seed: int
    view: str
    head: str | None
    image_size: int
    precision: str
    auroc: float | None
    auroc_ci: tuple[float, float] | None
    aupr_in: float | None
    aupr_out: float | None
    fpr95_in: float | None
    fpr95_out: float | None
    detection_error: float | None
    ties: float | None
    n_fit: int
    n_in: int
    n_out: int
    seconds: Mapping[str, float]
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    error: str | None
    provenance: Mapping[str, Any]
    finished: str
    reported: tuple[Reported, ...] = ()
    expected: Expected | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Record":
        """The record that `to_dict` was called on; keys that this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in given.items() if name in known}
        values["auroc_ci"] = None if values["auroc_ci"] is None else tuple(values["auroc_ci"])
        values["notes"], values["doubts"] = tuple(values["notes"]), tuple(values["doubts"])
        values["reported"] = tuple(Reported(**figure) for figure in values.get("reported", ()))
        expected = values.get("expected")
        values["expected"] = None if expected is None else Expected(**expected)
        return cls(**values)

    @property
    def is_transductive(self) -> bool:
        """Whether its scores depend on the images beside them: such figures are shown, and never ranked."""
        return bool(self.params.get("transductive"))

    @property
    def place(self) -> str:
        """What the cell is called: two records of one place differ in contents (code, weights, images) alone."""
        named = [
            self.suite,
            self.in_,
            self.out,
            self.backbone,
            self.scorer,
            dict(self.params),
            self.seed,
            self.view,
        ]
        more = [self.image_size, self.precision, self.provenance.get("head_asked"), self.provenance.get("limit")]
        return json.dumps([*named, *more], sort_keys=True)


@dataclass(frozen=True)
class CellScores:
    """The score of each image of a cell; higher is more in-distribution.

    Attributes:
        in_ids: (N,) ids of the in-set's test images.
        in_scores: (N,) their scores.
        out_ids: (M,) ids of the out-set's images.
        out_scores: (M,) their scores.
    """

    in_ids: NDArray[np.str_]
    in_scores: NDArray[np.float64]
    out_ids: NDArray[np.str_]
    out_scores: NDArray[np.float64]
