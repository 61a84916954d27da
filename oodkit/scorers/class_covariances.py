"""Mahalanobis distances to classes, with one covariance for all or one for each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from oodkit.scorers.gaussian import BLOCK, ClassGaussians
from oodkit.scorers.parts import in_parts
from oodkit.scorers.squared_distance import squared_distance_to_nearest
from oodkit.scorers.whitening import Shrinkage, Whitening, whitening

Covariance = Literal["shared", "per_class"]

PRODUCT_BYTES = 32 * 2**20  # numbers that are held at once beside the distances


@dataclass(frozen=True)
class ClassMaps:
    """Classes as points, with the map or maps in which distances to them are Euclidean.

    Attributes:
        matrices: (D, r) float64 map of all classes, or (C, D, D) map of each.
        points: (C, r) mapped class means, relative to the mean of all rows.
        shrinkage: Ledoit-Wolf shrinkage, or (C,) of each.
        null_space_dim: number of directions in which rows do not vary around their class means, or (C,) of each.
        notes: what a user should know.
    """

    matrices: Tensor
    points: Tensor
    shrinkage: float | Tensor
    null_space_dim: int | Tensor
    notes: list[str]


def class_maps(
    features: Tensor,
    labels: Tensor | None,
    gaussians: ClassGaussians,
    within: Whitening,
    covariance: Covariance = "shared",
    shrinkage: Shrinkage = "auto",
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> ClassMaps:
    """Maps of fitted classes.

    Args:
        features: (N, D) of any floating dtype.
        labels: (N,) integers, as `gaussians` was fitted with; None: one class.
        gaussians: of the same rows, with the same `prepare`.
        within: what `gaussians.whiten_within(shrinkage)` gave.
        covariance: whether classes share `within` or have a covariance each.
        shrinkage: as `whitening` takes it.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.
    """
    if covariance == "shared" or labels is None:
        return maps_of(gaussians, within)
    return maps_of(gaussians, within, _covariances(features, labels, gaussians, prepare), shrinkage)


def maps_of(
    gaussians: ClassGaussians,
    within: Whitening,
    covariances: Iterable[tuple[Tensor, float]] | None = None,
    shrinkage: Shrinkage = "auto",
) -> ClassMaps:
    """Maps of fitted classes, by their covariances.

    Args:
        gaussians: of the rows.
        within: what `gaussians.whiten_within(shrinkage)` gave.
        covariances: of each class (D, D), and its mean fourth power of the rows' distance to the class mean; None:
            the classes share `within`.
        shrinkage: as `whitening` takes it.
    """
    offsets = gaussians.class_means - gaussians.mean
    if covariances is None:
        notes = within.notes(int(gaussians.counts.sum()), "within-class covariance")
        return ClassMaps(within.matrix, offsets @ within.matrix, within.shrinkage, within.null_space_dim, notes)
    own = _whiten_each(covariances, gaussians, within, shrinkage)
    points = (offsets[:, None] @ own.matrices)[:, 0]
    return ClassMaps(own.matrices, points, own.shrinkage, own.null_space_dims, own.notes())


def squared_distance_to_nearest_class(x: Tensor, points: Tensor, matrices: Tensor) -> Tensor:
    """Squared distance of each row to the nearest class, in memory that does not grow with B times C.

    Args:
        x: (B, D) float64, relative to the mean of the fit rows.
        points: (C, r) as in `ClassMaps`.
        matrices: (D, r) or (C, D, r), as in `ClassMaps`.

    Returns:
        (B,); differentiable in x.
    """
    if matrices.ndim == 2:
        return squared_distance_to_nearest(x @ matrices, points)
    return in_parts(lambda part: squared_distances(part, points, matrices).amin(dim=1), x, len(points))


@dataclass(frozen=True)
class ClassWhitenings:
    """One whitening map per class.

    Attributes:
        matrices: (C, D, D) float64; |(x - y) W_c|^2 is the squared distance of x and y by the covariance of class c.
            A direction without variance that is not seen is a column of zeros.
        shrinkage: (C,) float64 Ledoit-Wolf shrinkage of each, 0 for none.
        null_space_dims: (C,) int64 number of directions in which the rows of each class do not vary.
        shared: (C,) bool; classes whose rows cannot give a covariance, which take the shared one.
    """

    matrices: Tensor
    shrinkage: Tensor
    null_space_dims: Tensor
    shared: Tensor

    def notes(self) -> list[str]:
        """What a user should know: which covariances were shrunk, replaced, or are blind."""
        count, own = len(self.shared), ~self.shared
        notes = []
        if bool(self.shared.any()):
            notes.append(
                f"{int(self.shared.sum())} of {count} classes vary in too few directions for a covariance of their "
                "own: the shared one is used for them"
            )
        shrunk = own & (self.shrinkage > 0)
        if bool(shrunk.any()):
            least, most = float(self.shrinkage[shrunk].min()), float(self.shrinkage[shrunk].max())
            of = f"covariances of {int(shrunk.sum())} of {count} classes"
            notes.append(f"{of}: Ledoit-Wolf shrinkage {least:.2g} to {most:.2g}")
        blind = own & (self.shrinkage == 0) & (self.null_space_dims > 0)
        if bool(blind.any()):
            most_blind = int(self.null_space_dims[blind].max())
            notes.append(
                f"covariances of {int(blind.sum())} of {count} classes are singular: pseudo-inverse, blind in up to "
                f"{most_blind} directions without variance"
            )
        return notes


def whiten_classes(
    features: Tensor,
    labels: Tensor,
    gaussians: ClassGaussians,
    shared: Whitening,
    shrinkage: Shrinkage = "auto",
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> ClassWhitenings:
    """Whiten the rows of each class by their own covariance, divided by their number.

    A class whose rows vary in so few directions that shrinking cannot help (one row, equal rows, two rows) takes the
    shared covariance; with `shrinkage="none"` only one without any variance does.

    Args:
        features: (N, D) of any floating dtype.
        labels: (N,) integers, as `gaussians` was fitted with.
        gaussians: of the same rows, with the same `prepare`.
        shared: what `gaussians.whiten_within` gave.
        shrinkage: as `whitening` takes it, for each class by itself.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.
    """
    return _whiten_each(_covariances(features, labels, gaussians, prepare), gaussians, shared, shrinkage)


def class_variances(
    features: Tensor,
    labels: Tensor,
    gaussians: ClassGaussians,
    prepare: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Variance of each feature in each class, (C, D) float64, divided by the number of the class's rows.

    Args:
        features: (N, D) of any floating dtype.
        labels: (N,) integers, as `gaussians` was fitted with.
        gaussians: of the same rows, with the same `prepare`.
        prepare: applied to each float64 block of rows first, such as `unit_rows`.
    """
    classes = torch.unique(labels, return_inverse=True)[1]
    sums = torch.zeros_like(gaussians.class_means)
    for rows, of in zip(torch.split(features, BLOCK), torch.split(classes, BLOCK), strict=True):
        sums.index_add_(0, of, (_prepared(rows, prepare) - gaussians.class_means[of]).square())
    return sums / gaussians.counts[:, None]


def squared_distances(x: Tensor, points: Tensor, matrices: Tensor) -> Tensor:
    """Squared distance of each row to a point per class, by the map of that class.

    Args:
        x: (B, D) float64.
        points: (C, r) mapped points, of the dtype of `x`.
        matrices: (C, D, r) maps.

    Returns:
        (B, C); differentiable in x.
    """
    per_class = len(x) * matrices.shape[2] * x.element_size()
    at_once = max(1, PRODUCT_BYTES // max(1, per_class))
    blocks = zip(torch.split(points, at_once), torch.split(matrices, at_once), strict=True)
    return torch.cat([torch.baddbmm(-p[:, None], x.expand(len(p), -1, -1), m).square().sum(dim=2) for p, m in blocks]).T


def _whiten_each(
    covariances: Iterable[tuple[Tensor, float]], gaussians: ClassGaussians, shared: Whitening, shrinkage: Shrinkage
) -> ClassWhitenings:
    width, count, device = len(gaussians.mean), len(gaussians.counts), gaussians.mean.device
    matrices = gaussians.mean.new_zeros(count, width, width)
    weights = gaussians.mean.new_zeros(count)
    null_space_dims = torch.zeros(count, dtype=torch.int64, device=device)
    replaced = torch.zeros(count, dtype=torch.bool, device=device)
    for c, (covariance, fourth) in enumerate(covariances):
        own = whitening(covariance, fourth, int(gaussians.counts[c]), gaussians.rounding(), shrinkage)
        lost = width if shrinkage == "none" else 1
        if own.null_space_dim >= lost and own.shrinkage == 0:
            replaced[c] = True
        used = shared if replaced[c] else own
        matrices[c, :, : used.matrix.shape[1]] = used.matrix
        weights[c], null_space_dims[c] = used.shrinkage, own.null_space_dim
    return ClassWhitenings(matrices, weights, null_space_dims, replaced)


def _covariances(
    features: Tensor, labels: Tensor, gaussians: ClassGaussians, prepare: Callable[[Tensor], Tensor] | None
) -> Iterator[tuple[Tensor, float]]:
    """Covariance of each class, and the mean fourth power of its rows' distance to their mean."""
    order = torch.unique(labels, return_inverse=True)[1].argsort(stable=True)
    for c, members in enumerate(torch.split(order, gaussians.counts.tolist())):
        yield _covariance(features, members, gaussians.class_means[c], prepare)


def _covariance(
    features: Tensor, members: Tensor, mean: Tensor, prepare: Callable[[Tensor], Tensor] | None
) -> tuple[Tensor, float]:
    """Covariance (D, D) of some rows, and the mean fourth power of their distance to the mean."""
    covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64, device=mean.device)
    fourth = 0.0
    for part in torch.split(members, BLOCK):
        centred = _prepared(features[part], prepare) - mean
        fourth += float(torch.linalg.vector_norm(centred, dim=1).pow(4).sum())
        covariance.addmm_(centred.T, centred)
    return covariance / len(members), fourth / len(members)


def _prepared(rows: Tensor, prepare: Callable[[Tensor], Tensor] | None) -> Tensor:
    rows = rows.to(torch.float64)
    return rows if prepare is None else prepare(rows)
