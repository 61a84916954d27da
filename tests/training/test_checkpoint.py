"""Checkpoints."""

import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput
from oodkit.training.checkpoint import Checkpoint


def _trained(steps):
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    optimiser = torch.optim.Adam(module.parameters(), amsgrad=True)
    for _ in range(steps):
        optimiser.zero_grad()
        module(torch.ones(4, 3)).square().sum().backward()
        optimiser.step()
    return module, optimiser


def test_what_is_read_goes_on_as_what_was_written(tmp_path):
    """Two steps, saved and restored, then two more, are four steps, bit for bit."""
    Checkpoint.of("part", 2, {"part": [3.0, 2.5]}, *_trained(2)).write(tmp_path / "c")
    read = Checkpoint.read(tmp_path / "c")
    module, optimiser = _trained(0)
    read.restore(module, optimiser)
    for _ in range(2):
        optimiser.zero_grad()
        module(torch.ones(4, 3)).square().sum().backward()
        optimiser.step()

    assert (read.stage, read.step, read.losses) == ("part", 2, {"part": [3.0, 2.5]})
    assert torch.equal(module.weight, _trained(4)[0].weight)


def test_half_a_file_is_refused(tmp_path):
    """One line that says what to do."""
    Checkpoint.of("part", 1, {}, *_trained(1)).write(tmp_path / "c")
    whole = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InvalidInput, match="delete it to train from the beginning"):
        Checkpoint.read(tmp_path / "c")


def test_another_network_is_refused():
    """Shapes that do not fit."""
    saved = Checkpoint.of("part", 1, {}, *_trained(1))
    other = nn.Linear(5, 2)

    with pytest.raises(InvalidInput, match="does not fit"):
        saved.restore(other, torch.optim.Adam(other.parameters()))
