"""Records and scores for tests of reports: small, fixed, and with names that mean harm."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import numpy as np

from oodkit.bench.record import CellScores, Record
from oodkit.metrics import summarise

HOSTILE = '</script><script>alert("1")</script>|&%$#_{}~^\\`*[x](http://example.org)\n=1+1'

# What a record has that no test is about.
_USUAL: dict[str, Any] = {
    "suite": "ci",
    "in_": "cats",
    "out": "dogs",
    "backbone": "tiny",
    "scorer": "knn",
    "params": {"k": 1},
    "seed": 0,
    "view": "identity",
    "head": None,
    "image_size": 16,
    "precision": "fp32",
    "auroc": 0.9,
    "auroc_ci": (0.85, 0.94),
    "aupr_in": 0.8,
    "aupr_out": 0.7,
    "fpr95_in": 0.25,
    "fpr95_out": 0.5,
    "detection_error": 0.125,
    "ties": 0.0,
    "n_fit": 30,
    "n_in": 20,
    "n_out": 10,
    "seconds": {"fit": 0.5},
    "notes": (),
    "doubts": (),
    "error": None,
    "provenance": {"versions": {"torch": "2.6.0"}, "command": "oodkit bench --suite ci"},
    "finished": "2026-01-02T03:04:05+00:00",
}
_FIGURES = ("auroc", "auroc_ci", "aupr_in", "aupr_out", "fpr95_in", "fpr95_out", "detection_error", "ties")


def record(**given: Any) -> Record:
    """A record with some fields; its key follows from them."""
    fields = {**_USUAL, **given}
    if fields["error"] is not None:
        fields |= dict.fromkeys(_FIGURES)
    fields.setdefault("key", sha256(repr(sorted(fields.items())).encode()).hexdigest())
    return Record(**fields)


def scored(in_scores: Sequence[float], out_scores: Sequence[float], **given: Any) -> tuple[Record, CellScores]:
    """A record whose figures are those of the scores, and the scores."""
    scores = cell_scores(in_scores, out_scores)
    metrics = asdict(summarise(scores.in_scores, scores.out_scores))
    known = {name: value for name, value in metrics.items() if name in _FIGURES}
    sizes = {"n_in": len(scores.in_scores), "n_out": len(scores.out_scores)}
    return record(**{**known, **sizes, **given}), scores


def cell_scores(in_scores: Sequence[float], out_scores: Sequence[float]) -> CellScores:
    """Scores of images that are named by their place."""
    return CellScores(
        np.array([f"in/{i}.png" for i in range(len(in_scores))]),
        np.asarray(in_scores, dtype=np.float64),
        np.array([f"out/{i}.png" for i in range(len(out_scores))]),
        np.asarray(out_scores, dtype=np.float64),
    )


def benchmark(
    pairs: int = 3,
    scorers: Sequence[str] = ("knn", "msp", "energy"),
    backbones: int = 1,
    images: int = 60,
    seed: int = 0,
) -> tuple[list[Record], Mapping[str, CellScores]]:
    """Records of every combination with scores of normal draws, one failed cell and one doubt."""
    draw = np.random.default_rng(seed)
    records, scores = [], {}
    for backbone in range(backbones):
        for pair in range(pairs):
            common = draw.normal(size=2 * images)
            for place, scorer in enumerate(scorers):
                noisy = common + 0.5 * draw.normal(size=2 * images)
                noisy[:images] += 0.5 + 0.4 * pair + 0.1 * place
                named = {"in_": f"in{pair % 2}", "out": f"out{pair}", "backbone": f"net{backbone}", "scorer": scorer}
                if pair == place == backbone == 1:
                    records.append(record(**named, params={}, error="the class 'cat' has 1 image; 2 are needed"))
                    continue
                doubts = ("mean colour alone reaches 93.1",) if pair == 0 else ()
                one, kept = scored(noisy[:images], noisy[images:], **named, params={}, doubts=doubts)
                records.append(one)
                scores[one.key] = kept
    return records, scores
