"""Why an AUROC may mislead, as far as its own numbers tell."""

import math

UNDER_50 = "AUROC under 50"
_MOST_TIES = 1e-3


def figure_doubts(
    auroc: float,
    n_in: int,
    n_out: int,
    auroc_ci: tuple[float, float] | None = None,
    ties: float | None = None,
    digits: int = 1,
) -> tuple[str, ...]:
    """Lines that belong beside a figure; none where its numbers bear it.

    Args:
        auroc: a fraction.
        n_in: number of in-images scored.
        n_out: number of out-images scored.
        auroc_ci: its 95 % interval; None to estimate it by Hanley and McNeil from the AUROC and the numbers of images.
        ties: share of pairs of an in- and an out-image with equal scores.
        digits: decimals of per cent that a reader takes seriously. The number of images does not bear them where the
            interval is wider than ten units of the last.
    """
    if auroc_ci is None or any(math.isnan(end) for end in auroc_ci):
        auroc_ci = hanley_mcneil_interval(auroc, n_in, n_out)
    low, high = auroc_ci
    found = []
    if auroc < 0.5:
        chance = "within chance" if high >= 0.5 else "out-images score above in-images"
        found.append(f"{UNDER_50}: {chance}")
    if ties is not None and ties > _MOST_TIES:
        found.append(f"{100 * ties:.2g} % of in/out pairs have equal scores")
    width = 100 * (high - low)
    if width > 10 ** (1 - digits):
        found.append(f"few images ({n_in:,} in, {n_out:,} out): the 95 % interval is {width:.1f} points wide")
    return tuple(found)


def hanley_mcneil_interval(auroc: float, n_in: int, n_out: int) -> tuple[float, float]:
    """A 95 % interval from the AUROC and the numbers of images alone, cut to [0, 1].

    Source: Hanley and McNeil, Radiology 1982, with exponential scores.
    """
    q1, q2 = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    spread = auroc * (1 - auroc) + (n_in - 1) * (q1 - auroc**2) + (n_out - 1) * (q2 - auroc**2)
    half = 1.96 * math.sqrt(max(0.0, spread) / (n_in * n_out))
    return max(0.0, auroc - half), min(1.0, auroc + half)
