"""Where small networks see rows: unit rows in their leading principal directions."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from oodkit.errors import TooFewSamples
from oodkit.scorers.principal import principal


@dataclass(frozen=True)
class PrincipalSpace:
    """A linear map of centred rows.

    Attributes:
        centre: (D,) what is taken from each row.
        basis: (D, d) what it is then multiplied by.
    """

    centre: Tensor
    basis: Tensor

    @classmethod
    def of(cls, rows: Tensor, components: int, whiten: bool) -> Self:
        """The space of rows (N, D), which have mean variance 1 in it.

        Args:
            rows: to find it of; it has their dtype.
            components: directions, at most as many as rows vary in.
            whiten: give each direction variance 1, instead of dividing all by one number.

        Raises:
            TooFewSamples: all rows are equal.
        """
        found = principal(rows)
        count = min(components, len(found.variances))
        if count == 0:
            raise TooFewSamples("all fit samples are equal, so there is nothing to learn from; give others")
        variances = found.variances[:count]
        scale = variances if whiten else variances.mean().expand(count)
        return cls(found.centre.to(rows), (found.directions[:, :count] * scale.rsqrt()).to(rows))

    def of_rows(self, rows: Tensor) -> Tensor:
        """Rows (B, D) in the space, (B, d), in their own dtype."""
        product: Tensor = (rows - self.centre.to(rows.dtype)) @ self.basis.to(rows.dtype)
        return product
