import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oodkit.clustering.products import product


@settings(max_examples=30)
@given(
    st.integers(0, 10**6),
    st.integers(1, 3),
    st.tuples(*[st.integers(1, 40)] * 3),
    st.booleans(),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_is_the_product_of_each_pair(seed, count, sizes, turned_left, turned_right, dtype) -> None:
    """Against a loop in float64, whatever the strides: rows or columns beside each other, or parts of something."""
    generator = torch.Generator().manual_seed(seed)
    rows, inner, columns = sizes
    left = torch.randn(count, rows, 2 * inner, generator=generator).to(dtype)[:, :, :inner]
    right = torch.randn(count, inner, columns, generator=generator).to(dtype)
    left = left.transpose(1, 2).contiguous().transpose(1, 2) if turned_left else left
    right = right.transpose(1, 2).contiguous().transpose(1, 2) if turned_right else right

    found = product(left, right)

    assert found.dtype == dtype
    for i in range(count):
        expected = left[i].double() @ right[i].double()
        torch.testing.assert_close(found[i].double(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_left_matrix_for_all(dtype) -> None:
    """(R, K) stands for a stack of itself."""
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(*shape, generator=generator).to(dtype) for shape in ((4, 5), (3, 5, 6)))

    torch.testing.assert_close(product(left, right), product(left.expand(3, 4, 5).clone(), right))
