"""Distance to the principal space of the fit rows (Wang et al., CVPR 2022)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.residual_space import residual_length, residual_space


class Residual(Scorer):
    """Minus the distance to the space spanned by the leading directions of the fit rows, at most 0.

    With o the origin and R the D - d eigenvectors of (1/N) sum_i (z_i - o)(z_i - o)' with the smallest eigenvalues,

        score(z) = -||R' (z - o)||

    The origin is -pinv(W) b, the point whose logits are nearest to 0; without a head it is the mean of the fit rows,
    and a note says so. The method assumes that the variation within the distribution is low-dimensional.

    Parameters
    ----------
    dim : int or None, default None
        d, the number of leading directions, from 0 to D - 1. None: 1000 for D >= 2048, 512 for D >= 768, else D // 2,
        the rule of the authors' code.

    Attributes
    ----------
    origin_ : (D,) tensor
        o, float64.
    basis_ : (D, D - d) tensor
        R, float64.
    dim_ : int
        d as it was used: with fit rows that vary in fewer directions than asked for, their number.

    Raises
    ------
    InvalidInput
        dim is out of range.

    Notes
    -----
    The eigenvectors are those of a symmetric matrix in float64; the authors' code uses a solver for general matrices.
    Where the fit rows vary in r < d directions, which the smallest eigenvectors are is left open; all D - r directions
    without variance belong to R then, and a note says so.

    References
    ----------
    H. Wang, Z. Li, L. Feng, W. Zhang. ViM: Out-Of-Distribution with Virtual-logit Matching. CVPR 2022.
    arXiv:2203.10807.
    """

    optional = frozenset({Need.HEAD})

    origin_: Tensor
    basis_: Tensor
    dim_: int

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def _fit(self, train: Train) -> None:
        space = residual_space(train.features, train.head, self.dim)
        self.origin_, self.basis_, self.dim_ = space.origin, space.basis, min(space.dim, space.rank)
        if train.head is None:
            self.notes_.append("no head was given: the origin is the mean of the fit samples")
        if space.rank < space.dim:
            self.notes_.append(
                f"the {len(train.features)} fit samples vary in {space.rank} directions only: "
                f"these are taken out, not dim={space.dim}"
            )

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        return -residual_length(x, self.origin_, self.basis_)
