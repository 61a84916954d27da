"""Means and covariances of labelled rows, accumulated in float64 over blocks and merged over shards."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.rows import as_labels, as_tensor, check_finite
from oodkit.scorers.saving import load_state, save_state
from oodkit.scorers.unit_rows import unit_rows
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
            needs beside the covariance. None where merged moments do not say it.
    """

    counts: Tensor
    mean: Tensor
    class_means: Tensor
    within: Tensor
    total: Tensor
    fourth_within: float | None

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


@dataclass(frozen=True, eq=False)
class ClassMoments:
    """Counts, sums and scatter of the rows of each class; those of parts of a set are added to those of the whole.

    `ClassMoments.of(part, labels)` of each part, added, give what one pass over all rows gives, up to rounding: each
    part is centred on its own class means before any product, and the difference between these is made good when two
    are added (Chan, Golub and LeVeque). `Mahalanobis().fit_moments(moments)` fits from them.

    Attributes:
        labels: (C,) int64 classes that have rows, ascending.
        counts: (C,) int64 rows of each.
        origin: (D,) what sums are relative to.
        sums: (C, D) sums of the rows, relative to `origin`.
        scatter: sum of outer products of each row's difference to its class mean: (D, D) of all classes, or (C, D, D)
            of each.
        thirds: (C, D) sums of these differences times their squared length; only with a scatter of each class.
        fourths: (C,) sums of the fourth powers of their length, which Ledoit-Wolf shrinkage needs; None where two
            parts with rows of one class were added without a scatter of each class, which lose it.
        normalized: whether rows were scaled to length 1 first.
    """

    labels: Tensor
    counts: Tensor
    origin: Tensor
    sums: Tensor
    scatter: Tensor
    thirds: Tensor | None
    fourths: Tensor | None
    normalized: bool = False

    @classmethod
    def of(
        cls, features: Any, labels: Any = None, *, per_class: bool = False, normalize: bool = False
    ) -> "ClassMoments":
        """Moments of some rows; two passes over them, in blocks.

        Args:
            features: (N, D) finite numbers in any form that `fit` of a scorer takes, also memory-mapped; N >= 1.
            labels: (N,) integers; None: all rows are one class.
            per_class: keep a scatter of each class, C D^2 numbers of 8 bytes. It is needed for a covariance of each
                class, and to shrink a covariance after parts were added.
            normalize: scale rows to length 1 first.

        Raises:
            InvalidInput: wrong shape, not finite, or labels that are no integers.
            TooFewSamples: no rows.
        """
        rows = as_tensor(features, "features")
        if not len(rows):
            raise TooFewSamples(f"features has 0 sample(s) (shape={tuple(rows.shape)}), moments need at least 1")
        check_finite(rows, "features")
        of = None if labels is None else as_labels(labels, len(rows)).to(rows.device)
        return _moments(rows, of, unit_rows if normalize else None, per_class, normalize)

    @property
    def per_class(self) -> bool:
        """Whether there is a scatter of each class."""
        return self.scatter.ndim == 3

    def __add__(self, other: "ClassMoments") -> "ClassMoments":
        """Moments of the rows of both.

        Raises:
            InvalidInput: of another width, or made with other settings.
        """
        if not isinstance(other, ClassMoments):
            return NotImplemented
        if len(self.origin) != len(other.origin):
            raise InvalidInput(f"moments of {len(self.origin)} features cannot be added to {len(other.origin)}")
        for name in ("per_class", "normalized"):
            if getattr(self, name) != getattr(other, name):
                made = {"per_class": "per_class", "normalized": "normalize"}[name]
                raise InvalidInput(f"moments to be added must be made with the same {made}; make both alike")
        labels = torch.unique(torch.cat([self.labels, other.labels]))
        one, two = self._spread(labels, self.origin), other._spread(labels, self.origin)
        counts, sums = one.counts + two.counts, one.sums + two.sums
        means = sums / counts[:, None]
        moved = [part.sums / part.counts.clamp(min=1)[:, None] - means for part in (one, two)]
        both = (one.counts > 0) & (two.counts > 0)
        scatter = one.scatter + two.scatter
        thirds = fourths = None
        if self.per_class:
            for part, shift in zip((one, two), moved, strict=True):
                for c, count in enumerate(part.counts.tolist()):
                    scatter[c].addr_(shift[c], shift[c], alpha=count)
            added = [part._recentred(shift) for part, shift in zip((one, two), moved, strict=True)]
            thirds, fourths = added[0][0] + added[1][0], added[0][1] + added[1][1]
        else:
            for part, shift in zip((one, two), moved, strict=True):
                scatter += shift.T @ (part.counts[:, None] * shift)
            if not bool(both.any()) and one.fourths is not None and two.fourths is not None:
                fourths = one.fourths + two.fourths
        return ClassMoments(labels, counts, self.origin, sums, scatter, thirds, fourths, self.normalized)

    def gaussians(self) -> ClassGaussians:
        """Class means with one covariance shared by all classes, and the Gaussian of all rows; divided by their number.

        Raises:
            InvalidInput: features so large that their variance overflows.
        """
        n = int(self.counts.sum())
        mean = self.sums.sum(dim=0) / n
        offsets = self.sums / self.counts[:, None] - mean
        within = (self.scatter.sum(dim=0) if self.per_class else self.scatter) / n
        between = offsets * (self.counts.to(torch.float64) / n).sqrt()[:, None]
        total = within + between.T @ between
        check_variance(total)
        return ClassGaussians(
            counts=self.counts,
            mean=mean + self.origin,
            class_means=offsets + mean + self.origin,
            within=within,
            total=total,
            fourth_within=None if self.fourths is None else float(self.fourths.sum()) / n,
        )

    def covariances(self) -> Iterator[tuple[Tensor, float]]:
        """Of each class: covariance (D, D), and the mean fourth power of the rows' distance to the class mean."""
        if not self.per_class or self.fourths is None:
            raise InvalidInput("a covariance of each class needs moments that were made with per_class=True")
        for scatter, fourth, count in zip(self.scatter, self.fourths.tolist(), self.counts.tolist(), strict=True):
            yield scatter / count, fourth / count

    def save(self, folder: str | Path) -> None:
        """Write them to a folder, as JSON and safetensors; an interrupted write leaves the old ones whole."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        save_state(Path(folder), _KIND, {}, values)

    @classmethod
    def load(cls, folder: str | Path) -> "ClassMoments":
        """Read what `save` wrote.

        Raises:
            DataNotFound: no moments were saved in the folder.
            InvalidInput: it holds something else, or damaged files.
        """
        return cls(**load_state(Path(folder), _KIND)[1])

    def _spread(self, labels: Tensor, origin: Tensor) -> "ClassMoments":
        """The same for more classes, of which some have no rows, and relative to another origin."""
        places = torch.searchsorted(labels, self.labels)

        def spread(values: Tensor) -> Tensor:
            return values.new_zeros(len(labels), *values.shape[1:]).index_copy_(0, places, values)

        return ClassMoments(
            labels=labels,
            counts=spread(self.counts),
            origin=origin,
            sums=spread(self.sums + self.counts[:, None] * (self.origin - origin)),
            scatter=spread(self.scatter) if self.per_class else self.scatter,
            thirds=None if self.thirds is None else spread(self.thirds),
            fourths=None if self.fourths is None else spread(self.fourths),
            normalized=self.normalized,
        )

    def _recentred(self, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Third and fourth sums (C, D) and (C,) when every difference grows by the shift (C, D) of its class."""
        assert self.thirds is not None
        assert self.fourths is not None
        square = shift.square().sum(dim=1)
        traces = self.scatter.diagonal(dim1=1, dim2=2).sum(dim=1)
        along = (self.scatter @ shift[:, :, None])[:, :, 0]
        thirds = self.thirds + traces[:, None] * shift + 2 * along + (self.counts * square)[:, None] * shift
        fourths = self.fourths + 4 * ((along + self.thirds) * shift).sum(dim=1)
        return thirds, fourths + self.counts * square.square() + 2 * square * traces


_KIND = f"{ClassMoments.__module__}:{ClassMoments.__qualname__}"


def class_gaussians(
    features: Tensor, labels: Tensor | None, prepare: Callable[[Tensor], Tensor] | None = None
) -> ClassGaussians:
    """Fit one Gaussian per class with a shared covariance; two passes over the rows, in blocks.

    Args:
        features: (N, D) of any floating dtype, N >= 1.
        labels: (N,) integers, any values; None: all rows are one class.
        prepare: applied to each float64 block of rows first, such as `unit_rows`; may change their width.

    Returns:
        All in float64, on the device of the features; classes in ascending order of label.

    Raises:
        InvalidInput: features so large that their variance overflows.
    """
    return _moments(features, labels, prepare).gaussians()


def _moments(
    features: Tensor,
    labels: Tensor | None,
    prepare: Callable[[Tensor], Tensor] | None,
    per_class: bool = False,
    normalized: bool = False,
) -> ClassMoments:
    """Moments of rows.

    Rows are taken relative to the first row, then to their class mean, BEFORE any product: a column that is constant
    gets variance exactly 0, and a large offset costs no digits.
    """
    if labels is None:
        labels = torch.zeros(len(features), dtype=torch.int64, device=features.device)
    names, classes, counts = torch.unique(labels, return_inverse=True, return_counts=True)

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
    mean = sums.sum(dim=0) / len(features)
    offsets = sums / counts[:, None] - mean

    fourths = torch.zeros(len(counts), dtype=torch.float64, device=features.device)
    if not per_class:
        scatter = torch.zeros(width, width, dtype=torch.float64, device=features.device)
        for rows, of in zip(torch.split(features, BLOCK), torch.split(classes, BLOCK), strict=True):
            centred = block(rows) - origin - mean
            centred -= offsets[of]
            fourths.index_add_(0, of, torch.linalg.vector_norm(centred, dim=1).pow(4))
            scatter.addmm_(centred.T, centred)
        return ClassMoments(names, counts, origin[0], sums, scatter, None, fourths, normalized)
    scatter = torch.zeros(len(counts), width, width, dtype=torch.float64, device=features.device)
    thirds = torch.zeros_like(sums)
    for c, members in enumerate(torch.split(classes.argsort(stable=True), counts.tolist())):
        for part in torch.split(members, BLOCK):
            centred = block(features[part]) - origin - mean - offsets[c]
            squares = centred.square().sum(dim=1)
            fourths[c] += squares.square().sum()
            thirds[c] += squares @ centred
            scatter[c].addmm_(centred.T, centred)
    return ClassMoments(names, counts, origin[0], sums, scatter, thirds, fourths, normalized)
