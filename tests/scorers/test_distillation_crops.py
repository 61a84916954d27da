"""Crops of a training step."""

import torch

from oodkit.scorers.distillation_crops import Images


def test_crops_are_of_the_anchor_or_its_neighbour():
    """The first two crops are two views of one image, or of two neighbours; negatives are shifted views of it."""
    rows = torch.arange(20.0)[:, None]
    near = torch.stack([(torch.arange(20) + 1) % 20, (torch.arange(20) + 2) % 20], dim=1)
    positives, local = torch.stack([rows, rows + 100, rows + 200]), rows[None] + 300
    images = Images(positives, local, [torch.stack([rows + 400, rows + 500])], rows[None] + 600, near, 0.25)
    anchors = torch.arange(20).repeat(400)
    crops = images.draw(anchors, torch.Generator().manual_seed(0))
    first, second, small = (crop[:, 0] for crop in crops.positive)
    assert torch.equal(first % 100, anchors.float())
    assert torch.equal(small, 300 + anchors)
    is_near = second % 100 != anchors
    assert 0.22 < float(is_near.float().mean()) < 0.28
    assert set(((second - first)[is_near] % 100 % 20).tolist()) <= {1.0, 2.0}
    assert (second != first)[~is_near].all()
    own, aux = (part[0, :, 0] for part in crops.negative)
    assert torch.equal(own % 100, anchors.float())
    assert set((own // 100).tolist()) == {4.0, 5.0}
    assert set((aux - 600).tolist()) == set(rows[:, 0].tolist())


def test_without_neighbours_every_pair_is_of_one_image():
    """A share of 0 needs no search."""
    rows = torch.arange(9.0)[:, None]
    images = Images(torch.stack([rows, rows + 100]), rows[None][:0], [], rows[None], None, 0.0)
    first, second = images.draw(torch.arange(9), torch.Generator().manual_seed(0)).positive
    assert torch.equal((first - second).abs()[:, 0], torch.full((9,), 100.0))
