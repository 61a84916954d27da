"""What is registered: one entry per scorer, as text that imports nothing."""

from oodkit.registry import Entry

ENTRIES = {
    # Features alone
    "knn": Entry(
        "oodkit.scorers.knn:KNN",
        summary="mean cosine similarity to the k nearest fit rows, exact",
        source="Sun et al., ICML 2022; Adaloglou et al., 2023",
        cost="none: the fit rows are the bank",
    ),
    # Features with classes
    "mahalanobis": Entry(
        "oodkit.scorers.mahalanobis:Mahalanobis",
        summary="minus the squared Mahalanobis distance to the nearest class; one class without labels",
        needs="labels (optional)",
        source="Lee et al., NeurIPS 2018; normalize=true: Mueller & Hein, ICML 2025",
        cost="two passes, one factorisation",
    ),
    "relative_mahalanobis": Entry(
        "oodkit.scorers.relative_mahalanobis:RelativeMahalanobis",
        summary="squared Mahalanobis distance to all data minus that to the nearest class",
        needs="labels",
        source="Ren et al., 2021; normalize=true: Mueller & Hein, ICML 2025",
        cost="two passes, two factorisations",
    ),
    # Features under a linear head
    # Logits
    # Joint image-text space
    # Other scorers in one
}
