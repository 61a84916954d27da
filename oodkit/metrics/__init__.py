"""How well scores tell in-distribution from out-of-distribution: arrays in, exact numbers out.

A higher score means more in-distribution, everywhere. All results are fractions, not per cent.
"""

from oodkit.metrics.aupr import aupr
from oodkit.metrics.auroc import auroc
from oodkit.metrics.delong import Auroc, auroc_interval
from oodkit.metrics.detection_error import detection_error
from oodkit.metrics.fpr import fpr_at_tpr
from oodkit.metrics.roc_curve import roc_curve
from oodkit.metrics.summary import Metrics, summarise
from oodkit.metrics.tie_fraction import tie_fraction

__all__ = [
    "Auroc",
    "Metrics",
    "aupr",
    "auroc",
    "auroc_interval",
    "detection_error",
    "fpr_at_tpr",
    "roc_curve",
    "summarise",
    "tie_fraction",
]
