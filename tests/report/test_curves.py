"""Histograms and ROC curves as the page draws them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oodkit.metrics import roc_curve
from oodkit.report.curves import BINS, STEPS, make_curves

scores = arrays(np.float64, st.integers(1, 60), elements=st.integers(-20, 20).map(float))


@given(scores, scores)
def test_a_drawn_roc_curve_stays_beside_the_exact_one(in_scores, out_scores):
    """Each exact point is within one hundredth of the drawn line; the line rises from (0, 0) to (1, 1)."""
    curves = make_curves(in_scores, out_scores)

    line = np.column_stack([curves.false, curves.true]) / STEPS
    assert (np.diff(line, axis=0) >= 0).all()
    assert line[0].tolist() == [0, 0]
    assert line[-1].tolist() == [1, 1]
    for point in np.column_stack(roc_curve(in_scores, out_scores)):
        assert _distance(point, line) < 0.01


@given(scores, scores)
def test_every_image_is_in_a_bin(in_scores, out_scores):
    """Bins hold per mille of each set, so they add up but for rounding."""
    curves = make_curves(in_scores, out_scores)

    assert curves.low < curves.high
    for bins in (curves.in_bins, curves.out_bins):
        assert len(bins) == BINS
        assert abs(sum(bins) - 1000) <= BINS / 2


def test_bins_hold_what_lies_in_them():
    """Two of four in-images lie in the first bin, two in the last; out-images in the middle."""
    curves = make_curves(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.5]))

    assert (curves.in_bins[0], curves.in_bins[-1], sum(curves.in_bins)) == (500, 500, 1000)
    assert curves.out_bins[BINS // 2] == 1000


def test_infinite_scores_are_drawn_at_the_ends():
    """A log of zero is a score too; the scale is that of the finite ones."""
    curves = make_curves(np.array([-np.inf, 0.0, 1.0]), np.array([-np.inf, -1.0]))

    assert (curves.low, curves.high) == (-1.0, 1.0)
    assert sum(curves.in_bins) == 999


def test_a_curve_of_many_images_has_few_points():
    """Twenty thousand scores need no more than some tens of points."""
    draw = np.random.default_rng(0)

    curves = make_curves(draw.normal(1.5, 1, 10_000), draw.normal(size=10_000))

    assert len(curves.true) < 100


def _distance(point, line):
    if len(line) == 1:
        return np.hypot(*(point - line[0]))
    start, step = line[:-1], np.diff(line, axis=0)
    along = ((point - start) * step).sum(axis=1) / (step**2).sum(axis=1)
    nearest = start + np.clip(along, 0, 1)[:, None] * step
    return np.hypot(*(point - nearest).T).min()
