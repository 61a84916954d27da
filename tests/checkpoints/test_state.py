"""Files of trainings."""

import pytest
import torch

from oodkit.checkpoints import State, named, optimiser_tensors, restore_optimiser
from oodkit.errors import InvalidInput


def test_what_is_read_is_what_was_written(tmp_path):
    """Words and tensors of several types, also views of one another, by the parts they are named after."""
    rows = torch.arange(6.0).view(2, 3)
    tensors = named("a", {"whole": rows, "turned": rows.T}) | {"state": torch.Generator().get_state()}
    State({"step": 3, "losses": [0.1, 1e-300]}, tensors).write(tmp_path / "folder" / "c")
    read = State.read(tmp_path / "folder" / "c")

    assert read.words == {"step": 3, "losses": [0.1, 1e-300]}
    assert torch.equal(read.part("a")["turned"], rows.T)
    assert read.tensors["state"].dtype == torch.uint8
    assert set(read.part("a")) == {"whole", "turned"}


@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.99])
def test_part_of_a_file_is_refused(tmp_path, keep):
    """One line that says what to do."""
    State({"step": 1}, {"x": torch.zeros(100)}).write(tmp_path / "c")
    whole = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])

    with pytest.raises(InvalidInput, match="delete it to train from the beginning"):
        State.read(tmp_path / "c")


def test_an_optimiser_goes_on():
    """Two steps, kept and given to a fresh one, then two more, are four steps, bit for bit."""

    def stepped(weight, optimiser, steps):
        for _ in range(steps):
            weight.grad = 2 * weight.detach()
            optimiser.step()

    first, whole = (torch.ones(3, requires_grad=True) for _ in range(2))
    kept = torch.optim.AdamW([first], lr=0.1)
    stepped(first, kept, 2)
    second = first.detach().clone().requires_grad_()
    fresh = torch.optim.AdamW([second], lr=0.1)
    restore_optimiser(fresh, optimiser_tensors(kept))
    stepped(second, fresh, 2)
    stepped(whole, torch.optim.AdamW([whole], lr=0.1), 4)

    assert torch.equal(second, whole)
