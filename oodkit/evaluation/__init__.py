"""One in/out evaluation, what `oodkit score` does, and the clusters of one set, what `oodkit cluster` does."""

from oodkit.evaluation.clustering import ClusteringReport, ClusteringRun, cluster
from oodkit.evaluation.clustering_plot import plot_clusters
from oodkit.evaluation.evaluate import DEFAULT_SCORERS, evaluate
from oodkit.evaluation.evaluation import Evaluation, Result
from oodkit.evaluation.plot import plot_evaluation

__all__ = [
    "DEFAULT_SCORERS",
    "ClusteringReport",
    "ClusteringRun",
    "Evaluation",
    "Result",
    "cluster",
    "evaluate",
    "plot_clusters",
    "plot_evaluation",
]
