import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import TooFewSamples
from oodkit.scorers.holdout import held_out


def rows_of(seed: int, n: int, width: int = 3) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 10**6), st.lists(st.integers(1, 30), min_size=1, max_size=5), st.floats(0.01, 0.99))
def test_a_share_of_each_class(seed, sizes, share) -> None:
    """Of n rows of a class round(share n), halves up, are held out, never all of them."""
    labels = torch.repeat_interleave(7 * torch.arange(len(sizes)), torch.tensor(sizes))
    expected = [min(int(share * n + 0.5), n - 1) for n in sizes]
    rows = rows_of(seed, len(labels))
    if sum(expected) == 0:
        with pytest.raises(TooFewSamples, match=f"no row can be held out of {len(rows)} sample"):
            held_out(rows, labels, share, seed)
        return

    out = held_out(rows, labels, share, seed)

    assert [int(out[labels == 7 * label].sum()) for label in range(len(sizes))] == expected


@given(st.integers(0, 10**6), st.integers(5, 60), st.sampled_from([torch.float16, torch.float32, torch.float64]))
def test_the_choice_goes_with_the_rows(seed, n, dtype) -> None:
    """Rows in another order, in a wider dtype or with classes renamed: the same rows are held out."""
    rows, labels = rows_of(seed, n).to(dtype), torch.arange(n) % 2
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))

    out = held_out(rows, labels, 0.3, 0)

    assert torch.equal(held_out(rows[order], labels[order], 0.3, 0), out[order])
    assert torch.equal(held_out(rows.double(), 100 - 7 * labels, 0.3, 0), out)


@pytest.mark.parametrize("labelled", [False, True])
def test_rounding_moves_hardly_a_row(labelled) -> None:
    """float32 copies, and last bits that differ, choose the same rows; float16 copies nearly the same."""
    rows = rows_of(0, 3000, 64).double() / 8 + 0.2
    labels = torch.arange(3000) % 5 if labelled else None
    out = held_out(rows, labels, 0.2, 0)

    assert torch.equal(held_out(rows.float(), labels, 0.2, 0), out)
    assert torch.equal(held_out(rows * (1 + 1e-15 * rows_of(1, 3000, 64).double()), labels, 0.2, 0), out)
    assert int((held_out(rows.half(), labels, 0.2, 0) & out).sum()) > 0.95 * int(out.sum())


def test_clusters_are_held_out_in_part() -> None:
    """Of each of some tight clusters without labels, about the share: none is left out or held out whole."""
    of = torch.arange(2000) % 4
    rows = 10 * rows_of(0, 4, 8)[of] + rows_of(1, 2000, 8)

    out = held_out(rows, None, 0.2, 0)

    assert all(60 < int(out[of == cluster].sum()) < 140 for cluster in range(4))


def test_the_seed_decides_and_the_choice_looks_random() -> None:
    """Two seeds agree no more than chance; neither the size of a row nor one of its columns decides."""
    rows = rows_of(0, 4000)
    one, other = held_out(rows, None, 0.5, 0), held_out(rows, None, 0.5, 1)

    assert 0.45 < float((one == other).double().mean()) < 0.55
    for column in (rows.norm(dim=1), *rows.T):
        assert abs(float(column[one].mean() - column[~one].mean())) < 4 * float(column.std()) * (2 / 2000) ** 0.5


@pytest.mark.parametrize("rows", [torch.arange(1000.0)[:, None], torch.eye(1000), torch.arange(1000)[:, None]])
def test_simple_rows_are_spread_too(rows) -> None:
    """Counters and one-hot rows: about half of each half is held out."""
    out = held_out(rows, None, 0.5, 0)

    assert 200 < int(out[:500].sum()) < 300


def test_one_sample() -> None:
    """There is nothing to hold out of one row, or of classes of one row each: said in one line."""
    with pytest.raises(TooFewSamples, match=r"no row can be held out of 1 sample\(s\) with holdout=0.2"):
        held_out(torch.ones(1, 3), None, 0.2, 0)
    with pytest.raises(TooFewSamples, match=r"of 4 sample\(s\) in 4 classes with holdout=0.2; give more"):
        held_out(torch.eye(4), torch.arange(4), 0.2, 0)
