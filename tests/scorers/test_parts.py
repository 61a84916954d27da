import torch

from oodkit.scorers import parts
from oodkit.scorers.parts import in_parts


def test_parts_are_put_together_in_order(monkeypatch) -> None:
    """What a function gives part by part is what it gives at once, also when a single row is too much."""
    rows = torch.arange(14.0).reshape(7, 2)
    for limit in (1, 8 * 3 * 2, 10**9):
        monkeypatch.setattr(parts, "PART_BYTES", limit)
        sizes = []

        found = in_parts(lambda part, sizes=sizes: sizes.append(len(part)) or part.sum(dim=1), rows, 3)

        assert torch.equal(found, rows.sum(dim=1))
        assert max(sizes) == min(7, max(1, limit // 24))


def test_no_rows_give_no_results() -> None:
    """An empty input is one empty part."""
    assert in_parts(lambda part: part.sum(dim=1), torch.empty(0, 3), 5).shape == (0,)


def test_gradients_flow_through(monkeypatch) -> None:
    """The gradient is that of the function."""
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    rows = torch.arange(6.0).reshape(3, 2).requires_grad_(True)

    in_parts(lambda part: part.square().sum(dim=1), rows, 3).sum().backward()

    assert torch.equal(rows.grad, 2 * rows.detach())
