"""Virtual-logit matching (Wang et al., CVPR 2022)."""

from torch import Tensor
from torch.nn.functional import linear

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.linear_head import head_energy
from oodkit.scorers.parts import in_parts
from oodkit.scorers.residual_space import residual_length, residual_space


class ViM(Scorer):
    """Energy of the logits minus a virtual logit, the scaled distance to the principal space; any real number.

    With l = W z + b, the origin o = -pinv(W) b, and R the D - d eigenvectors of (1/N) sum_i (z_i - o)(z_i - o)' with
    the smallest eigenvalues,

        score(z) = LSE(l) - alpha ||R' (z - o)||
        alpha    = mean_i max(l_i) / mean_i ||R' (z_i - o)||    over the fit rows

    so that the virtual logit is on average as large as the largest real one. Adding a constant to b moves the origin
    and alpha, and so changes the order of scores. The method assumes that the largest logit is usually positive and
    that the variation within the distribution is low-dimensional.

    Parameters
    ----------
    dim : int or None, default None
        d, the number of leading directions, from 0 to D - 1. None: 1000 for D >= 2048, 512 for D >= 768, else D // 2,
        the rule of the authors' code.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.
    origin_ : (D,) tensor
        o, float64.
    basis_ : (D, D - d) tensor
        R, float64.
    alpha_ : float
        The scale of the virtual logit, positive.
    dim_ : int
        d.

    Raises
    ------
    InvalidInput
        No head; dim is out of range; or the mean largest logit of the fit rows is not positive, so that alpha would
        reward distance.
    TooFewSamples
        The fit rows vary in no more than d directions: nothing is left over and alpha would be infinite.

    Notes
    -----
    The eigenvectors are those of a symmetric matrix in float64; the authors' code and OpenOOD use a solver for general
    matrices. OpenOOD takes d = 256 or chooses it on out-of-distribution data; pytorch-ood has no default and turns a
    d above D into D // 2, which is an error here. Logits are not clipped.

    References
    ----------
    H. Wang, Z. Li, L. Feng, W. Zhang. ViM: Out-Of-Distribution with Virtual-logit Matching. CVPR 2022.
    arXiv:2203.10807.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor
    origin_: Tensor
    basis_: Tensor
    alpha_: float
    dim_: int

    def __init__(self, dim: int | None = None) -> None:
        self.dim = dim

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        space = residual_space(train.features, train.head, self.dim)
        if space.rank <= space.dim:
            raise TooFewSamples(
                f"ViM with dim={space.dim} needs fit samples that vary in more than {space.dim} directions, the "
                f"{len(train.features)} given vary in {space.rank}: give more, or lower dim"
            )
        self.weight_, self.bias_ = (part.clone() for part in train.head)
        self.origin_, self.basis_, self.dim_ = space.origin, space.basis, space.dim
        width = max(self.weight_.shape)
        weight, bias = self.weight_.double(), self.bias_.double()
        largest = in_parts(lambda rows: linear(rows.double(), weight, bias).amax(dim=1), train.features, width)
        length = in_parts(lambda rows: residual_length(rows.double(), self.origin_, self.basis_), train.features, width)
        self.alpha_ = float(largest.mean() / length.mean())
        if self.alpha_ <= 0:
            raise InvalidInput(
                f"ViM needs a positive mean largest logit, that of the fit samples is {float(largest.mean()):.3g}: "
                "check that the head belongs to these features, or use residual"
            )

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        energy = head_energy(x, self.weight_, self.bias_)
        return energy - self.alpha_ * residual_length(x, self.origin_, self.basis_)
