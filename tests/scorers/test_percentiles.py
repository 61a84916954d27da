import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from oodkit.scorers import percentiles
from oodkit.scorers.percentiles import pooled_percentiles


@given(
    rows=st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: npst.arrays(
            dtype,
            npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
            elements=st.floats(-(2.0**99), 2.0**99, width=32) | st.sampled_from([-0.0, 0.0, 1.0, -1.0]),
        )
    ),
    percentile=st.floats(0, 100),
)
def test_agrees_with_numpy(rows, percentile) -> None:
    """Percentiles are NumPy's of all entries together, interpolated in float64, with ties, signs and both zeros."""
    found = pooled_percentiles(torch.from_numpy(rows), [percentile, 0, 100])

    exact = rows.astype(np.float64)
    expected = [np.percentile(exact, percentile), exact.min(), exact.max()]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(exact).max())


def test_an_entry_is_found_bit_by_bit() -> None:
    """A percentile that falls on an entry is that entry, however close the next ones are."""
    near = 1 + np.finfo(np.float64).eps * np.arange(5)

    assert pooled_percentiles(torch.from_numpy(near[None, ::-1].copy()), [0, 25, 50, 75, 100]) == list(near)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.uint8, torch.int64])
def test_takes_rows_as_they_lie_in_a_file(dtype) -> None:
    """Half precision and integers, which memory-mapped features can be, are taken as the numbers they are."""
    rows = torch.arange(12).reshape(4, 3).to(dtype)

    assert pooled_percentiles(rows, [50, 90]) == pytest.approx([5.5, 9.9])


def test_blocks_do_not_matter(monkeypatch) -> None:
    """One row at a time gives what all rows at once give: the rows need not fit in memory."""
    rows = torch.randn(50, 7, generator=torch.Generator().manual_seed(0))
    whole = pooled_percentiles(rows, [10, 90])

    monkeypatch.setattr(percentiles, "BLOCK_BYTES", 1)

    assert pooled_percentiles(rows, [10, 90]) == whole


@given(st.integers(0, 2**32 - 1), st.floats(0, 100))
def test_the_sample_does_not_matter(seed, percentile) -> None:
    """A sample of one row, close or unlike the others, or room for no entry gives what all rows give."""
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(rng.integers(-3, 4, (9, 5)) * rng.standard_normal((9, 1))).float()
    whole = pooled_percentiles(rows, [percentile])

    for name, value in {"SAMPLE": 1, "MARGIN": 0.1, "MOST_BETWEEN": -1}.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(percentiles, "SAMPLE", 1)
            patch.setattr(percentiles, name, value)
            assert pooled_percentiles(rows, [percentile]) == whole
