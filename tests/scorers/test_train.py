import numpy as np
import pytest
import torch

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.heads import LinearHead
from oodkit.scorers.train import HOW_TO_GIVE, Need, make_train

FEATURES = np.ones((4, 3), dtype=np.float32)
GIVEN = {
    "labels": [0, 1, 0, 1],
    "head": (np.ones((2, 3)), np.zeros(2)),
    "text": np.ones((2, 3)),
    "out_text": np.ones((2, 3)),
    "captions": np.ones((4, 3)),
    "negatives": np.ones((5, 3)),
    "views": np.ones((2, 4, 3)),
    "aux": np.ones((6, 3)),
}


@pytest.mark.parametrize("need", [need for need in Need if need is not Need.LOGITS])
def test_only_what_is_wanted_is_set(need) -> None:
    """Of everything given, a scorer sees what it asked for, and nothing else; and it is known how to give it."""
    train = make_train("X", frozenset({need}), FEATURES, GIVEN)

    found = {name for name in GIVEN if getattr(train, name) is not None}
    assert found == {need.value}
    assert f"{need.value}" in HOW_TO_GIVE[need]


def test_shapes_and_dtypes() -> None:
    """Everything is a tensor on the features' device; labels are int64, the rest floating."""
    train = make_train("X", frozenset(Need), FEATURES, GIVEN)

    assert train.labels.tolist() == [0, 1, 0, 1]
    assert train.head.weight.shape == (2, 3)
    assert train.head.bias.shape == (2,)
    assert train.text.shape == (2, 3)
    assert train.negatives.shape == (5, 3)
    assert train.views.shape == (2, 4, 3)
    assert train.aux.shape == (1, 6, 3)


def test_a_linear_layer_is_a_head() -> None:
    """A layer with weight and bias can be given as it is."""
    layer = torch.nn.Linear(3, 2)

    head = make_train("X", frozenset({Need.HEAD}), FEATURES, {"head": layer}).head

    assert torch.equal(head.weight, layer.weight)
    assert not head.weight.requires_grad


@pytest.mark.parametrize("unit_features", [False, True])
def test_a_head_that_stands_for_unit_rows_takes_no_others(unit_features) -> None:
    """Rows of length 1, but for rounding, and of zeros fit such a head; others are a line with the first of them."""
    head = LinearHead(np.eye(2, 3), None, unit_features=unit_features)
    wanted, rows = frozenset({Need.HEAD}), np.array([[0.6, 0.8, 0], [0, 0, 0], [0, 0, 1.0002]])

    for dtype in (np.float64, np.float32, np.float16):
        assert make_train("X", wanted, rows.astype(dtype), {"head": head}).unit_features is unit_features
    assert not make_train("X", frozenset(), 3 * rows, {"head": head}).unit_features
    if unit_features:
        with pytest.raises(InvalidInput, match=r"length 1 .* row 2 has length 1\.01; divide"):
            make_train("X", wanted, np.concatenate([rows[:2], 1.01 * rows[2:]]), {"head": head})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("labels", [0, 1], r"labels must have shape \(4,\)"),
        (
            "head",
            (np.ones((2, 5)), np.zeros(2)),
            r"head weight must have shape \(C, 3\) for these features, got \(2, 5\)",
        ),
        ("head", (np.ones((2, 3)), np.zeros(3)), r"head bias must be 2 finite numbers, got shape \(3,\)"),
        ("head", (np.ones((2, 3)), np.array([0, np.nan])), "head bias must be 2 finite numbers"),
        ("text", np.ones((2, 4)), r"text must have shape \(M, 3\)"),
        ("text", np.ones((0, 3)), r"M >= 1, got \(0, 3\)"),
        ("negatives", np.full((2, 3), np.nan), "negatives must be finite"),
        ("views", np.ones((2, 5, 3)), r"views must have shape \(V, 4, 3\) as features, got \(2, 5, 3\)"),
        ("views", np.ones((5, 3)), r"views must have shape \(V, N, D\), got \(5, 3\)"),
        ("views", np.full((1, 4, 3), np.inf), "views must be finite, .* 4 of 4 rows"),
        ("aux", np.ones((5, 2)), r"aux must have shape \(A, 3\) or \(1 \+ W, A, 3\), A >= 1, got \(1, 5, 2\)"),
        ("aux", np.ones((2, 0, 3)), r"A >= 1, got \(2, 0, 3\)"),
        ("aux", np.full((2, 3), np.nan), "aux must be finite"),
        ("heads", None, "fit of X takes no 'heads'; did you mean 'head'"),
        ("weights", None, "fit of X takes no 'weights'"),
    ],
)
def test_what_does_not_fit_is_one_line(name, value, message) -> None:
    """A wrong shape or a name that nothing has is refused, with what it must be."""
    with pytest.raises(InvalidInput, match=message) as caught:
        make_train("X", frozenset(Need), FEATURES, {name: value})

    assert "\n" not in str(caught.value)


def test_no_rows() -> None:
    """There is nothing to learn from no rows."""
    with pytest.raises(TooFewSamples, match=r"0 sample\(s\) \(shape=\(0, 3\)\)"):
        make_train("X", frozenset(), FEATURES[:0], {})


def test_precision_is_kept_where_it_matters(tmp_path) -> None:
    """Half and double precision stay, integers become floating; a mapped file stays as it is, and is said to be one."""
    for dtype in (np.float16, np.float32, np.float64):
        assert make_train("X", frozenset(), FEATURES.astype(dtype), {}).features.numpy().dtype == dtype
    assert make_train("X", frozenset(), FEATURES.astype(np.uint8), {}).features.dtype == torch.float32
    np.save(tmp_path / "a.npy", FEATURES.astype(np.uint8))

    train = make_train("X", frozenset(), np.load(tmp_path / "a.npy", mmap_mode="r"), {})

    assert train.mapped
    assert train.features.dtype == torch.uint8
