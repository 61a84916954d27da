"""Training by self-distillation: schedules, centre, moving average, early stop."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from oodkit.checkpoints import Checkpoints
from oodkit.errors import InvalidInput
from oodkit.scorers.distillation import (
    Settings,
    distil,
    teacher_momentum,
    teacher_probabilities,
    teacher_temperature,
    update_centre,
    update_teacher,
)
from oodkit.scorers.distillation_crops import Crops
from oodkit.scorers.distillation_head import DistillationHead
from oodkit.scorers.schedule import share_of_rate

SETTINGS = Settings(
    epochs=6,
    steps=4,
    patience=3,
    learning_rate=1e-3,
    weight_decay=0.04,
    teacher_temperatures=(0.04, 0.02),
    momentum=0.9,
    weight=1.0,
)


def head(seed=0, outputs=8):
    return DistillationHead.drawn(6, 16, 8, outputs, torch.Generator().manual_seed(seed))


def crops(generator, count=32):
    rows = torch.eye(3, 6)[torch.randint(3, (count,), generator=generator)]
    rows = 3 * rows + 0.3 * torch.randn(count, 6, generator=generator)
    near = rows + 0.1 * torch.randn(2, count, 6, generator=generator)
    return Crops(near, [rows.roll(3, dims=1)[None]])


def run(settings=SETTINGS, seed=0, student=None, draw=crops, checkpoints=None):
    generator = torch.Generator().manual_seed(seed)
    held_out = crops(generator, 64)
    return distil(student or head(), draw, held_out, settings, generator, checkpoints or Checkpoints(None))


def test_the_teacher_moves_as_its_momentum_says():
    """Momentum 1 leaves it, 0 copies the student, 0.5 is half-way."""
    for momentum, share in ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5)):
        teacher, student, before = head(0), head(1), head(0)
        update_teacher(teacher, student, momentum)
        expected = before.weight1 + share * (student.weight1 - before.weight1)
        torch.testing.assert_close(teacher.weight1, expected)


def test_schedules_begin_and_end_where_they_should():
    """Momentum rises from 0.996 to at most 1, the temperature falls evenly, the rate rises and falls."""
    momenta = [teacher_momentum(step, 100, 0.996) for step in range(100)]
    assert momenta[0] == pytest.approx(0.996)
    assert np.all(np.diff(momenta) > 0)
    assert 0.9999 < momenta[-1] <= 1
    temperatures = [teacher_temperature(step, 11, 0.04, 0.02) for step in range(11)]
    np.testing.assert_allclose(temperatures, np.linspace(0.04, 0.02, 11))
    assert teacher_temperature(0, 1, 0.04, 0.02) == 0.04
    rates = [share_of_rate(step, 100) for step in range(100)]
    assert (rates[0], rates[4], max(rates)) == (0.2, 1.0, 1.0)
    assert 0 < rates[-1] < 0.01


def test_the_centre_of_constant_answers_nears_them():
    """n steps of one answer v: (1 - 0.9^n) v, over all positive crops."""
    centre, v = torch.zeros(3), torch.tensor([1.0, -2.0, 4.0])
    for n in range(1, 6):
        update_centre(centre, v.expand(2, 7, 3))
        torch.testing.assert_close(centre, (1 - 0.9**n) * v)
    update_centre(centre.zero_(), torch.stack([torch.zeros(4, 3), torch.ones(4, 3)]))
    torch.testing.assert_close(centre, torch.full((3,), 0.05))


def test_answers_at_the_centre_are_uniform_and_without_gradient():
    """h = c gives 1 / K at any temperature; nothing flows into logits or centre."""
    centre = torch.randn(5, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    found = teacher_probabilities(centre.expand(2, 3, 5), centre.detach(), 0.02)
    torch.testing.assert_close(found, torch.full((2, 3, 5), 0.2))
    assert not found.requires_grad


def test_training_lowers_the_loss_and_tells_negatives_apart():
    """Held-out crops cost less after it than before, and held-out negatives are answered more evenly."""
    found = run(replace(SETTINGS, epochs=30, steps=8, patience=30, learning_rate=5e-3))
    assert min(found.losses) < found.losses[0] - 0.1
    held = crops(torch.Generator().manual_seed(9), 300)
    logs = [(found.teacher.logits(part[0]) / 0.1).log_softmax(dim=1).mean() for part in (held.positive, *held.negative)]
    assert -logs[1] < -logs[0] - 0.1


def test_the_same_seed_trains_the_same():
    """Bit for bit; another one gives another head; global random state is untouched."""
    before = torch.get_rng_state()
    first, again, other = run(), run(), run(seed=1)
    assert torch.equal(first.teacher.weight3, again.teacher.weight3)
    assert first.losses == again.losses
    assert not torch.equal(first.teacher.weight3, other.teacher.weight3)
    assert torch.equal(before, torch.get_rng_state())


def test_stops_early_and_keeps_the_best():
    """Where the loss only rises, training ends `patience` epochs after the first, with the teacher of then."""
    student = head()

    def worse(generator):
        rows = torch.randn(2, 32, 6, generator=generator)
        return Crops(rows, [rows[:1]])

    held = crops(torch.Generator().manual_seed(1), 64)
    settings = replace(SETTINGS, epochs=50, patience=2, learning_rate=0.02, weight=0.0, momentum=0.5)
    found = distil(student, worse, held, settings, torch.Generator().manual_seed(0), Checkpoints(None))
    best = found.losses.index(min(found.losses))
    assert len(found.losses) == min(50, best + 3)
    logits = found.teacher.logits(held.positive.flatten(0, 1)).unflatten(0, (2, -1))
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("step", [3, 8, 9])
def test_a_training_that_was_killed_ends_as_one_that_never_stopped(tmp_path, every_step, step):
    """Interrupted within an epoch, at the end of one and after it: the same losses and teacher, bit for bit."""
    whole, draws, again = run(), iter(range(step)), []

    def failing(generator):
        if next(draws, None) is None:
            raise KeyboardInterrupt
        return crops(generator)

    with pytest.raises(KeyboardInterrupt):
        run(draw=failing, checkpoints=Checkpoints(tmp_path / "c"))
    resumed = run(draw=lambda generator: again.append(1) or crops(generator), checkpoints=Checkpoints(tmp_path / "c"))

    assert len(again) == SETTINGS.steps * len(whole.losses) - step
    assert resumed.losses == whole.losses
    assert torch.equal(resumed.centre, whole.centre)
    for name, part in whole.teacher.tensors().items():
        assert torch.equal(resumed.teacher.tensors()[name], part)


@pytest.mark.parametrize("rate", [1e30, math.inf])
def test_a_loss_that_is_no_number_is_said_with_step_and_settings(rate):
    """One line."""
    with pytest.raises(InvalidInput, match=r"the loss is (nan|inf) at step \d+ of 24 .learning_rate=.* momentum=0.9"):
        run(replace(SETTINGS, learning_rate=rate))
