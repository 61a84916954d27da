"""Reconstruction error of principal component analysis (Fang et al., NeurIPS 2024)."""

from torch import Tensor

from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.checks import check_flag
from oodkit.scorers.principal import principal, residual_norm
from oodkit.scorers.unit_rows import unit_rows


class PCA(Scorer):
    """Minus the distance to the plane of the leading principal directions of the fit rows, at most 0; called CoP.

    With u(z) = z / ||z||, m the mean of u over the fit rows and U the q leading eigenvectors of their covariance,

        score(z) = -||(I - U U') (u(z) - m)||

    The method assumes that the fit rows lie near a plane of few dimensions.

    Parameters
    ----------
    variance : float, default 0.9
        Share of the variance that the q directions hold, in (0, 1]: q is the smallest number that reaches it.
    components : int or None, default None
        q itself, from 0 to D; `variance` is not used then. With 0 the score is minus the distance to the mean, with D
        it is 0.
    normalize : bool, default True
        Scale features to length 1 first, as the paper does; a zero row stays zero.

    Attributes
    ----------
    location_ : (D,) tensor
        m, float64.
    directions_ : (D, q) tensor
        U, float64.

    Raises
    ------
    InvalidInput
        A parameter is out of range.

    Notes
    -----
    The authors take 0.85 of the variance on CIFAR-10 and 0.99 for ImageNet; their scan for q stops before D, so that a
    share that only all D directions reach drops a column, which is not so here. Where the fit rows vary in fewer than
    q directions these are used, and a note says so.

    References
    ----------
    K. Fang, Q. Tao, K. Lv, M. He, X. Huang, J. Yang. Kernel PCA for Out-of-Distribution Detection. NeurIPS 2024.
    arXiv:2402.02949.
    """

    location_: Tensor
    directions_: Tensor

    def __init__(self, variance: float = 0.9, components: int | None = None, normalize: bool = True) -> None:
        self.variance = variance
        self.components = components
        self.normalize = normalize

    def _fit(self, train: Train) -> None:
        check_flag("normalize", self.normalize)
        found = principal(train.features, unit_rows if self.normalize else None)
        self.location_ = found.centre
        self.directions_, self.notes_ = found.leading(self.variance, self.components)

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = unit_rows(x) if self.normalize else x
        return -residual_norm(x - self.location_.to(x.dtype), self.directions_.to(x.dtype))
