"""Why a figure may mislead, beside the figure."""

from collections.abc import Sequence

TOO_WIDE = 0.01  # half-width of the interval, from which on the digits after the point say little
MANY_TIES = 1e-3


def figure_doubts(
    auroc: float, interval: tuple[float, float] | None, ties: float, n_in: int, n_out: int
) -> tuple[str, ...]:
    """Doubts that the figure itself raises, one line each.

    Args:
        auroc: a fraction.
        interval: its 95 % interval.
        ties: share of pairs of images with equal scores.
        n_in: number of in-images.
        n_out: number of out-images.
    """
    lines = []
    if auroc < 0.5:
        lines.append("AUROC under 50: out-images score higher than in-images; what the scorer assumes fails here")
    if interval is None:
        lines.append(f"too few images for an interval: {n_in} in, {n_out} out")
    elif (interval[1] - interval[0]) / 2 > TOO_WIDE:
        lines.append(
            f"few images ({n_in:,} in, {n_out:,} out): the interval reaches more than a point to either side, so the "
            "digits behind the point mean little"
        )
    if ties > MANY_TIES:
        lines.append("more than 0.1 % of the pairs of images have equal scores, which count one half")
    return tuple(lines)


def shared_classes(in_names: Sequence[str] | None, out_names: Sequence[str] | None) -> str | None:
    """A line about class names that both sets have; None where there are none."""
    if in_names is None or out_names is None:
        return None
    shared = sorted({_plain(name) for name in in_names} & {_plain(name) for name in out_names} - {""})
    if not shared:
        return None
    more = f" and {len(shared) - 5} more" if len(shared) > 5 else ""
    return f"in- and out-set share classes: {', '.join(shared[:5])}{more}"


def _plain(name: str) -> str:
    return "" if name.isdigit() else " ".join(name.lower().replace("_", " ").replace("-", " ").split())
