"""Classes of the images that a scorer is fitted on: their own, given ones, or clusters that stand in for them."""

import copy
import dataclasses

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from oodkit.clustering import kmeans
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.rows import as_labels
from oodkit.scorers.unit_rows import unit_rows

RESTARTS = 3


def labelled(images: ImageSet, labels: ArrayLike) -> ImageSet:
    """The same images with other labels (N,), whose names are those of the set where there are enough.

    Raises:
        InvalidInput: another number of labels than images, or no integers.
    """
    found = copy.copy(images)
    found.labels = as_labels(labels, len(images)).numpy()
    vars(found).pop("fingerprint", None)  # it counts labels in
    return found


def with_clusters(images: ImageSet, features: Embeddings, clusters: int, seed: int) -> tuple[ImageSet, Embeddings]:
    """The same images and their features, with k-means clusters of the features' directions as classes.

    Raises:
        TooFewSamples: more clusters than different images.
    """
    assignments = cluster_rows(features.features, clusters, seed)
    found = labelled(images, assignments)
    found.class_names = None
    return found, dataclasses.replace(features, labels=assignments, class_names=None)


def cluster_rows(features: NDArray[np.floating], clusters: int, seed: int) -> NDArray[np.int64]:
    """The k-means cluster (N,) of the direction of each row (N, D)."""
    rows = unit_rows(torch.from_numpy(np.array(features, dtype=np.float32))).numpy()
    return kmeans(rows, clusters, seed=seed, restarts=RESTARTS).assignments


def check_clusters(clusters: int, images: int) -> None:
    """Refuse a number of clusters that the images cannot have.

    Raises:
        InvalidInput: below 2.
        TooFewSamples: more than images.
    """
    if clusters < 2:
        raise InvalidInput(f"clusters must be 2 or more, got {clusters}; leave it out for images of one kind")
    if clusters > images:
        raise TooFewSamples(f"{images} images cannot be {clusters} clusters; ask for fewer, or give more images")


def placeholder(images: ImageSet, clusters: int) -> ImageSet:
    """The same images as if they had so many classes, to find out what a scorer lacks before anything is embedded."""
    found = labelled(images, np.arange(len(images)) % clusters)
    found.class_names = None
    return found
