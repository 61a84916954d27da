"""Clustering: arrays in, assignments out."""

from oodkit.clustering.bound import Utilisation, upper_cluster_bound, utilisation
from oodkit.clustering.figures import Figures, clustering_figures, matched_accuracy
from oodkit.clustering.kmeans import Clusters, kmeans
from oodkit.clustering.quality import Quality, clustering_quality
from oodkit.clustering.temi import TemiClusters, temi

__all__ = [
    "Clusters",
    "Figures",
    "Quality",
    "TemiClusters",
    "Utilisation",
    "clustering_figures",
    "clustering_quality",
    "kmeans",
    "matched_accuracy",
    "temi",
    "upper_cluster_bound",
    "utilisation",
]
