"""Reconstruction error of kernel PCA on random Fourier features (Fang et al., NeurIPS 2024)."""

from torch import Tensor

from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.checks import check_integer, check_positive, check_seed
from oodkit.scorers.parts import in_parts
from oodkit.scorers.principal import principal, residual_norm
from oodkit.scorers.random_features import RandomFeatures
from oodkit.scorers.unit_rows import unit_rows


class KernelPCA(Scorer):
    """Minus the reconstruction error of kernel principal component analysis, at most 0; called CoRP.

    With u(z) = z / ||z||, phi the random Fourier features of the kernel exp(-gamma ||u - u'||^2), m the mean of phi
    over the fit rows and U the q leading eigenvectors of their covariance,

        score(z) = -||(I - U U') (phi(u(z)) - m)||
        phi(u)   = sqrt(2 / M) cos(w_1 . u + t_1), ..., sqrt(2 / M) cos(w_M . u + t_M)

    with w_i drawn from N(0, 2 gamma I) and t_i uniformly from [0, 2 pi), by the seed. The larger gamma, the more local
    the comparison.

    Parameters
    ----------
    gamma : float, default 2.0
        Sharpness of the kernel, positive.
    features : int, default 2048
        M, the number of random features; the error of the kernel falls as 1 / sqrt(M).
    variance : float, default 0.8
        Share of the variance that the q directions hold, in (0, 1]: q is the smallest number that reaches it.
    components : int or None, default None
        q itself, from 0 to M; `variance` is not used then.
    seed : int, default 0
        Of the random draw; the same seed gives the same scores.

    Attributes
    ----------
    frequencies_, phases_ : (D, M) and (M,) tensors
        w and t, float64.
    location_ : (M,) tensor
        m, float64.
    directions_ : (M, q) tensor
        U, float64.

    Raises
    ------
    InvalidInput
        A parameter is out of range.

    Notes
    -----
    The defaults are the authors' for CIFAR-10; for ImageNet they take gamma = 3, M = 4096 and half of the variance.
    Their code draws without a seed. Where the fit rows vary in fewer than q directions these are used, and a note says
    so.

    References
    ----------
    K. Fang, Q. Tao, K. Lv, M. He, X. Huang, J. Yang. Kernel PCA for Out-of-Distribution Detection. NeurIPS 2024.
    arXiv:2402.02949.
    """

    frequencies_: Tensor
    phases_: Tensor
    location_: Tensor
    directions_: Tensor

    def __init__(
        self,
        gamma: float = 2.0,
        features: int = 2048,
        variance: float = 0.8,
        components: int | None = None,
        seed: int = 0,
    ) -> None:
        self.gamma = gamma
        self.features = features
        self.variance = variance
        self.components = components
        self.seed = seed

    def _fit(self, train: Train) -> None:
        check_positive("gamma", self.gamma)
        count = check_integer("features", self.features, 1)
        drawn = RandomFeatures.draw(train.features.shape[1], count, self.gamma, check_seed(self.seed))
        drawn = drawn.to(train.features.device)
        found = principal(train.features, lambda rows: drawn(unit_rows(rows)))
        self.frequencies_, self.phases_, self.location_ = drawn.frequencies, drawn.phases, found.centre
        self.directions_, self.notes_ = found.leading(self.variance, self.components)

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        phi = RandomFeatures(self.frequencies_.to(x.dtype), self.phases_.to(x.dtype))
        location, directions = self.location_.to(x.dtype), self.directions_.to(x.dtype)
        return -in_parts(lambda rows: residual_norm(phi(rows) - location, directions), unit_rows(x), 3 * len(location))
