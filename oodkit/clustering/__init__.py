"""Clustering: arrays in, assignments out."""

from oodkit.clustering.kmeans import Clusters, kmeans

__all__ = ["Clusters", "kmeans"]
