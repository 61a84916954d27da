"""Reading weights without running code, and loading them strictly."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from oodkit.backbones.state_file import load_strictly, read_state_file
from oodkit.errors import DataNotFound, WeightsError


@pytest.fixture
def layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_files_are_read_back(tmp_path, layers, suffix):
    """safetensors and torch checkpoints give the tensors that were saved."""
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(layers.state_dict(), path)
    else:
        torch.save({"state_dict": layers.state_dict(), "epoch": 3}, path)
    state = read_state_file(path)
    assert state.keys() == layers.state_dict().keys()
    assert torch.equal(state["0.weight"], layers[0].weight)


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    """A pickle that would run code is refused."""
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeightsError, match="not a readable state dict"):
        read_state_file(path)
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x80\x02"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_rubbish_is_one_line(tmp_path, content, suffix):
    """Something else than weights is named, without a traceback of the reader."""
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="weights") as caught:
        read_state_file(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    """No file: the path is in the message."""
    with pytest.raises(DataNotFound, match=r"nothing\.pth"):
        read_state_file(tmp_path / "nothing.pth")


def test_a_file_of_something_else_is_refused(tmp_path):
    """A list of numbers is not a state dict."""
    path = tmp_path / "weights.pth"
    torch.save([1, 2, 3], path)
    with pytest.raises(WeightsError, match="named tensors"):
        read_state_file(path)


def test_missing_unexpected_and_misshapen_keys_are_named(layers):
    """Loading is strict in every direction."""
    state = dict(layers.state_dict())
    state["extra"] = state.pop("0.bias")
    state["1.weight"] = torch.zeros(7)
    with pytest.raises(WeightsError, match=r"1 missing \(0.bias\); 1 unexpected \(extra\); 1 of another shape"):
        load_strictly(layers, state, "the test net")


def test_batch_norm_counters_may_be_absent(layers):
    """Older checkpoints have no num_batches_tracked, and evaluation does not use it."""
    state = {key: value + 1 for key, value in layers.state_dict().items() if "num_batches" not in key}
    load_strictly(layers, state, "the test net")
    assert torch.equal(layers[1].running_mean, torch.ones(4))
