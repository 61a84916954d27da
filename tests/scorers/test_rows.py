import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from oodkit.errors import InvalidInput
from oodkit.scorers import rows
from oodkit.scorers.rows import as_labels, as_tensor, check_finite, floating, is_mapped


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i2", "i4", "i8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_shared_not_copied(dtype, order) -> None:
    """An array of any dtype and order becomes a tensor over the same memory, read-only ones without a warning."""
    array = np.asarray(np.arange(6).reshape(2, 3) % 2, dtype=dtype, order=order)
    array.setflags(write=False)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = as_tensor(array, "features")

    assert tensor.data_ptr() == array.ctypes.data
    np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3)[::-1],
        np.arange(6.0).reshape(2, 3).astype(">f4"),
        np.arange(6.0).reshape(2, 3).astype(np.longdouble),
        np.arange(6.0).reshape(2, 3).astype(object),
        np.zeros(2, dtype=[("a", "f8", 3), ("b", "i1")])["a"],
    ],
    ids=["reversed", "big-endian", "longdouble", "object", "field"],
)
def test_what_torch_cannot_share_is_copied(array) -> None:
    """Reversed, byte-swapped, extended-precision, object and unaligned arrays keep their values."""
    np.testing.assert_array_equal(as_tensor(array, "features").numpy(), array.astype(float))


def test_other_containers() -> None:
    """Lists, data frames and whatever has `__array__` are taken; a tensor is detached and stays where it is."""

    class Features:
        def __array__(self, dtype=None, copy=None):
            return np.ones((2, 3), dtype=np.float32)

    tensor = torch.ones(2, 3, requires_grad=True)
    for values in ([[1, 1, 1], [1, 1, 1]], pd.DataFrame(np.ones((2, 3))), Features(), tensor):
        found = as_tensor(values, "features")
        assert found.tolist() == [[1, 1, 1], [1, 1, 1]]
        assert not found.requires_grad


def test_memory_mapped_files_are_known(tmp_path) -> None:
    """A mapped array is known as such, a slice or view of it as well; an array in memory is not."""
    np.save(tmp_path / "a.npy", np.ones((4, 3)))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")

    assert is_mapped(mapped)
    assert is_mapped(np.asarray(mapped)[1:, ::2])
    assert not is_mapped(np.load(tmp_path / "a.npy"))
    assert not is_mapped(torch.ones(2))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones(3), r"features must have shape \(N, D\), got \(3,\); Reshape your data to \(1, D\)"),
        (np.ones((1, 2, 3)), r"features must have shape \(N, D\), got \(1, 2, 3\)$"),
        (np.ones((5, 0)), r"0 feature\(s\) \(shape=\(5, 0\)\) while a minimum of 1 is required"),
        (np.ones((2, 2), dtype=complex), "Complex data not supported"),
        (torch.ones(2, 2, dtype=torch.complex64), "Complex data not supported"),
        (sparse.csr_array(np.eye(3)), "features is sparse"),
        (torch.eye(3).to_sparse(), "features is sparse"),
        ([["a", "b"]], "features must be an array of numbers: could not convert string to float"),
        ([[1, 2], [3]], "features must be an array of numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_one_line(values, message) -> None:
    """Other shapes, dtypes and containers are refused in one line that says what they are."""
    with pytest.raises(InvalidInput, match=message) as caught:
        as_tensor(values, "features")

    assert "\n" not in str(caught.value)


def test_dtypes_that_scorers_compute_in() -> None:
    """Half precision and small integers become float32, which holds them exactly; wide integers float64."""
    for dtype in (torch.float16, torch.bfloat16, torch.uint8, torch.int16, torch.bool, torch.float32):
        assert floating(torch.ones(1, dtype=dtype)).dtype == torch.float32
    for dtype in (torch.int32, torch.int64, torch.float64):
        assert floating(torch.ones(1, dtype=dtype)).dtype == torch.float64


@pytest.mark.parametrize(("bad", "word"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "inf")])
def test_rows_that_are_not_finite_are_counted_and_the_first_is_named(monkeypatch, bad, word) -> None:
    """The message has the number of bad rows and the index of the first, wherever a block begins."""
    monkeypatch.setattr(rows, "CHECK_BYTES", 8 * 3 * 2)
    values = torch.ones(11, 3, dtype=torch.float64)
    values[7, 1] = values[9, 0] = values[9, 2] = bad

    with pytest.raises(InvalidInput, match=rf"2 of 11 rows are not, the first is row 7 \({word}\)"):
        check_finite(values, "features")


def test_large_finite_values_are_finite() -> None:
    """Values near the limit of their dtype, whose sum overflows, are no infinity."""
    check_finite(torch.full((4, 4), 6e4, dtype=torch.float16), "features")
    check_finite(torch.full((4, 4), 1e308, dtype=torch.float64), "features")


@pytest.mark.parametrize("labels", [[0, 5, -1], np.array([0, 5, -1], dtype=np.int8), np.array([0.0, 5.0, -1.0])])
def test_labels_are_whole_numbers(labels) -> None:
    """Integers of any dtype, and floats that are whole, become int64."""
    for given in (labels, torch.as_tensor(labels)):
        found = as_labels(given, 3)
        assert found.tolist() == [0, 5, -1]
        assert found.dtype == torch.int64


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], r"labels must have shape \(3,\), one per row of features, got \(2,\)"),
        ([[0, 1, 2]], r"got \(1, 3\)"),
        ([0, 1, 0.5], "labels must be integers, got dtype float64"),
        ([0, 1, np.nan], "labels must be integers"),
        ([0, 1, np.inf], "labels must be integers"),
        (["cat", "dog", "cat"], "number the classes, for example with np.unique"),
    ],
)
def test_other_labels_are_refused(labels, message) -> None:
    """A wrong length, fractions and names are refused; the message says how to number names."""
    with pytest.raises(InvalidInput, match=message):
        as_labels(labels, 3)
