"""How well scores tell in-distribution from out-of-distribution: arrays in, exact numbers out.

A higher score means more in-distribution, everywhere. All results are fractions, not per cent.
Metrics need NumPy only; comparisons of methods over many pairs and conformal thresholds load
SciPy when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from oodkit.metrics.aupr import aupr
from oodkit.metrics.auroc import auroc
from oodkit.metrics.cluster_bootstrap import auroc_cluster_interval
from oodkit.metrics.delong import Auroc, auroc_interval
from oodkit.metrics.detection_error import detection_error
from oodkit.metrics.fpr import fpr_at_tpr
from oodkit.metrics.holm import holm
from oodkit.metrics.paired_delong import PairedDifference, paired_delong, smallest_detectable_difference
from oodkit.metrics.roc_curve import roc_curve
from oodkit.metrics.sensitivity_proxy import Sensitivity, sensitivity_proxy
from oodkit.metrics.summary import Metrics, summarise
from oodkit.metrics.tie_fraction import tie_fraction

if TYPE_CHECKING:
    from oodkit.metrics.batch_alarm import BatchAlarm, BatchRanks
    from oodkit.metrics.conformal import (
        FlagRate,
        conformal_flag_rate,
        conformal_images_needed,
        conformal_p_values,
        conformal_threshold,
    )
    from oodkit.metrics.ranks import Friedman, average_ranks, friedman, nemenyi_critical_difference
    from oodkit.metrics.signed_rank import AgainstControl, compare_with_control, signed_rank_p_value

__all__ = [
    "AgainstControl",
    "Auroc",
    "BatchAlarm",
    "BatchRanks",
    "FlagRate",
    "Friedman",
    "Metrics",
    "PairedDifference",
    "Sensitivity",
    "aupr",
    "auroc",
    "auroc_cluster_interval",
    "auroc_interval",
    "average_ranks",
    "compare_with_control",
    "conformal_flag_rate",
    "conformal_images_needed",
    "conformal_p_values",
    "conformal_threshold",
    "detection_error",
    "fpr_at_tpr",
    "friedman",
    "holm",
    "nemenyi_critical_difference",
    "paired_delong",
    "roc_curve",
    "sensitivity_proxy",
    "signed_rank_p_value",
    "smallest_detectable_difference",
    "summarise",
    "tie_fraction",
]

_HOMES = {
    "AgainstControl": "signed_rank",
    "BatchAlarm": "batch_alarm",
    "BatchRanks": "batch_alarm",
    "FlagRate": "conformal",
    "Friedman": "ranks",
    "average_ranks": "ranks",
    "compare_with_control": "signed_rank",
    "conformal_flag_rate": "conformal",
    "conformal_images_needed": "conformal",
    "conformal_p_values": "conformal",
    "conformal_threshold": "conformal",
    "friedman": "ranks",
    "nemenyi_critical_difference": "ranks",
    "signed_rank_p_value": "signed_rank",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'oodkit.metrics' has no attribute {name!r}")
    return getattr(import_module(f"oodkit.metrics.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
