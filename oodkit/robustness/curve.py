"""AUROC under attack against the radius."""

from pathlib import Path
from textwrap import fill

from oodkit.evaluation.plot import check_plot_path
from oodkit.robustness.evaluation import CLEAN, Robustness


def plot_robustness(robustness: Robustness, path: str | Path) -> None:
    """Draw a panel per attacked side and a line per attack, with 95 % intervals, as PNG.

    Raises:
        InvalidInput: the path does not end in .png, or its folder does not exist.
    """
    file = Path(path)
    check_plot_path(file)
    from matplotlib.figure import Figure

    clean = next(result for result in robustness.results if result.attack == CLEAN)
    sides = list(dict.fromkeys(result.side for result in robustness.results if result.attack != CLEAN))
    names = list(dict.fromkeys(result.attack for result in robustness.results if result.attack != CLEAN))
    figure = Figure(figsize=(1.2 + 3.6 * len(sides), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sides), sharey=True, squeeze=False)[0]
    titles = {"out": "OOD images attacked", "in": "in-images attacked", "both": "both attacked"}
    for panel, side in zip(panels, sides, strict=True):
        for name in names:
            cells = [clean, *(r for r in robustness.results if (r.attack, r.side) == (name, side))]
            levels = [255 * cell.eps for cell in cells]
            values = [100 * cell.auroc for cell in cells]
            panel.plot(levels, values, marker="o", markersize=4, label=name)
            panel.fill_between(
                levels, *zip(*((100 * a, 100 * b) for a, b in (c.auroc_ci for c in cells)), strict=True), alpha=0.15
            )
        panel.axhline(50, color="grey", linewidth=0.8, linestyle=":")
        panel.set(title=titles[side], xlabel=f"eps of {robustness.norm}, grey levels of 255", ylim=(-2, 102))
    panels[0].set_ylabel("AUROC, %")
    panels[-1].legend(frameon=False)
    title = f"{robustness.in_} against {robustness.out}: {robustness.scorer} on {robustness.backbone}"
    figure.suptitle(fill(title, int(14 * figure.get_figwidth())), fontsize=9)
    figure.savefig(file, dpi=150)
