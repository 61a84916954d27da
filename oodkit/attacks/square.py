"""Square attack: random search without gradients (Andriushchenko et al., ECCV 2020)."""

import math

import torch
from torch import Tensor

from oodkit.attacks.ball import Ball, LInf
from oodkit.attacks.base import Attack, check_number, check_steps, default_ball
from oodkit.attacks.draws import Draws
from oodkit.attacks.watched import Watched

# share of the side's square that changes, by the number of steps out of 10,000 that are done
_HALVED_AT = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


class Square(Attack):
    """Changes one random square after another, and keeps a change that raises the goal; works for any score.

    Args:
        ball: how far images may be moved; default eight grey levels in every pixel.
        steps: how many changes are tried, one evaluation of the score each.
        share: of the pixels that the first squares change; it falls as the search goes on.

    Notes:
        The squares may lie anywhere, the last row and column included, which some implementations never reach.

    References:
        M. Andriushchenko, F. Croce, N. Flammarion, M. Hein: Square Attack: a Query-Efficient Black-Box Adversarial
        Attack via Random Search. ECCV 2020, arXiv:1912.00049.
    """

    white_box = False

    def __init__(self, ball: Ball | None = None, steps: int = 1000, share: float = 0.8) -> None:
        super().__init__(ball or default_ball())
        check_steps("steps", steps)
        check_number("share", share, most=1)
        self.steps, self.share = steps, share

    def _search(self, goal: Watched, images: Tensor, draws: Draws) -> Tensor:
        linf = isinstance(self.ball, LInf)
        height, width = images.shape[-2:]
        moved = self._stripes(images, draws) if linf else self._tiles(images, draws)
        values = goal(moved)
        for step in range(self.steps):
            side = self._side(step, height, width)
            tried = self._recoloured(moved, images, side, draws) if linf else self._shifted(moved, images, side, draws)
            found = goal(tried)
            better = found > values
            values = torch.where(better, found, values)
            moved = torch.where(better[:, None, None, None], tried, moved)
        return moved

    def _side(self, step: int, height: int, width: int) -> int:
        done = step * 10_000 / self.steps
        share = self.share * 0.5 ** sum(done > at for at in _HALVED_AT)
        side = max(1, round(math.sqrt(share * height * width)))
        if not isinstance(self.ball, LInf):
            side = max(3, side + 1 - side % 2)
        return min(side, height, width)

    def _stripes(self, images: Tensor, draws: Draws) -> Tensor:
        return (images + self.ball.eps * draws.signs(images[:, :, :1])).clamp(0, 1)

    def _recoloured(self, moved: Tensor, images: Tensor, side: int, draws: Draws) -> Tensor:
        """A square of each channel at one end of its range."""
        inside = _window(images, side, draws)
        ends = (images + self.ball.eps * draws.signs(images[:, :, :1, :1])).clamp(0, 1)
        return torch.where(inside[:, None], ends, moved)

    def _tiles(self, images: Tensor, draws: Draws) -> Tensor:
        """Signed bumps on a grid of five by five, together of length eps."""
        height, width = images.shape[-2:]
        change = torch.zeros_like(images)
        side = max(1, min(height, width) // 5)
        for row in range(0, height - side + 1, side):
            for column in range(0, width - side + 1, side):
                signs = draws.signs(images[:, :, :1, :1])
                change[..., row : row + side, column : column + side] = signs * _bump(side, draws, images)
        return self.ball.project(images + self.ball.eps * self.ball.steepest(change), around=images)

    def _shifted(self, moved: Tensor, images: Tensor, side: int, draws: Draws) -> Tensor:
        """Length taken from one window, and what is left of the radius, put as a bump into another."""
        change = moved - images
        new, old = _window(images, side, draws)[:, None], _window(images, side, draws)[:, None]
        unused = (self.ball.eps**2 - change.square().sum(dim=(1, 2, 3), keepdim=True)).clamp_min(0)
        held = (change * (new | old)).square().sum(dim=(2, 3), keepdim=True)
        available = (held + unused / change.shape[1]).sqrt()
        bump = torch.zeros_like(change)
        bump[new.expand_as(change)] = (draws.signs(change[:, :, :1, :1]) * _bump(side, draws, images)).flatten()
        inside = change * new
        length = inside.square().sum(dim=(2, 3), keepdim=True).sqrt()
        bump = bump + inside / torch.where(length > 0, length, 1)
        length = bump.square().sum(dim=(2, 3), keepdim=True).sqrt()
        placed = bump / torch.where(length > 0, length, 1) * available
        change = torch.where(new, placed, torch.where(old, 0, change))
        return self.ball.project(images + change, around=images)


def _window(images: Tensor, side: int, draws: Draws) -> Tensor:
    """One square of this side per image, as a mask (B, H, W)."""
    height, width = images.shape[-2:]
    corners = draws.uniform(images[:, 0, 0, :1].expand(-1, 2).double())
    top = (corners[:, :1] * (height - side + 1)).long()
    left = (corners[:, 1:] * (width - side + 1)).long()
    rows, columns = (torch.arange(n, device=images.device)[None] for n in (height, width))
    tall = (rows >= top) & (rows < top + side)
    wide = (columns >= left) & (columns < left + side)
    return tall[:, :, None] & wide[:, None, :]


def _bump(side: int, draws: Draws, images: Tensor) -> Tensor:
    """(B, 3, side, side) two rounded hills of opposite sign, lying or standing, of length 1 in each channel."""
    bump = torch.zeros(side, side, dtype=images.dtype, device=images.device)
    half = side // 2
    bump[:half] = _hill(half, side, bump) if half else 0
    bump[half:] = -_hill(side - half, side, bump)
    bump = bump / bump.norm()
    standing = draws.uniform(images[:, 0, 0, 0])[:, None, None] < 0.5
    both = torch.where(standing, bump.T, bump)[:, None]
    return both.expand(-1, images.shape[1], -1, -1)


def _hill(height: int, width: int, like: Tensor) -> Tensor:
    """(height, width) that falls from the centre outwards as the paper's sums of 1 / k^2."""
    rows = torch.arange(height, dtype=like.dtype, device=like.device)
    columns = torch.arange(width, dtype=like.dtype, device=like.device)
    across = torch.minimum(rows, height - 1 - rows)[:, None]
    along = torch.minimum(columns, width - 1 - columns)[None]
    ring = torch.minimum(across, along).long()  # 0 at the border
    falling = 1 / torch.arange(int(ring.max()) + 1, 0, -1, dtype=like.dtype, device=like.device) ** 2
    return falling.cumsum(0)[ring]
