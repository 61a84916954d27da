import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from oodkit.checkpoints import checkpoints_in
from oodkit.clustering.figures import matched_accuracy
from oodkit.clustering.kmeans import kmeans
from oodkit.clustering.temi import SHARE_MOMENTUM, Trainer, learning_rate_at, principal_components, temi
from oodkit.clustering.temi_gradient import student_step
from oodkit.clustering.temi_heads import Heads
from oodkit.errors import InvalidInput, TooFewSamples

FAST = {
    "heads": 2,
    "neighbours": 10,
    "epochs": 20,
    "warm_up": 2,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "momentum": 0.9,
}


def groups(count: int = 4, per_group: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    of = np.arange(count * per_group) % count
    return (8 * np.eye(count, 6)[of] + rng.standard_normal((len(of), 6))).astype(np.float32), of


def trainer(heads: int = 2, width: int = 5, clusters: int = 4, **options) -> Trainer:
    return Trainer(Heads.draw(heads, width, clusters, torch.Generator().manual_seed(0)), **options)


def test_separate_groups_are_found() -> None:
    """On well separated groups TEMI is at least as good as k-means under one of three seeds."""
    rows, of = groups()
    by_kmeans = matched_accuracy(kmeans(rows, 4).assignments, of)

    by_temi = (matched_accuracy(temi(rows, 4, seed=seed, **FAST).assignments, of) for seed in range(3))
    assert any(accuracy >= by_kmeans for accuracy in by_temi)


def test_other_rows_are_assigned_alike() -> None:
    """`predict` gives fit rows their own cluster, one row at a time as well; probabilities sum to 1."""
    rows, _ = groups()
    found = temi(rows, 4, **FAST)

    assert np.array_equal(found.predict(rows), found.assignments)
    assert np.array_equal(np.concatenate([found.predict(row[None]) for row in rows]), found.assignments)
    probabilities = found.probabilities(rows)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert np.array_equal(probabilities.argmax(axis=1), found.assignments)
    assert found.predict(rows[:0]).shape == (0,)


def test_runs_repeat_whatever_the_order_of_rows() -> None:
    """The same seed gives the same clusters, also of shuffled rows; another seed numbers them otherwise."""
    rows, _ = groups()
    order = np.random.default_rng(1).permutation(len(rows))
    state = torch.get_rng_state()
    found = temi(rows, 4, **FAST)

    assert np.array_equal(temi(rows[order], 4, **FAST).assignments, found.assignments[order])
    assert np.array_equal(temi(rows, 4, **FAST).losses, found.losses)
    assert not np.array_equal(temi(rows, 4, seed=1, **FAST).losses, found.losses)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("step", [2, 4, 9, 79])
def test_a_training_that_was_killed_ends_as_one_that_never_stopped(tmp_path, every_step, monkeypatch, step) -> None:
    """Interrupted in the first epoch, at its end, later and before the last step: bit for bit the same."""
    rows, _ = groups()
    whole = temi(rows, 4, **FAST)
    calls: list[int] = []

    def failing(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == step + 1:
            raise KeyboardInterrupt
        return student_step(*arguments)

    monkeypatch.setattr(sys.modules[Trainer.__module__], "student_step", failing)
    with pytest.raises(KeyboardInterrupt), checkpoints_in(tmp_path):
        temi(rows, 4, **FAST)
    with checkpoints_in(tmp_path):
        found = temi(rows[::-1], 4, **FAST)  # the order of rows does not matter

    assert len(calls) == 81
    assert np.array_equal(found.assignments[::-1], whole.assignments)
    assert np.array_equal(found.losses, whole.losses)
    for name, tensor in whole.teacher.tensors().items():
        assert torch.equal(found.teacher.tensors()[name], tensor)


def test_the_head_of_the_lowest_loss_assigns() -> None:
    """The losses are those of the last epoch, one per head, and the best is the one that is kept."""
    rows, _ = groups()
    found = temi(rows, 4, **(FAST | {"heads": 3}))

    assert found.losses.shape == (3,)
    assert found.head == found.losses.argmin()
    assert len(found.teacher.last) == 1


def test_all_weightings_and_precisions_learn() -> None:
    """Each weighting, and bfloat16, finds separate groups."""
    rows, of = groups()
    for options in ({"weighting": "wpmi"}, {"weighting": "pmi"}, {"precision": "bf16"}, {"whitening": 0.0}):
        assert adjusted_rand_score(of, temi(rows, 4, **FAST, **options).assignments) > 0.5


def test_loss_falls() -> None:
    """Steps on the same pairs lower the loss of every head from its start near -(2 - 2 beta) log C / C."""
    run = trainer()
    pairs = torch.randn(2, 64, 5, generator=torch.Generator().manual_seed(1))
    first = run.step(pairs, 1e-3)
    for _ in range(30):
        last = run.step(pairs, 1e-3)

    assert (last < first).all()


def test_shares_stay_shares() -> None:
    """The shares stay positive and sum to 1; with frozen teachers they move as 0.9^n q_0 + (1 - 0.9^n) m."""
    run = trainer(momentum=0.999999)
    pairs = torch.randn(2, 16, 5, generator=torch.Generator().manual_seed(1))
    mean = run.teacher.log_probabilities(pairs.flatten(0, 1)).exp().mean(dim=1)
    for _ in range(3):
        run.step(pairs, 0.0)

    left = SHARE_MOMENTUM**3
    torch.testing.assert_close(run.share, left / 4 + (1 - left) * mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(run.share.sum(dim=1), torch.ones(2))
    assert (run.share > 0).all()


def test_teacher_is_the_moving_average_of_the_student() -> None:
    """After a step the teacher has moved by 1 - momentum of the way to the student, and by gradients never."""
    run = trainer(momentum=0.9)
    before = run.teacher.copy().tensors()
    run.step(torch.randn(2, 16, 5, generator=torch.Generator().manual_seed(1)), 1e-2)

    for name, tensor in run.teacher.tensors().items():
        expected = 0.9 * before[name] + 0.1 * run.student.tensors()[name].detach()
        torch.testing.assert_close(tensor, expected)
        assert not tensor.requires_grad


def test_last_layer_is_held_at_first() -> None:
    """Steps of the first epoch leave directions and gains as they are and move the other layers."""
    run = trainer()
    before = run.student.copy()
    run.step(torch.randn(2, 16, 5, generator=torch.Generator().manual_seed(1)), 1e-2, hold_last=True)

    assert torch.equal(run.student.last, before.last)
    assert torch.equal(run.student.gain, before.gain)
    assert not torch.equal(run.student.first, before.first)


def test_learning_rate() -> None:
    """It rises linearly through the warm-up, then stays; without warm-up it is the peak at once."""
    assert [learning_rate_at(step, 3, 8.0) for step in range(6)] == [2, 4, 6, 8, 8, 8]
    assert learning_rate_at(0, 0, 8.0) == 8


@settings(max_examples=20)
@given(
    st.integers(0, 10**6), st.integers(2, 30), st.integers(1, 6), st.integers(1, 8), st.sampled_from([0.0, 0.5, 1.0])
)
def test_principal_components(seed, count, width, components, whitening) -> None:
    """Projected rows are centred and uncorrelated, of mean variance 1, and of equal variance where whitened."""
    rows = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, width))).float() + 3
    location, projection = principal_components(rows, components, whitening)
    x = ((rows - location) @ projection).double()
    covariance = x.T @ x / count

    assert projection.shape == (width, min(components, width, count - 1))
    variances = covariance.diagonal()
    assert variances.mean().item() == pytest.approx(1, abs=1e-2)
    assert (covariance - torch.diag(variances)).abs().max() < 1e-2
    if whitening == 1:
        torch.testing.assert_close(variances, torch.ones_like(variances), atol=2e-2, rtol=0)


def test_equal_rows() -> None:
    """Rows that are all equal are one cluster; nothing is NaN."""
    found = temi(np.ones((10, 3), dtype=np.float32), 2, **(FAST | {"epochs": 2}))

    assert len(set(found.assignments)) == 1
    assert np.isfinite(found.losses).all()


def test_more_neighbours_than_rows() -> None:
    """All other rows are neighbours where fewer are there."""
    assert temi(groups()[0][:4], 2, **(FAST | {"neighbours": 50, "epochs": 1})).neighbours == 3


def test_what_cannot_be_clustered() -> None:
    """Fewer than 2 clusters, more than rows, and what is not finite are one line each."""
    rows = np.eye(4, dtype=np.float32)
    for clusters in (1, 0, -3, 2.5):
        with pytest.raises(InvalidInput, match=r"clusters must be an integer of at least 2, got"):
            temi(rows, clusters)
    with pytest.raises(TooFewSamples, match=r"clusters=5 needs at least 5 fit samples, got 4 sample\(s\)"):
        temi(rows, 5)
    for bad in (rows[0], rows[:0], np.where(rows, np.nan, 0)):
        with pytest.raises(InvalidInput, match="features to cluster must be finite numbers of shape"):
            temi(bad, 2)


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "heads": (0, 1.5, "x"),
        "neighbours": (0, None),
        "beta": (0.5, 1.1, float("nan"), "x"),
        "weighting": ("scan", None),
        "epochs": (0, True),
        "warm_up": (-1,),
        "batch_size": (0,),
        "learning_rate": (0, -1, float("inf")),
        "weight_decay": (-1,),
        "momentum": (1, -0.1),
        "components": (0,),
        "whitening": (1.5, -0.1),
        "precision": ("fp16",),
        "seed": (-1, 0.5),
    }.items(),
)
def test_settings_out_of_range(name, values) -> None:
    """Each setting is refused by its name in one line; beta of 0.5 has nothing to learn."""
    for value in values:
        with pytest.raises(InvalidInput, match=f"^{name} must be ") as caught:
            temi(np.eye(4, dtype=np.float32), 2, **{name: value})
        assert "\n" not in str(caught.value)


def test_a_loss_that_is_no_number_stops_with_the_step_and_the_settings(monkeypatch) -> None:
    """One line says where it stopped, under which settings, and what to do."""
    calls = []

    def broken(*arguments: Any) -> Any:
        calls.append(1)
        losses, slopes = student_step(*arguments)
        return losses * (np.nan if len(calls) == 3 else 1), slopes

    monkeypatch.setattr(sys.modules[Trainer.__module__], "student_step", broken)

    expected = r"no longer finite at step 3 of 80 with heads=2, .*learning_rate=0.003.*; lower learning_rate"
    with pytest.raises(InvalidInput, match=expected):
        temi(groups()[0], 4, **FAST)
