"""Neural collapse based detection: the share of a row in the principal space (Ben Ammar et al., ICLR 2024)."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import linear

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice
from oodkit.scorers.parts import in_parts
from oodkit.scorers.principal import principal
from oodkit.scorers.unit_rows import unit_rows

Factor = Literal["none", "max_logit"]


class NECO(Scorer):
    """Length of the projection on the leading directions over the length of the row, in [0, 1].

    With s(z) the row standardised column by column (mean 0, variance 1 over the fit rows) and P the q leading
    principal directions of the standardised fit rows,

        score(z) = ||P' s(z)|| / ||s(z)||       0 where s(z) = 0

    and that times the largest logit if `factor` is "max_logit", for which a head is needed. A feature that is constant
    over the fit rows is centred only; it counts in ||s(z)|| and never in the projection. The method assumes that
    features have nearly collapsed, as late in training, so that out-of-distribution rows are orthogonal to the
    principal space.

    Parameters
    ----------
    variance : float, default 0.9
        Share of the variance that the q directions hold, in (0, 1].
    components : int or None, default None
        q itself, from 1 to D; `variance` is not used then.
    factor : {"none", "max_logit"}, default "none"
        What the ratio is multiplied by; the paper multiplies by the largest logit for some networks. Where that is
        negative, a larger ratio makes the score lower.

    Attributes
    ----------
    location_, deviation_ : (D,) tensors
        Mean and standard deviation of the fit rows, the latter 1 for a constant feature; float64.
    directions_ : (D, q) tensor
        P, float64.
    weight_, bias_ : (C, D) and (C,) tensors or None
        The head, with the factor "max_logit".

    Raises
    ------
    InvalidInput
        A parameter is out of range, or the factor "max_logit" without a head.

    Notes
    -----
    The paper chooses q for each network; a share of the variance needs no such choice. Rows are standardised in scoring
    as in the fit. Where the fit rows vary in fewer than q directions these are used, and a note says so.

    References
    ----------
    M. Ben Ammar, N. Belkhir, S. Popescu, A. Manzanera, G. Franchi. NECO: NEural Collapse Based Out-of-distribution
    detection. ICLR 2024. arXiv:2310.06823.
    """

    optional = frozenset({Need.HEAD})

    location_: Tensor
    deviation_: Tensor
    directions_: Tensor
    weight_: Tensor | None
    bias_: Tensor | None

    def __init__(
        self,
        variance: float = 0.9,
        components: int | None = None,
        factor: Factor = "none",
    ) -> None:
        self.variance = variance
        self.components = components
        self.factor = factor

    def _fit(self, train: Train) -> None:
        check_choice("factor", self.factor, Factor)
        if self.factor == "max_logit" and train.head is None:
            raise InvalidInput('NECO with factor="max_logit" needs a head: fit(features, head=(weight, bias))')
        found = principal(train.features, standardise=True)
        self.location_, self.deviation_ = found.centre, found.scale
        self.directions_, self.notes_ = found.leading(self.variance, self.components, at_least=1)
        self.weight_ = self.bias_ = None
        if self.factor == "max_logit" and train.head is not None:
            self.weight_, self.bias_ = (part.clone() for part in train.head)

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        unit = unit_rows((x - self.location_.to(x.dtype)) / self.deviation_.to(x.dtype))
        ratio: Tensor = torch.linalg.vector_norm(unit @ self.directions_.to(x.dtype), dim=1).clamp(max=1)
        if self.weight_ is None or self.bias_ is None:
            return ratio
        weight, bias = self.weight_.to(x.dtype), self.bias_.to(x.dtype)
        return ratio * in_parts(lambda rows: linear(rows, weight, bias).amax(dim=1), x, len(weight))
