"""Critical-difference diagram: methods on a line by their mean rank, joined where ranks do not tell them apart."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics.ranks import average_ranks, nemenyi_critical_difference

ALPHA = 0.05
_WIDTH, _MARGIN, _ROW, _TOP, _CHARACTER = 760.0, 24.0, 20.0, 58.0, 6.7


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of methods over pairs, 1 the best, and the difference that Nemenyi's test calls significant.

    Attributes:
        names: of the methods, best rank first.
        ranks: their mean ranks, ascending.
        critical_difference: mean ranks at least this far apart differ, at level ALPHA over all pairs of methods.
        pairs: number of in/out pairs that were ranked on.
        over: what these are, where each was run with several backbones.
    """

    names: tuple[str, ...]
    ranks: tuple[float, ...]
    critical_difference: float
    pairs: int
    over: str = "pairs"

    @property
    def groups(self) -> list[tuple[int, int]]:
        """Places of the first and last method of each largest run of two or more that ranks do not tell apart."""
        found: list[tuple[int, int]] = []
        for first, rank in enumerate(self.ranks):
            last = max(i for i, other in enumerate(self.ranks) if other - rank < self.critical_difference)
            if last > first and (not found or last > found[-1][1]):
                found.append((first, last))
        return found


def rank_methods(names: Sequence[str], table: ArrayLike) -> Ranking:
    """Rank methods by their AUROCs.

    Args:
        names: of the methods.
        table: (methods, pairs) AUROCs, or other figures of which higher is better; none missing.

    Raises:
        TooFewSamples: there are fewer than two methods or two pairs.
        InvalidInput: names and table do not fit, or the table holds NaN.
    """
    values = np.asarray(table, dtype=np.float64)
    if values.ndim != 2 or len(values) != len(names):
        raise InvalidInput(f"the table must have a row for each of the {len(names)} names, got shape {values.shape}")
    if min(values.shape) < 2:
        raise TooFewSamples(f"ranks need at least 2 methods and 2 pairs, got {values.shape[0]} and {values.shape[1]}")
    ranks = average_ranks(values)
    order = np.argsort(ranks, kind="stable")
    return Ranking(
        names=tuple(names[i] for i in order),
        ranks=tuple(float(ranks[i]) for i in order),
        critical_difference=nemenyi_critical_difference(len(names), values.shape[1], ALPHA),
        pairs=values.shape[1],
    )


def critical_difference_svg(ranking: Ranking) -> str:
    """The diagram as an SVG element that takes colour and font from the page around it."""
    drawing = _draw(ranking)
    parts = [
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="{width}"/>'
        for x1, y1, x2, y2, width in drawing.lines
    ]
    texts = [
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        for x, y, anchor, text in drawing.texts
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" '
        f'width="{drawing.width:.0f}" height="{drawing.height:.0f}" role="img" '
        f'aria-label="{escape(_in_words(ranking), quote=True)}">'
        f'<g stroke="currentColor" stroke-linecap="square">{"".join(parts)}</g>'
        f'<g fill="currentColor" font-family="system-ui, sans-serif" font-size="12">{"".join(texts)}</g></svg>'
    )


def plot_critical_difference(ranking: Ranking, path: str | os.PathLike[str]) -> None:
    """Draw the diagram into a file: SVG by its ending, else PNG or PDF.

    Raises:
        InvalidInput: the ending is another one.
    """
    target = Path(path)
    if target.suffix.lower() == ".svg":
        target.write_text(critical_difference_svg(ranking), encoding="utf-8")
        return
    if target.suffix.lower() not in (".png", ".pdf"):
        raise InvalidInput(f"cannot draw into {target.name!r}; end the file name in .svg, .png or .pdf")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = _draw(ranking)
    figure = Figure(figsize=(drawing.width / 100, drawing.height / 100))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, drawing.width), ylim=(drawing.height, 0))
    axes.set_axis_off()
    for x1, y1, x2, y2, width in drawing.lines:
        axes.plot([x1, x2], [y1, y2], color="black", linewidth=0.72 * width)
    sides = {"start": "left", "middle": "center", "end": "right"}
    for x, y, anchor, text in drawing.texts:
        # A name is no formula, whatever signs are in it.
        axes.text(x, y, text, ha=sides[anchor], va="baseline", fontsize=8.6, parse_math=False)
    figure.savefig(target, dpi=200)


@dataclass(frozen=True)
class _Drawing:
    width: float
    height: float
    lines: list[tuple[float, float, float, float, float]]  # x1, y1, x2, y2, width
    texts: list[tuple[float, float, str, str]]  # x, y, anchor, text


def _draw(ranking: Ranking) -> _Drawing:
    count = len(ranking.names)
    left = (count + 1) // 2  # the better half is named on the left, the others on the right
    label = _CHARACTER * max(len(name) for name in ranking.names) + 46
    width = max(_WIDTH, 2 * label + 320)
    start, end = label + _MARGIN, width - label - _MARGIN

    def x_of(rank: float) -> float:
        return start + (rank - 1) / (count - 1) * (end - start)

    lines = [(start, _TOP, end, _TOP, 1.2)]
    texts = []
    step = max(1, round((count - 1) / 12))
    for tick in range(1, count + 1, step):
        lines.append((x_of(tick), _TOP - 5, x_of(tick), _TOP, 1.0))
        texts.append((x_of(tick), _TOP - 9, "middle", str(tick)))
    difference = min(ranking.critical_difference, count - 1)
    lines.append((start, 20.0, x_of(1 + difference), 20.0, 1.6))
    lines += [(x, 16.0, x, 24.0, 1.6) for x in (start, x_of(1 + difference))]
    beyond = " (wider than the scale)" if ranking.critical_difference > count - 1 else ""
    note = f"critical difference {ranking.critical_difference:.2f}{beyond}, {ranking.pairs} {ranking.over}"
    texts.append((start, 12.0, "start", note))

    groups = ranking.groups
    below = _TOP + 10
    for place, (first, last) in enumerate(groups):
        y = below + 7 * place
        lines.append((x_of(ranking.ranks[first]) - 3, y, x_of(ranking.ranks[last]) + 3, y, 3.6))
    below += 7 * len(groups) + 12
    for place, (name, rank) in enumerate(zip(ranking.names, ranking.ranks, strict=True)):
        is_left = place < left
        y = below + _ROW * (place if is_left else count - 1 - place)
        edge = label if is_left else width - label
        lines += [(x_of(rank), _TOP, x_of(rank), y, 1.0), (x_of(rank), y, edge, y, 1.0)]
        text = f"{name}  {rank:.2f}" if is_left else f"{rank:.2f}  {name}"
        texts.append((edge - 6 if is_left else edge + 6, y + 4, "end" if is_left else "start", text))
    return _Drawing(width, below + _ROW * left, lines, texts)


def _in_words(ranking: Ranking) -> str:
    listed = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(ranking.names, ranking.ranks, strict=True))
    return (
        f"Mean ranks over {ranking.pairs} {ranking.over}, 1 is best: {listed}. "
        f"Ranks that differ by less than {ranking.critical_difference:.2f} do not differ significantly."
    )
