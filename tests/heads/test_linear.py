import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput
from oodkit.heads import LinearHead, as_linear_head, linear
from oodkit.scorers.train import Need, make_train

WEIGHT = torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
BIAS = torch.tensor([0.0, 1.0, -1.0])


def test_logits_are_products_plus_bias():
    """Three logits of two features, by hand."""
    logits = LinearHead(WEIGHT, BIAS).logits(np.array([[3.0, 4.0]], dtype=np.float32))

    np.testing.assert_array_equal(logits, [[3, 9, 6]])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_logits_come_in_the_form_of_the_features(dtype):
    """NumPy gives NumPy and torch torch; float64 stays, integers of 64 bits become it, all else is float32."""
    head = LinearHead(WEIGHT, BIAS)
    rows = np.array([[3, 4], [0, 1]], dtype=dtype)
    expected = np.float64 if dtype in (np.float64, np.int64) else np.float32

    array, tensor = head.logits(rows), head.logits(torch.from_numpy(rows))

    assert isinstance(array, np.ndarray)
    assert isinstance(tensor, torch.Tensor)
    assert array.dtype == expected
    np.testing.assert_array_equal(array, tensor.numpy())


def test_chunks_and_files_change_nothing(tmp_path, monkeypatch):
    """Features in a memory-mapped file, taken three rows at a time, give the logits of one product."""
    rows = np.random.default_rng(0).standard_normal((100, 2)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    monkeypatch.setattr(linear, "CHUNK_BYTES", 3 * 8)

    logits = LinearHead(WEIGHT, BIAS).logits(np.load(tmp_path / "rows.npy", mmap_mode="r"))

    np.testing.assert_allclose(logits, rows @ WEIGHT.numpy().T + BIAS.numpy(), atol=1e-5)
    assert LinearHead(WEIGHT, BIAS).logits(rows[:0]).shape == (0, 3)


def test_a_head_of_unit_features_scales_them():
    """With `unit_features` a row counts by its direction only; a zero row has the bias as logits."""
    head = LinearHead(WEIGHT, BIAS, unit_features=True)

    logits = head.logits(np.array([[3.0, 4.0], [30.0, 40.0], [0.0, 0.0]]))

    np.testing.assert_allclose(logits[0], [0.6, 2.6, 0.4])
    np.testing.assert_allclose(logits[1], logits[0])
    np.testing.assert_array_equal(logits[2], BIAS)


def test_gradients_flow_to_the_features():
    """The gradient of a logit is the row of the weight."""
    rows = torch.ones(1, 2, requires_grad=True)

    (slope,) = torch.autograd.grad(LinearHead(WEIGHT, BIAS).logits(rows)[0, 2], rows)

    assert torch.equal(slope, WEIGHT[2:])


def test_a_scorer_takes_it_as_head():
    """`fit(features, head=head)` reads weight and bias."""
    train = make_train("Some", frozenset({Need.HEAD}), np.ones((4, 2)), {"head": LinearHead(WEIGHT, BIAS)})

    assert torch.equal(train.head.weight, WEIGHT)
    assert torch.equal(train.head.bias, BIAS)


def test_a_layer_of_torch_can_be_taken_over():
    """Parameters are detached: the head is a value."""
    layer = nn.Linear(4, 2)

    head = LinearHead(layer.weight, layer.bias)

    assert not head.weight.requires_grad
    with pytest.raises(dataclasses.FrozenInstanceError):
        head.bias = BIAS


def test_what_does_not_fit_together_is_refused():
    """Shapes, names and numbers that are not finite, each in a line with both numbers."""
    with pytest.raises(InvalidInput, match=r"bias must be 3 finite numbers, got shape \(2,\)"):
        LinearHead(WEIGHT, BIAS[:2])
    with pytest.raises(InvalidInput, match="3 classes, but 2 class names"):
        LinearHead(WEIGHT, BIAS, ("a", "b"))
    with pytest.raises(InvalidInput, match="row 1 "):
        LinearHead(WEIGHT / torch.tensor([[1.0], [0.0], [1.0]]), BIAS)
    with pytest.raises(InvalidInput, match=r"\(N, 2\) for this head, got \(5, 3\)"):
        LinearHead(WEIGHT, BIAS).logits(np.ones((5, 3)))
    with pytest.raises(InvalidInput, match=r"row 4 \(NaN"):
        LinearHead(WEIGHT, BIAS).logits(np.array([[1.0, 1.0]] * 4 + [[np.nan, 0]]))


@pytest.mark.parametrize("bias", [True, False])
def test_whatever_has_weights_becomes_a_head(bias):
    """A layer with or without bias, a pair, and a head of ours as it is."""
    layer = nn.Linear(4, 2, bias=bias)
    head = as_linear_head(layer)
    assert torch.equal(head.weight, layer.weight)
    assert torch.equal(head.bias, layer.bias if bias else torch.zeros(2))
    assert as_linear_head(head) is head
    pair = as_linear_head((layer.weight.detach().double().numpy(), [0, 1]))
    assert pair.weight.dtype == torch.float64
    assert pair.bias.tolist() == [0, 1]
    for nothing in (3, (1, 2, 3), nn.ReLU()):
        with pytest.raises(InvalidInput, match=r"a head must be \(weight, bias\), an nn.Linear or a LinearHead, got"):
            as_linear_head(nothing)
