"""k-NN accuracy against AUROC over backbones."""

import math

import pytest

from oodkit.errors import InvalidInput
from oodkit.report.correlation import correlations, fit_line, plot_correlations
from tests.report.make import HOSTILE, record


def points(*values, **given):
    """A record for each (accuracy, AUROC), of backbones b0, b1, ..."""
    return [
        record(backbone=f"b{i}", auroc=auroc, provenance={"knn_accuracy": accuracy, "image_text": False}, **given)
        for i, (accuracy, auroc) in enumerate(values)
    ]


def test_r_squared_of_points_that_can_be_checked_by_hand():
    """x = 0, 1, 2, 3 and y = 0, 1, 0, 1: r = 1 / sqrt 5, slope 1/5; the interval is tanh(atanh r +- 1.96), which
    holds 0."""
    fit = fit_line("all", [0, 1, 2, 3], [0, 1, 0, 1])
    assert fit.r_squared == pytest.approx(0.2)
    assert (fit.slope, fit.intercept) == (pytest.approx(0.2), pytest.approx(0.2))
    high = math.tanh(math.atanh(1 / math.sqrt(5)) + 1.959964)
    assert fit.interval == (0, pytest.approx(high**2, abs=1e-6))


def test_an_interval_without_0_is_that_of_r_squared():
    """Also where the line falls: both ends are squared, and the smaller comes first."""
    x = list(range(10))
    y = [-value + (0.5 if value % 2 else -0.5) for value in x]
    fit = fit_line("all", x, y)
    assert fit.slope < 0
    z, half = math.atanh(math.sqrt(fit.r_squared)), 1.959964 / math.sqrt(7)
    assert fit.interval == pytest.approx((math.tanh(z - half) ** 2, math.tanh(z + half) ** 2), abs=1e-6)
    assert fit.interval[0] < fit.r_squared < fit.interval[1]


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([0.5], [0.9], "1 backbone: no R², fewer than 3"),
        ([0.5, 0.6], [0.9, 0.8], "2 backbones: no R², fewer than 3"),
        ([0.5, 0.5, 0.5], [0.9, 0.8, 0.7], "the same accuracy or AUROC"),
        ([0.5, 0.6, 0.7], [0.9, 0.8, 0.75], "R² 0.964, too few for an interval: it says little"),
    ],
)
def test_too_few_backbones_are_said_to_be(x, y, words):
    """Two points always lie on a line: no figure is made of them."""
    fit = fit_line("all", x, y)
    assert words in str(fit)
    assert fit.interval is None


def test_each_pair_is_correlated_over_its_backbones():
    """With the nearest neighbour alone; cells that failed or have no accuracy are left out."""
    known = points((0.5, 0.6), (0.6, 0.7), (0.7, 0.8))
    other = points((0.5, 0.9), (0.6, 0.7), out="mice")
    left_out = [
        record(scorer="msp", params={}, auroc=0.1),
        record(backbone="b8", error="no"),
        record(backbone="b9", provenance={"knn_accuracy": None}),
    ]
    first, second = correlations([*known, *left_out, *other])
    assert [(p.backbone, p.accuracy, p.auroc) for p in first.points] == [
        ("b0", 0.5, 0.6),
        ("b1", 0.6, 0.7),
        ("b2", 0.7, 0.8),
    ]
    assert (first.title, first.fits[0].r_squared) == ("cats -> dogs", pytest.approx(1))
    assert (second.title, second.fits[0].r_squared) == ("cats -> mice", None)


def test_seeds_are_averaged_first():
    """Accuracy and AUROC both."""
    given = [
        record(seed=seed, auroc=auroc, provenance={"knn_accuracy": accuracy})
        for seed, accuracy, auroc in ((0, 0.5, 0.7), (1, 0.7, 0.8))
    ]
    ((point,),) = [one.points for one in correlations(given)]
    assert (point.accuracy, point.auroc) == (pytest.approx(0.6), pytest.approx(0.75))


def test_backbones_with_text_towers_are_a_group_of_their_own():
    """Where there are others as well, all together are a third."""
    given = points((0.5, 0.6), (0.6, 0.7), (0.7, 0.9))
    clip = [record(backbone=f"c{i}", auroc=0.9, provenance={"knn_accuracy": 0.8, "image_text": True}) for i in (0, 1)]
    (found,) = correlations([*given, *clip])
    assert [(fit.group, fit.count) for fit in found.fits] == [("image-text", 2), ("other", 3), ("all", 5)]


def test_settings_are_not_mixed():
    """A limit or a view makes another study; two input sizes are two points of one."""
    sizes = [record(image_size=size, provenance={"knn_accuracy": 0.5}) for size in (16, 32)]
    limited = record(provenance={"knn_accuracy": 0.5, "limit": 100})
    whole, part = correlations([*sizes, limited])
    assert [point.backbone for point in whole.points] == ["tiny, 16 px", "tiny, 32 px"]
    assert part.title == "cats -> dogs, limit 100"


def test_nothing_to_correlate_is_an_error():
    """No cell of the scorer, or no accuracy beside it."""
    with pytest.raises(InvalidInput, match="no results of scorer knn"):
        correlations([record(scorer="msp", params={})])
    with pytest.raises(InvalidInput, match="has a k-NN accuracy"):
        correlations([record()])


@pytest.mark.parametrize("file", ["p.png", "p.svg", "p.pdf"])
def test_the_plot_is_a_file(tmp_path, file):
    """Whatever backbones are called."""
    given = points((0.5, 0.6), (0.6, 0.7), (0.7, 0.8)) + points((0.5, 0.9), out="mi$ce$")
    given += [record(backbone=HOSTILE, provenance={"knn_accuracy": 0.4, "image_text": True})]
    plot_correlations(correlations(given), tmp_path / file)
    assert (tmp_path / file).stat().st_size > 2000


def test_an_unknown_ending_is_refused(tmp_path):
    """Before anything is drawn."""
    with pytest.raises(InvalidInput, match="cannot plot"):
        plot_correlations(correlations(points((0.5, 0.6))), tmp_path / "p.gif")
