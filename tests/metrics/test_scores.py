"""What every metric accepts and refuses."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from oodkit.errors import InvalidInput
from oodkit.metrics import (
    aupr,
    auroc,
    auroc_interval,
    detection_error,
    fpr_at_tpr,
    roc_curve,
    summarise,
    tie_fraction,
)
from oodkit.metrics.scores import by_positive, sorted_scores

Metric = Callable[[Any, Any], object]
METRICS: dict[str, Metric] = {
    "auroc": auroc,
    "auroc_interval": auroc_interval,
    "aupr_in": partial(aupr, positive="in"),
    "aupr_out": partial(aupr, positive="out", method="trapezoid"),
    "fpr_in": partial(fpr_at_tpr, positive="in"),
    "fpr_out": partial(fpr_at_tpr, positive="out"),
    "detection_error": detection_error,
    "tie_fraction": tie_fraction,
    "roc_curve": roc_curve,
    "summarise": summarise,
}
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


@every_metric
def test_nan_is_an_error_that_counts_and_names_the_side(metric: Metric) -> None:
    """NaN has no rank: the message says how many there are, of how many, on which side."""
    with pytest.raises(InvalidInput, match=r"in_scores holds NaN in 2 of 3 places"):
        metric([np.nan, 1.0, np.nan], [0.0])
    with pytest.raises(InvalidInput, match=r"out_scores holds NaN in 1 of 2 places"):
        metric([1.0], [np.inf, np.nan])


@every_metric
def test_an_empty_side_is_an_error_and_not_one_half(metric: Metric) -> None:
    """With one side only nothing can be told apart; the message names the empty side."""
    with pytest.raises(InvalidInput, match="in_scores is empty"):
        metric([], [1.0])
    with pytest.raises(InvalidInput, match="out_scores is empty"):
        metric([1.0], np.zeros(0, dtype=np.float32))


@every_metric
@pytest.mark.parametrize(("wrong", "shape"), [([[1.0], [2.0]], r"\(2, 1\)"), (3.0, r"\(\)")])
def test_scores_are_one_dimensional(metric: Metric, wrong: object, shape: str) -> None:
    """A column or a scalar is refused with its shape."""
    with pytest.raises(InvalidInput, match=rf"out_scores must have shape \(N,\), got {shape}"):
        metric([1.0], wrong)


@pytest.mark.parametrize("wrong", [["1", "2"], [1j], [None, 1.0], [object()], np.array(["2020"], "datetime64[Y]")])
def test_what_is_not_a_real_number_is_refused(wrong: object) -> None:
    """Text that looks like numbers, complex numbers, None and objects are never converted in silence."""
    with pytest.raises(InvalidInput, match="in_scores must hold real numbers, got dtype"):
        auroc(wrong, [1.0])  # type: ignore[arg-type]


def test_a_ragged_list_is_refused_in_one_line() -> None:
    """What NumPy cannot read is an error of ours, with NumPy's reason."""
    with pytest.raises(InvalidInput, match="in_scores cannot be read as an array of numbers") as raised:
        auroc([[1.0], [1.0, 2.0]], [1.0])
    assert "\n" not in str(raised.value)


@every_metric
def test_infinities_and_signed_zeros_are_scores(metric: Metric) -> None:
    """Infinities have a rank, and -0.0 ties 0.0: the results are those of the ranks."""
    np.testing.assert_equal(
        metric([np.inf, 0.0, -0.0, np.inf], [-np.inf, -0.0, np.inf, 0.0]), metric([2, 1, 1, 2], [0, 1, 2, 1])
    )


@every_metric
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint8, np.int64, bool, ">f4"])
def test_every_real_dtype_gives_the_same(metric: Metric, dtype: str) -> None:
    """The numbers count, not how they are stored."""
    a, b = np.array([1, 1, 0, 1]), np.array([0, 1, 0])
    np.testing.assert_equal(metric(a.astype(dtype), b.astype(dtype)), metric(a.tolist(), b.tolist()))


@every_metric
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int64])
def test_torch_tensors_are_taken_as_they_are(metric: Metric, dtype: torch.dtype) -> None:
    """Tensors of any dtype, bfloat16 and gradient graphs included, count as their numbers."""
    a, b = [3.0, 3.0, 4.0, 5.0], [1.0, 3.0, 2.0]
    in_tensor = torch.tensor(a, dtype=dtype).requires_grad_(dtype.is_floating_point)
    np.testing.assert_equal(metric(in_tensor, torch.tensor(b, dtype=dtype)), metric(a, b))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_torch_tensors_may_lie_on_a_gpu() -> None:
    """The device of a tensor does not matter."""
    assert auroc(torch.tensor([2.0, 1.0], device="cuda"), torch.tensor([1.0], device="cuda")) == 0.75


def test_float32_stays_float32_when_both_sides_are() -> None:
    """Sorting float32 is faster; a float64 side makes both float64, so that nothing is rounded."""
    single, double = np.ones(2, np.float32), np.ones(2)
    assert [x.dtype for x in sorted_scores(single, single)] == [np.float32, np.float32]
    assert [x.dtype for x in sorted_scores(single, double)] == [np.float64, np.float64]
    assert [x.dtype for x in sorted_scores(double, single)] == [np.float64, np.float64]


def test_inputs_are_left_alone() -> None:
    """Sorting happens on copies, of arrays and tensors alike, also of strided views."""
    whole = np.arange(10, dtype=np.float32)[::-1].copy()
    tensor = torch.tensor([3.0, 1.0, 2.0])
    summarise(whole[::2], whole)
    summarise(tensor, tensor)
    np.testing.assert_array_equal(whole, np.arange(10)[::-1])
    assert tensor.tolist() == [3.0, 1.0, 2.0]


def test_by_positive_puts_the_sought_side_first_and_high() -> None:
    """With OOD positive both signs turn, and both sides stay ascending."""
    a, b = np.array([1.0, 2.0]), np.array([0.0, 3.0])
    positives, negatives = by_positive(a, b, "out")
    assert positives.tolist() == [-3.0, -0.0]
    assert negatives.tolist() == [-2.0, -1.0]
    assert by_positive(a, b, "in") == (a, b)
