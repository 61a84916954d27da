"""The stage of pairs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.data import ArrayImageSet
from oodkit.scorers.pair_loss import WEIGHTS
from oodkit.training.images import TrainingImages
from oodkit.training.pairs import Pairs
from oodkit.training.presets import SEMSAD_SMALL

PLAIN = Preprocessing(size=8, resize=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class Nothing(nn.Module):
    """Log-odds of 0."""

    def forward(self, pairs):
        """(B, 2)."""
        return torch.zeros(len(pairs), 2, requires_grad=True)


def _stage(**values):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    images = TrainingImages(ArrayImageSet("noise", "train", pixels), PLAIN)
    angles = torch.arange(20) * 0.1  # neighbours are those of the next numbers
    features = torch.stack([angles.cos(), angles.sin()], dim=1)
    settings = replace(
        SEMSAD_SMALL, source_size=8, discriminator_batch=5, discriminator_epochs=100, neighbours=2, **values
    )
    return Pairs(settings, Nothing(), images, features, seed=0)


def test_anchors_are_all_images_and_others_are_others():
    """Without pools, an epoch goes through all images once; a negative is never of the anchor itself."""
    items = [item for batch in _stage().items(0) for item in batch]

    assert sorted(anchor for _, _, anchor, _, _ in items) == list(range(20))
    assert all(anchor != other for _, _, anchor, _, other in items)


def test_semantic_pairs_have_one_of_the_nearest_others():
    """On an arc, the two nearest are at most two numbers away, and never the image itself."""
    items = [item for batch in _stage(semantic_share=1.0).items(0) for item in batch]

    assert all(1 <= abs(anchor - near) <= 2 for _, _, anchor, near, _ in items)


def test_the_share_of_semantic_pairs():
    """A quarter of 2,000 pairs, up to four standard deviations."""
    stage = _stage(semantic_share=0.25)
    near = [item[3] for epoch in range(100) for batch in stage.items(epoch) for item in batch]

    assert abs(np.mean([place >= 0 for place in near]) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2000)


def test_in_pools_neighbours_are_of_the_pool_before():
    """Two pools of ten: the anchors of a step are five of one, their neighbours of the other."""
    stage = _stage(pool=10, semantic_share=1.0)
    order = [stage._order(epoch).tolist() for epoch in (-1, 0)]
    pools = [order[0][10:], order[1][:10], order[1][10:]]

    for number, batch in enumerate(stage.items(0)):
        assert {anchor for _, _, anchor, _, _ in batch} <= set(pools[number + 1])
        assert {near for _, _, _, near, _ in batch} <= set(pools[number])
        assert all(anchor != near for _, _, anchor, near, _ in batch)


def test_a_semantic_pair_is_not_augmented():
    """Both images as they are; the negative keeps the first one."""
    stage = _stage()
    first, second, negative = stage.sample((0, 0, 3, 4, 7))

    assert torch.equal(first, stage.images[3])
    assert torch.equal(second, stage.images[4])
    assert negative.shape == (3, 8, 8)


def test_log_odds_of_zero_cost_what_the_weight_says():
    """log(1 + g) + g log(1 + 1/g), with the weight g of that step, from 1 to 9."""
    stage = _stage()
    batch = [torch.zeros(5, 3, 8, 8, dtype=torch.uint8)] * 3
    known = [np.log1p(g) + g * np.log1p(1 / g) for g in WEIGHTS]

    found = {stage(batch, step).item() for step in range(60)}

    assert {round(value, 4) for value in found} == {round(value, 4) for value in known}


@pytest.mark.parametrize(("epoch", "factor"), [(0, 1), (14, 1), (15, 0.2)])
def test_the_rate_falls_in_steps(epoch, factor):
    """From epoch 15 on, a fifth."""
    stage = _stage()
    stage.discriminator = nn.Linear(2, 2)
    optimiser = stage.optimiser()
    stage.set_rates(optimiser, epoch * stage.steps_per_epoch)

    assert optimiser.param_groups[0]["lr"] == pytest.approx(1e-3 * factor)
