"""What `oodkit score`, `oodkit cluster` and `oodkit sensitivity` do."""

from oodkit.evaluation.clustering import ClusteringReport, ClusteringRun, cluster
from oodkit.evaluation.clustering_plot import plot_clusters
from oodkit.evaluation.evaluate import DEFAULT_SCORERS, evaluate
from oodkit.evaluation.evaluation import Evaluation, Result
from oodkit.evaluation.plot import plot_evaluation
from oodkit.evaluation.shift_sensitivity import SensitivityReport, sensitivity

__all__ = [
    "DEFAULT_SCORERS",
    "ClusteringReport",
    "ClusteringRun",
    "Evaluation",
    "Result",
    "SensitivityReport",
    "cluster",
    "evaluate",
    "plot_clusters",
    "plot_evaluation",
    "sensitivity",
]
