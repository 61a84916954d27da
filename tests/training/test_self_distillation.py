"""The stage of self-distillation."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.data import ArrayImageSet
from oodkit.training.images import TrainingImages
from oodkit.training.presets import SELFDISTILL_SMALL
from oodkit.training.self_distillation import SelfDistillation
from oodkit.training.world import World

PLAIN = Preprocessing(size=8, resize=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
ALONE = World(0, 1, torch.device("cpu"))
VALUES = replace(
    SELFDISTILL_SMALL,
    source_size=8,
    local_size=8,
    batch=4,
    epochs=2,
    outputs=6,
    hidden=8,
    code=4,
    local_crops=1,
    negative_local_crops=1,
    base_rate=0.004,
    momentum=0.99,
    frozen_epochs=1,
    teacher_temperatures=(0.04, 0.04),
    negative_weight=1.0,
)


class Flat(nn.Module):
    """A linear layer over pixels."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3 * 64, 5)

    def forward(self, pixels):
        """(B, 5)."""
        return self.layer(pixels.flatten(1))


def _images(count=8):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return TrainingImages(ArrayImageSet("noise", "train", pixels), PLAIN)


def _stage(aux=None, **values):
    torch.manual_seed(0)
    return SelfDistillation(replace(VALUES, **values), Flat(), _images(), aux, PLAIN, seed=0).train()


def _batch(stage):
    samples = [stage.sample(item) for item in stage.items(0)[0]]
    return [torch.stack(parts) for parts in zip(*samples, strict=True)]


def test_every_image_is_in_one_batch_of_an_epoch():
    """In another order each time."""
    stage = _stage()
    epochs = [[item for batch in stage.items(epoch) for item in batch] for epoch in (0, 1)]

    assert [sorted(index for index, _ in epoch) for epoch in epochs] == [list(range(8))] * 2
    assert epochs[0] != epochs[1]
    assert stage.items(0) == _stage().items(0)


def test_equal_logits_cost_the_logarithm_of_the_outputs_twice():
    """A last layer of zeros: log 6 from the positive and log 6 from the negative crops."""
    stage = _stage()
    for head in (stage.head, stage.teacher_head):
        nn.init.zeros_(head.gains)

    assert stage(_batch(stage), 0).item() == pytest.approx(2 * math.log(6), rel=1e-6)


@pytest.mark.parametrize("with_aux", [False, True])
def test_a_loop_over_crops_gives_the_same(with_aux):
    """Two of three positive crops are seen by the teacher; each set of negatives has the same share."""
    stage = _stage(_images(3) if with_aux else None)
    batch = _batch(stage)
    stage.centre.uniform_(-0.5, 0.5)

    def logits(crops, encoder, head):  # (B, 3, 8, 8) -> (B, K)
        return head(encoder(crops.float() / 255)).detach().double()

    positive = [batch[0][:, 0], batch[0][:, 1], batch[1][:, 0]]
    total, terms = 0.0, 0
    for t in range(2):
        teacher = logits(positive[t], stage.teacher_encoder, stage.teacher_head)
        target = ((teacher - stage.centre) / 0.04).softmax(dim=1)
        for s in range(3):
            if s != t:
                answer = (logits(positive[s], stage.encoder, stage.head) / 0.1).log_softmax(dim=1)
                total -= float((target * answer).sum(dim=1).mean())
                terms += 1
    sets = []
    for first in range(2, len(batch), 2):
        crops = [batch[first][:, 0], batch[first + 1][:, 0]]
        sets.append(
            np.mean([-float((logits(c, stage.encoder, stage.head) / 0.1).log_softmax(dim=1).mean()) for c in crops])
        )

    assert terms == 4
    assert len(sets) == 1 + with_aux
    assert stage(batch, 0).item() == pytest.approx(total / terms + np.mean(sets), rel=1e-5)


def test_the_teacher_gets_no_gradient_and_moves_towards_the_student():
    """At the first step by one hundredth of the way; the centre by a tenth."""
    stage = _stage()
    optimiser = stage.optimiser()
    stage.set_rates(optimiser, 4)
    stage(_batch(stage), 0).backward()
    assert all(part.grad is None for part in stage.teacher_encoder.parameters())
    optimiser.step()
    before, now = stage.teacher_encoder.layer.weight.clone(), stage.encoder.layer.weight.detach()
    seen = stage._teacher_mean.clone()
    stage.after_update(0, ALONE)

    torch.testing.assert_close(stage.teacher_encoder.layer.weight, before + 0.01 * (now - before))
    torch.testing.assert_close(stage.centre, 0.1 * seen)


def test_the_last_layer_waits_and_long_gradients_are_cut():
    """In the first epoch it has no gradient; no tensor's gradient is longer than 0.001."""
    stage = _stage(clip=0.001)
    stage(_batch(stage), 0).backward()
    stage.before_update(0)

    assert stage.head.directions.grad is None
    lengths = [part.grad.norm().item() for part in stage.parameters() if part.grad is not None]
    assert 0 < max(lengths) <= 0.001 * (1 + 1e-5)
    stage(_batch(stage), 2).backward()
    stage.before_update(2)
    assert stage.head.directions.grad is not None


def test_gains_learn_only_where_they_are_to():
    """Fixed gains are in no group of the optimiser."""
    counts = []
    for learn in (False, True):
        groups = _stage(learn_gains=learn).optimiser().param_groups
        counts.append(sum(len(group["params"]) for group in groups))

    assert counts[1] == counts[0] + 1


def test_rates_rise_fall_and_decay():
    """The peak is the base rate times batch / 256, after the warm-up; tensors of one dimension never decay."""
    stage = _stage(epochs=6, warm_up=2)
    optimiser = stage.optimiser()
    rates = []
    for step in (0, 2, 4):
        stage.set_rates(optimiser, step)
        rates.append(optimiser.param_groups[0]["lr"])

    assert rates == pytest.approx([0, 0.004 * 4 / 256 / 2, 0.004 * 4 / 256])
    assert optimiser.param_groups[0]["weight_decay"] == pytest.approx(0.04 + 0.06 * (1 - math.cos(math.pi / 3)) / 2)
    assert optimiser.param_groups[1]["weight_decay"] == 0
    assert all(part.ndim == 1 for part in optimiser.param_groups[1]["params"])
