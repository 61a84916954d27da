"""Means and covariances of labelled rows, accumulated in float64 over blocks."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from oodkit.errors import TooFewSamples
from oodkit.scorers.whitening import EPSILON, Shrinkage, Whitening, check_variance, whitening, whitening_as_given

BLOCK = 2048  # rows that are cast to float64 at once


@dataclass(frozen=True)
class ClassGaussians:
    """Class means with one covariance shared by all classes, and the Gaussian of all rows together.

    Covariances are divided by N, the number of rows.

    Attributes:
        counts: (C,) int64 rows per class.
        mean: (D,) mean of all rows.
        class_means: (C, D).
        within: (D, D) pooled covariance of the rows around their class means.
        total: (D, D) covariance of the rows around `mean`: `within` plus that of the class means.
        fourth_within: mean of the fourth power of a row's distance to its class mean; what Ledoit-Wolf shrinkage
            needs beside the covariance.
    """

    counts: Tensor
    mean: Tensor
    class_means: Tensor
    within: Tensor
    total: Tensor
    fourth_within: float

    def whiten_within(self, shrinkage: Shrinkage = "auto") -> Whitening:
        """The map that whitens the rows around their class means.

        Args:
            shrinkage: as `whitening` takes it.

        Raises:
            TooFewSamples: one sample alone, or several classes without any variance inside them.
        """
        samples, classes = int(self.counts.sum()), len(self.counts)
        if samples == 1:
            raise TooFewSamples("a covariance needs at least 2 fit samples, got 1 sample")
        whitened = whitening(self.within, self.fourth_within, samples, self.rounding(), shrinkage)
        if classes > 1 and whitened.null_space_dim == len(self.mean):
            raise TooFewSamples(
                f"the {samples} fit samples with {len(self.mean)} feature(s) do not vary inside any of "
                f"the {classes} classes; give at least 2 different samples per class, or fewer classes"
            )
        return whitened

    def whiten_total(self, within: Whitening) -> Whitening:
        """The map that whitens all rows around their mean, to go with that of the rows around their class means.

        The total covariance is the within-class covariance plus that of the class means. Where the former was shrunk,
        it stands in the sum as shrunk: two covariances that are shrunk apart would differ in the directions in which
        the fit rows do not vary, and that difference would drown what tells the classes from all data.

        Args:
            within: what `whiten_within` gave.
        """
        return whitening_as_given(self.total + (within.covariance - self.within), self.rounding())

    def rounding(self) -> float:
        """Variance that rounding in float64 can make where there is none."""
        return int(self.counts.sum()) * EPSILON**2 * float(self.total.trace())


def class_gaussians(
    features: Tensor, labels: Tensor | None, prepare: Callable[[Tensor], Tensor] | None = None
) -> ClassGaussians:
    """Fit one Gaussian per class with a shared covariance; two passes over the rows, in blocks.

    Rows are taken relative to the first row, then to their class mean, BEFORE any product: a column that is constant
    gets variance exactly 0, and a large offset costs no digits.

    Args:
        features: (N, D) of any floating dtype, N >= 1.
        labels: (N,) integers, any values; None: all rows are one class.
        prepare: applied to each float64 block of rows first, such as `unit_rows`; may change their width.

    Returns:
        All in float64, on the device of the features; classes in ascending order of label.

    Raises:
        InvalidInput: features so large that their variance overflows.
    """
    n = len(features)
    if labels is None:
        labels = torch.zeros(n, dtype=torch.int64, device=features.device)
    _, classes, counts = torch.unique(labels, return_inverse=True, return_counts=True)

    def block(rows: Tensor) -> Tensor:
        rows = rows.to(torch.float64)
        return rows if prepare is None else prepare(rows)

    origin = block(features[:1])
    width = origin.shape[1]
    sums = torch.zeros(len(counts), width, dtype=torch.float64, device=features.device)
    for rows, of in zip(torch.split(features, BLOCK), torch.split(classes, BLOCK), strict=True):
        if len(counts) == 1:  # adding row after row to one is ten times slower
            sums += (block(rows) - origin).sum(dim=0)
        else:
            sums.index_add_(0, of, block(rows) - origin)
    mean = sums.sum(dim=0) / n
    offsets = sums / counts[:, None] - mean

    within = torch.zeros(width, width, dtype=torch.float64, device=features.device)
    fourth_within = 0.0
    for rows, of in zip(torch.split(features, BLOCK), torch.split(classes, BLOCK), strict=True):
        centred = block(rows) - origin - mean
        centred -= offsets[of]
        fourth_within += float(torch.linalg.vector_norm(centred, dim=1).pow(4).sum())
        within.addmm_(centred.T, centred)
    within /= n
    between = offsets * (counts.to(torch.float64) / n).sqrt()[:, None]
    total = within + between.T @ between
    check_variance(total)
    return ClassGaussians(
        counts=counts,
        mean=mean + origin[0],
        class_means=offsets + mean + origin,
        within=within,
        total=total,
        fourth_within=fourth_within / n,
    )
