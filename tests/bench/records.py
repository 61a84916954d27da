"""Records to test with."""

from typing import Any

import numpy as np

from oodkit.bench.record import CellScores, Record


def make_record(**changes: Any) -> Record:
    """A plausible record with some fields changed."""
    given: dict[str, Any] = {
        "key": "ab" * 32,
        "suite": "demo",
        "in_": "digits@0-4",
        "out": "digits@5-9",
        "backbone": "efficientnet_lite0",
        "scorer": "knn",
        "params": {"k": 1},
        "seed": 0,
        "view": "identity",
        "head": None,
        "image_size": 64,
        "precision": "fp32",
        "auroc": 0.75,
        "auroc_ci": (0.7, 0.8),
        "aupr_in": 0.7,
        "aupr_out": 0.8,
        "fpr95_in": 0.5,
        "fpr95_out": 0.6,
        "detection_error": 0.3,
        "ties": 0.0,
        "n_fit": 450,
        "n_in": 451,
        "n_out": 896,
        "seconds": {"fit": 0.1},
        "notes": ("a note",),
        "doubts": (),
        "error": None,
        "provenance": {"versions": {"torch": "2"}, "limit": None},
        "finished": "2024-01-01T00:00:00+00:00",
    }
    return Record(**{**given, **changes})


def make_scores(seed: int = 0) -> CellScores:
    """Scores of three in-images and two out-images."""
    generator = np.random.default_rng(seed)
    return CellScores(
        np.array(["a/1", "a/2", "ü"]),
        generator.normal(size=3),
        np.array(["x", "y"]),
        generator.normal(size=2),
    )
