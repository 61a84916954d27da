"""How far an attack may move an image: balls under a norm, in pixels of [0, 1], cut by the pixels' own range."""

from abc import ABC, abstractmethod
from math import inf

import torch
from torch import Tensor

from oodkit.attacks.draws import Draws
from oodkit.errors import InvalidInput

LEVELS = 255


class Ball(ABC):
    """All images within `eps` of an image, pixels in [0, 1].

    Args:
        eps: radius, in (0, 1] for the largest change of a pixel, positive for the Euclidean norm; 8/255 is eight grey
            levels.

    Raises:
        InvalidInput: a radius out of its range.
    """

    norm: str
    largest: float = inf

    def __init__(self, eps: float) -> None:
        if not 0 <= eps <= self.largest:
            levels = f"; {eps:g} grey levels are {eps:g}/255" if eps > 1 and self.largest == 1 else ""
            raise InvalidInput(f"eps of {self.norm} must be in [0, {self.largest:g}], got {eps:g}{levels}")
        self.eps = float(eps)

    def project(self, images: Tensor, around: Tensor) -> Tensor:
        """Images (B, 3, H, W) brought into the ball and into [0, 1]; those inside stay bit for bit."""
        return (around + self.limited(images - around)).clamp(0, 1)

    def rounded(self, images: Tensor, around: Tensor) -> Tensor:
        """Images of the ball with changes of whole grey levels, still in the ball.

        Args:
            images: (B, 3, H, W) in the ball.
            around: (B, 3, H, W) its centres, which lie on grey levels k/255.
        """
        change = LEVELS * (images - around)
        whole = self._whole(change)
        return ((around * LEVELS).round() + whole).clamp(0, LEVELS) / LEVELS

    @abstractmethod
    def distance(self, images: Tensor, around: Tensor) -> Tensor:
        """(B,) how far images are from the centres."""

    @abstractmethod
    def limited(self, change: Tensor) -> Tensor:
        """Changes (B, 3, H, W) cut to the radius."""

    @abstractmethod
    def steepest(self, slope: Tensor) -> Tensor:
        """The direction of norm 1 along which a function of this gradient, (B, 3, H, W), rises most; 0 for 0."""

    @abstractmethod
    def random(self, around: Tensor, draws: Draws) -> Tensor:
        """One uniform draw of the ball around each image, cut to [0, 1]."""

    @abstractmethod
    def _whole(self, change: Tensor) -> Tensor:
        """Changes in grey levels -> the nearest whole ones that stay in the ball."""

    def __repr__(self) -> str:
        """Norm and radius."""
        return f"{type(self).__name__}({self.eps * LEVELS:g}/255)"


class LInf(Ball):
    """Every pixel changes by at most eps."""

    norm = "linf"
    largest = 1.0

    def distance(self, images: Tensor, around: Tensor) -> Tensor:
        """(B,) largest change of a pixel."""
        return (images - around).abs().flatten(1).amax(dim=1)

    def limited(self, change: Tensor) -> Tensor:
        """Each pixel's change cut to eps."""
        return change.clamp(-self.eps, self.eps)

    def steepest(self, slope: Tensor) -> Tensor:
        """The sign of the gradient."""
        return slope.sign()

    def random(self, around: Tensor, draws: Draws) -> Tensor:
        """Each pixel's change uniform."""
        return (around + self.eps * (2 * draws.uniform(around) - 1)).clamp(0, 1)

    def _whole(self, change: Tensor) -> Tensor:
        most = int(LEVELS * self.eps + 1e-3)
        return change.round().clamp(-most, most)


class L2(Ball):
    """The Euclidean length of the change of all pixels of an image is at most eps."""

    norm = "l2"

    def distance(self, images: Tensor, around: Tensor) -> Tensor:
        """(B,) Euclidean distance."""
        return _lengths(images - around)

    def limited(self, change: Tensor) -> Tensor:
        """Changes shortened to eps."""
        lengths = _lengths(change)
        return change * _per_image(torch.where(lengths > self.eps, self.eps / lengths.clamp_min(1e-30), 1))

    def steepest(self, slope: Tensor) -> Tensor:
        """The gradient at length 1."""
        peaks = _per_image(slope.abs().flatten(1).amax(dim=1))
        scaled = slope / torch.where(peaks > 0, peaks, 1)  # its square can neither vanish nor overflow
        lengths = _per_image(_lengths(scaled))
        return scaled / torch.where(lengths > 0, lengths, 1)

    def random(self, around: Tensor, draws: Draws) -> Tensor:
        """Uniform in volume."""
        directions = draws.normal(around)
        radii = draws.uniform(around[:, 0, 0, 0]).to(around) ** (1 / around[0].numel())
        return (around + self.steepest(directions) * _per_image(self.eps * radii)).clamp(0, 1)

    def _whole(self, change: Tensor) -> Tensor:
        """Small changes would all round to 0: they grow until the rounded change is as long as the change itself."""
        most = _lengths(change) * (1 + 1e-6)
        peaks = change.abs().flatten(1).amax(dim=1)
        low = change.new_zeros(len(change))
        high = (most + 1) / torch.where(peaks > 0, peaks, 1)  # there the largest entry alone is too long
        for _ in range(32):  # the length of a rounded multiple never falls with the multiple
            middle = (low + high) / 2
            good = _lengths((change * _per_image(middle)).round()) <= most
            low, high = torch.where(good, middle, low), torch.where(good, high, middle)
        return (change * _per_image(low)).round()


NORMS = {ball.norm: ball for ball in (LInf, L2)}


def _lengths(change: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(change.flatten(1), dim=1)
    return lengths


def _per_image(values: Tensor) -> Tensor:
    return values[:, None, None, None]
