"""Two detectors on the same images: the difference of their AUROCs, and how sure one may be of it."""

from dataclasses import dataclass
from math import erfc, isnan, nan, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from oodkit.errors import InvalidInput
from oodkit.metrics.delong import check_level
from oodkit.metrics.placements import doubled_placements, total
from oodkit.metrics.scores import ascending, checked_scores


@dataclass(frozen=True)
class PairedDifference:
    """How much higher the AUROC of detector A is than that of B on the same images, all as fractions.

    Attributes:
        auroc_a: the AUROC of A.
        auroc_b: the AUROC of B.
        difference: `auroc_a` - `auroc_b`.
        low: lower end of the interval of the difference; NaN if a side has a single image.
        high: upper end of the interval of the difference; NaN if a side has a single image.
        standard_error: DeLong's, of the difference; NaN if a side has a single image.
        p_value: two-sided, for no difference; NaN if a side has a single image.
        zero_variance: the standard error is 0, so p is 1 or 0 and the interval has no width: these follow from
            the formula but measure no uncertainty. It happens where both detectors order all pairs alike, and
            where both separate them (or one does and the other inverts them).
    """

    auroc_a: float
    auroc_b: float
    difference: float
    low: float
    high: float
    standard_error: float
    p_value: float
    zero_variance: bool


def paired_delong(
    in_a: ArrayLike, out_a: ArrayLike, in_b: ArrayLike, out_b: ArrayLike, level: float = 0.95
) -> PairedDifference:
    """Compare the AUROCs of two detectors on the same images by DeLong's test for correlated curves.

    The variance of the difference is that of its placements, v(A) + v(B) - 2 cov(A, B):

        s^2(V_A - V_B) / N + s^2(W_A - W_B) / M

    with V the share of OOD images below each in-image, W the share of in-images above each OOD image (ties count
    one half), and s^2 with N - 1 and M - 1. The differences are integers before they are scaled, so a detector and a
    strictly increasing map of it differ by exactly 0. Takes O((N + M) log(N + M)).

    Test and interval are normal: rough below some tens of images a side, and where both AUROCs are close to 1.
    They cover the draw of test images only, and take images as independent.

    Args:
        in_a: (N,) scores that detector A gives the in-distribution images; higher is more in-distribution.
        out_a: (M,) scores that A gives the OOD images.
        in_b: (N,) scores that detector B gives the same in-distribution images, in the same order.
        out_b: (M,) scores that B gives the same OOD images, in the same order.
        level: coverage of the interval, a fraction in (0, 1).

    Raises:
        InvalidInput: a side is not one-dimensional, is empty, holds NaN or holds no real numbers; A and B differ
            in their numbers of images; or `level` is outside (0, 1).

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 1988; Sun and Xu, IEEE Signal Processing Letters 2014.
    """
    check_level(level)
    a = checked_scores(in_a, out_a, ("in_a", "out_a"))
    b = checked_scores(in_b, out_b, ("in_b", "out_b"))
    for of_a, of_b, side in zip(a, b, ("in", "out"), strict=True):
        if len(of_a) != len(of_b):
            raise InvalidInput(
                f"{side}_a has {len(of_a)} scores and {side}_b has {len(of_b)}; a paired test needs both detectors' "
                "scores of the same images, in the same order"
            )
    n_in, n_out = len(a[0]), len(a[1])
    pairs = 2 * n_in * n_out  # doubled like the placements
    in_placements = [doubled_placements(inside, ascending(outside)) for inside, outside in (a, b)]
    won_a, won_b = (total(placements) for placements in in_placements)
    area_a, area_b, difference = won_a / pairs, won_b / pairs, (won_a - won_b) / pairs
    if min(n_in, n_out) == 1:
        return PairedDifference(area_a, area_b, difference, nan, nan, nan, nan, False)

    in_gains = in_placements[0] - in_placements[1]
    out_placements = [doubled_placements(outside, ascending(inside)) for inside, outside in (a, b)]
    out_gains = out_placements[1] - out_placements[0]  # placements of OOD images count what is below: the errors
    if np.ptp(in_gains) == 0 and np.ptp(out_gains) == 0:
        p_value = 1.0 if won_a == won_b else 0.0
        return PairedDifference(area_a, area_b, difference, difference, difference, 0.0, p_value, True)

    variance = np.var(in_gains, ddof=1) / (4 * n_in * n_out**2)
    variance += np.var(out_gains, ddof=1) / (4 * n_out * n_in**2)
    error = sqrt(variance)
    half_width = -NormalDist().inv_cdf((1 - level) / 2) * error
    return PairedDifference(
        auroc_a=area_a,
        auroc_b=area_b,
        difference=difference,
        low=max(difference - half_width, -1.0),
        high=min(difference + half_width, 1.0),
        standard_error=error,
        p_value=erfc(abs(difference) / error / sqrt(2)),
        zero_variance=False,
    )


def smallest_detectable_difference(standard_error: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true difference of AUROCs that a paired test on these images would find with chance `power`.

        (z(1 - alpha / 2) + z(power)) * standard_error, with z the normal quantile

    which is 2.80 standard errors for the defaults. A difference that is not significant says something only if
    differences one cares about are larger than this. It takes the standard error as the one that the test would
    have at that difference, and leaves out the chance to be significant in the wrong direction. It may exceed what
    AUROCs can differ by: then these images can show no difference at all.

    Args:
        standard_error: `PairedDifference.standard_error`.
        alpha: level of the two-sided test, a fraction; divide by the number of tests if these are adjusted.
        power: chance to find the difference, a fraction between `alpha` and 1.

    Returns:
        A difference of fractions; NaN if the standard error is NaN, or 0 and thus measures no uncertainty.

    Raises:
        InvalidInput: not 0 < alpha < power < 1, or a negative or infinite standard error.
    """
    if not 0 < alpha < power < 1:
        raise InvalidInput(f"alpha and power must be fractions with 0 < alpha < power < 1, got {alpha} and {power}")
    if isnan(standard_error) or standard_error == 0:
        return nan
    if not 0 < standard_error < float("inf"):
        raise InvalidInput(f"standard_error must be finite and not negative, got {standard_error}")
    normal = NormalDist()
    return (normal.inv_cdf(power) - normal.inv_cdf(alpha / 2)) * standard_error
