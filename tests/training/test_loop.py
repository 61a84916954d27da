"""The training loop, with a stage that can be followed by hand."""

import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.training.loop import run_stage
from oodkit.training.stage import Stage
from oodkit.training.world import World

ALONE = World(0, 1, torch.device("cpu"))


class Line(Stage):
    """Learns w with w x = 2 x from x drawn for each item, behind a random layer."""

    name = "line"

    def __init__(self, rate=0.1, per_epoch=3):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.drop = nn.Dropout(0.2)
        self.epochs, self.steps_per_epoch, self.rate = 4, per_epoch, rate
        self.settings = f"rate={rate:g}"
        self.updates = []

    def items(self, epoch):
        """Two samples a step."""
        return [[(epoch, step, place) for place in range(2)] for step in range(self.steps_per_epoch)]

    def sample(self, item):
        """A random number."""
        return (torch.rand(1) + 1,)

    def forward(self, batch, step):
        """Squared error."""
        return (self.drop(self.weight * batch[0]) - 2 * batch[0]).square().mean()

    def optimiser(self):
        """Momentum, so that its state counts."""
        return torch.optim.SGD(self.parameters(), lr=self.rate, momentum=0.5)

    def set_rates(self, optimiser, step):
        """None."""

    def after_update(self, step, world):
        """Remember the steps."""
        self.updates.append(step)


def _run(stage, **options):
    losses = {}
    run_stage(stage, ALONE, seed=0, losses=losses, **options)
    return losses["line"]


def test_the_loss_falls_and_every_step_is_done_once():
    """Twelve steps, of which each has a loss."""
    stage = Line()
    losses = _run(stage)

    assert stage.updates == list(range(12))
    assert len(losses) == 12
    assert sum(losses[-3:]) < sum(losses[:3])


def test_a_run_that_goes_on_is_a_run_that_never_stopped():
    """From every checkpoint, in the middle of an epoch too: the same weights and the same losses."""
    whole, saved = Line(), []

    def keep(checkpoint):
        tensors = {key: value.clone() for key, value in checkpoint.module.items()}
        state = {key: value.clone() for key, value in checkpoint.optimiser.items()}
        losses = {key: list(values) for key, values in checkpoint.losses.items()}
        saved.append(type(checkpoint)(checkpoint.stage, checkpoint.step, losses, tensors, state))

    expected = _run(whole, save=keep, save_seconds=0.0)
    assert [checkpoint.step for checkpoint in saved] == list(range(1, 13))
    for checkpoint in saved:
        again, losses = Line(), checkpoint.losses
        run_stage(again, ALONE, seed=0, losses=losses, start=checkpoint)

        assert torch.equal(again.weight, whole.weight)
        assert losses["line"] == expected


def test_processes_that_prepare_samples_change_nothing():
    """Two workers draw what none draws."""
    alone, helped = Line(), Line()

    assert _run(alone) == _run(helped, workers=2)
    assert torch.equal(alone.weight, helped.weight)


def test_global_random_numbers_are_left_alone():
    """What the caller draws next does not depend on the training."""
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    _run(Line())

    assert torch.equal(torch.rand(1), expected)


def test_a_loss_that_is_no_number_stops_with_step_and_settings():
    """A rate that is far too high."""
    with pytest.raises(InvalidInput, match=r"loss of the line is (inf|nan) at step \d+ of 12 \(rate=1e\+30\)"):
        _run(Line(rate=1e30))


def test_no_step_in_an_epoch_is_refused():
    """Fewer images than a batch."""
    with pytest.raises(TooFewSamples, match="choose a smaller --batch"):
        _run(Line(per_epoch=0))


def test_lines_say_epoch_loss_rate_and_time_left():
    """At the end at least."""
    lines = []
    _run(Line(), say=lines.append)

    assert lines[-1].startswith("line: epoch 4 of 4, loss ")
    assert lines[-1].endswith("samples/s, 0:00:00 left")


def test_a_share_is_a_part_of_the_batch():
    """Two processes of six samples have three each."""
    assert [World(rank, 2, torch.device("cpu")).share(6) for rank in (0, 1)] == [slice(0, 3), slice(3, 6)]
