import numpy as np
import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput
from oodkit.heads import LinearHead, as_linear_head, zero_shot_head
from oodkit.scorers import create, load
from oodkit.scorers.head import read_head

WEIGHT = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])


@pytest.mark.parametrize(
    "head",
    [
        (WEIGHT, np.zeros(3)),
        [WEIGHT.tolist(), [0, 0, 0]],
        (WEIGHT, None),
        LinearHead(torch.from_numpy(WEIGHT), None),
        (WEIGHT.astype(int), torch.zeros(3, requires_grad=True)),
    ],
)
def test_every_form_is_weight_and_bias(head):
    """Arrays, lists, tensors and heads; without a bias it is 0; both come in one dtype, detached."""
    weight, bias = read_head(head)

    assert weight.tolist() == WEIGHT.tolist()
    assert bias.tolist() == [0, 0, 0]
    assert weight.dtype == bias.dtype == torch.float64
    assert not bias.requires_grad


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_of_torch_is_a_head_with_and_without_bias(bias):
    """A scorer takes the layer as it takes its weight and bias."""
    layer = nn.Linear(2, 3, bias=bias)
    rows = np.random.default_rng(0).random((9, 2))
    pair = (layer.weight.detach().numpy(), layer.bias.detach().numpy() if bias else np.zeros(3))

    scores = create("react").fit(rows, head=layer).score_samples(rows)

    np.testing.assert_array_equal(scores, create("react").fit(rows, head=pair).score_samples(rows))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ((WEIGHT, np.zeros(3), 1), "got a tuple of 3"),
        (WEIGHT, r"got an array of shape \(3, 2\)"),
        (WEIGHT[:2], r"got an array of shape \(2, 2\)"),
        ("probe", "got str"),
        (nn.Sequential(nn.Linear(2, 3)), "got Sequential"),
        (3.0, "got float"),
        ((WEIGHT, ["a", "b", "c"]), "head bias must be an array of numbers"),
        ((WEIGHT, [{}, None, "c"]), "head bias must be an array of numbers"),
        (("abc", None), "head weight must be an array of numbers"),
        ((WEIGHT, np.zeros((3, 1))), "head bias must have shape"),
        ((WEIGHT, 0.0), "head bias must have shape"),
        ((None, np.zeros(3)), "a head must be"),
        ((WEIGHT[0], np.zeros(2)), "head weight must have shape"),
        ((WEIGHT[:0], []), "C >= 1"),
        ((WEIGHT, [0, np.inf, 0]), "head bias must be 3 finite numbers"),
        ((WEIGHT, [0, 0]), "head bias must be 3 finite numbers"),
        (nn.Conv2d(2, 3, 1), "head weight must have shape"),
    ],
)
def test_what_is_no_head_is_refused_in_one_line(head, message):
    """By scorers and by `as_linear_head` alike."""
    rows = np.ones((4, 2))
    for take in (read_head, as_linear_head, lambda given: create("react").fit(rows, head=given)):
        with pytest.raises(InvalidInput, match=message) as caught:
            take(head)
        assert "\n" not in str(caught.value)


def test_a_zero_shot_head_takes_rows_of_length_1_in_fit_and_in_scoring(tmp_path):
    """Longer rows would get another score without a word: they are refused, also after saving; a new fit forgets it."""
    rows = np.random.default_rng(0).random((20, 4))
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    head = zero_shot_head(np.eye(3, 4))
    fitted = create("react").fit(units, head=head)
    fitted.save(tmp_path)

    for scorer in (fitted, load(tmp_path)):
        assert np.isfinite(scorer.score_samples(np.concatenate([units, np.zeros((1, 4))]))).all()
        for score in (scorer.score_samples, lambda x, of=scorer: of.score_tensor(torch.from_numpy(x))):
            with pytest.raises(InvalidInput, match=r"length 1 for this head.* row 0 has length"):
                score(100 * units)
    with pytest.raises(InvalidInput, match=r"length 1 for this head.* row 0 has length 100; divide"):
        create("react").fit(100 * units, head=head)
    assert np.isfinite(fitted.fit(rows, head=(head.weight, None)).score_samples(rows)).all()
