"""All metrics at once."""

from math import isnan

from hypothesis import given

from oodkit.metrics import aupr, auroc, auroc_interval, detection_error, fpr_at_tpr, summarise
from tests.metrics.samples import Array, any_scores


@given(any_scores, any_scores)
def test_each_value_is_that_of_its_own_function(a: Array, b: Array) -> None:
    """Sharing the sorted scores changes no bit."""
    metrics = summarise(a, b)
    assert metrics.auroc == auroc(a, b)
    assert metrics.aupr_in == aupr(a, b, positive="in")
    assert metrics.aupr_out == aupr(a, b, positive="out")
    assert metrics.fpr95_in == fpr_at_tpr(a, b, positive="in")
    assert metrics.fpr95_out == fpr_at_tpr(a, b, positive="out")
    assert metrics.detection_error == detection_error(a, b)
    interval = auroc_interval(a, b)
    assert metrics.auroc_ci == (interval.low, interval.high) or min(len(a), len(b)) == 1


def test_a_single_score_leaves_the_interval_open() -> None:
    """The other metrics are still defined."""
    metrics = summarise([1.0], [0.0, 2.0])
    assert metrics.auroc == 0.5
    assert all(isnan(end) for end in metrics.auroc_ci)


def test_values_are_plain_floats() -> None:
    """They go into JSON as they are."""
    values = vars(summarise([1, 2, 3], [0, 2])).values()
    assert {type(x) for x in values} == {float, tuple}
    assert {type(end) for end in summarise([1, 2, 3], [0, 2]).auroc_ci} == {float}
