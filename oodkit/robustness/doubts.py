"""Signs that an attack found too little, so that a detector looks more robust than it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_SHARE = 0.01  # of images, above which a sign is reported
_MARGIN = 0.01  # of the spread of in-scores, below which two attacks count as equal


@dataclass(frozen=True)
class Found:
    """What one attack of one radius made of one side.

    Attributes:
        attack: its name.
        eps: its radius.
        side: "out" or "in".
        scores: (N,) of the attacked images.
        zero_slopes: share of images whose first gradient was exactly zero.
        calls: evaluations of the score per image.
        white_box: whether it takes gradients.
    """

    attack: str
    eps: float
    side: str
    scores: NDArray[np.float64] = field(repr=False)
    zero_slopes: float
    calls: int
    white_box: bool

    @property
    def reached(self) -> NDArray[np.float64]:
        """Scores with the sign that the attacker raises."""
        return self.scores if self.side == "out" else -self.scores


def doubts(
    found: Sequence[Found],
    clean_in: NDArray[np.float64],
    clean_out: NDArray[np.float64],
    clean_out_again: NDArray[np.float64],
    draws: int,
) -> Iterator[str]:
    """A line for each sign; the signs are those that AutoAttack's checks look for, on a score.

    Args:
        found: what the attacks made.
        clean_in: (N,) scores of the in-images.
        clean_out: (M,) scores of the OOD images.
        clean_out_again: the same, computed a second time.
        draws: scores averaged in each evaluation.

    Source: Croce & Hein, AutoAttack's flags; Carlini et al., arXiv:1902.06705.
    """
    spread = float(clean_in.std()) or 1.0
    if draws == 1 and np.abs(clean_out - clean_out_again).max() > 1e-6 * max(1.0, float(np.abs(clean_out).max())):
        yield "scores differ from one pass to the next: average several draws, or the attacks see noise"
    for name in dict.fromkeys(one.attack for one in found):
        share = max(one.zero_slopes for one in found if one.attack == name)
        if share > 0:
            yield f"{name}: the gradient is exactly zero for {100 * share:.3g} % of the images; add the attack square"
    for one in found:
        clean = clean_out if one.side == "out" else -clean_in
        still = float((one.reached <= clean + _MARGIN * spread).mean())
        if one.white_box and one.eps > 0 and one.zero_slopes < still and still > 0.5:
            yield (
                f"{one.attack} ({_where(one)}): {100 * still:.3g} % of the images score as they did, though not all of "
                "their gradients are zero; give it more and smaller steps, or add the attack square"
            )
    for first, second in combinations(found, 2):
        if (first.eps, first.side) != (second.eps, second.side) or first.attack == second.attack:
            continue
        weak, strong = sorted((first, second), key=lambda one: (one.white_box, one.calls))
        ahead = float((weak.reached > strong.reached + _MARGIN * spread).mean())
        if ahead > _SHARE and not weak.white_box and strong.white_box:
            yield _line(weak, strong, ahead, "without gradients", "gradients may be masked")
        elif ahead > _SHARE and weak.white_box and weak.calls < strong.calls:
            yield _line(weak, strong, ahead, "with fewer evaluations", "give it more steps or restarts")


def _line(weak: Found, strong: Found, share: float, how: str, then: str) -> str:
    better = f"{weak.attack} {how} does better for {100 * share:.3g} % of the images"
    return f"{strong.attack} ({_where(weak)}): {better}; {then}"


def _where(one: Found) -> str:
    return f"eps {255 * one.eps:.3g}/255, {one.side}-images"
