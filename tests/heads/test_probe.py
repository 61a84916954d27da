import math

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.heads import fit_probe, fit_pseudo_label_probe
from oodkit.heads.probe import learning_rate_at
from tests.heads.problems import labelled


def trained_by_torch(rows, labels, epochs, batch_size, seed) -> tuple[np.ndarray, np.ndarray]:
    """The same recipe by autograd, a module and torch's scheduler, in float64: logits of the rows."""
    generator = torch.Generator().manual_seed(seed)
    width, count = rows.shape[1], labels.max() + 1
    layer = nn.Linear(width, count).double()
    bound = 1 / math.sqrt(width)
    with torch.no_grad():
        layer.weight.copy_(torch.empty(count, width).uniform_(-bound, bound, generator=generator))
        layer.bias.copy_(torch.empty(count).uniform_(-bound, bound, generator=generator))
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, ddof=1, dtype=np.float64)
    x, y = torch.from_numpy((rows - mean) / deviation), torch.from_numpy(labels)
    steps = epochs * math.ceil(len(rows) / batch_size)
    warm = steps // 10

    def factor(step: int) -> float:
        return (
            step / max(1, warm - 1) if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
        )

    adam = torch.optim.Adam(layer.parameters(), lr=1e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, factor)
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(rows), generator=generator), batch_size):
            adam.zero_grad()
            nn.functional.cross_entropy(layer(x[batch]), y[batch]).backward()
            adam.step()
            schedule.step()
    return layer(x).detach().numpy()


@pytest.mark.parametrize(("batch_size", "epochs"), [(16, 40), (70, 3), (256, 30)])
def test_agrees_with_torch_module_optimiser_and_scheduler(batch_size, epochs):
    """The logits are those of nn.Linear trained by autograd, last partial batch included."""
    rows, labels = labelled()

    head = fit_probe(rows, labels, epochs=epochs, batch_size=batch_size, seed=7)

    expected = trained_by_torch(rows, labels, epochs, batch_size, seed=7)
    np.testing.assert_allclose(head.logits(rows), expected, atol=2e-5)
    exact = fit_probe(rows.astype(np.float64), labels, epochs=epochs, batch_size=batch_size, seed=7)
    np.testing.assert_allclose(exact.logits(rows.astype(np.float64)), expected, atol=1e-9)


def test_begins_as_a_linear_layer_of_torch():
    """With a learning rate of next to nothing the layer is nn.Linear's own draw of the same seed."""
    rows, labels = labelled()
    with torch.random.fork_rng():
        torch.manual_seed(42)
        layer = nn.Linear(5, 3)

    head = fit_probe(rows, labels, epochs=1, learning_rate=1e-30)

    standardised = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    expected = layer(torch.from_numpy(standardised)).detach().numpy()
    np.testing.assert_allclose(head.logits(rows), expected, atol=1e-5)


@pytest.mark.parametrize("steps", [19_600, 300, 25, 10, 9, 1])
def test_the_rate_rises_over_a_tenth_of_the_steps_and_falls_along_half_a_cosine(steps):
    """Evenly spaced numbers from 0 to the peak, both included, and then a cosine from the peak on."""
    warm = steps // 10
    falling = 1e-3 * (1 + np.cos(np.pi * np.arange(steps - warm) / (steps - warm))) / 2
    expected = np.concatenate([np.linspace(0, 1e-3, warm), falling])

    rates = [learning_rate_at(step, steps, 1e-3) for step in range(steps)]

    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-18)


def test_learns_to_tell_classes_apart():
    """With the default settings; and labels that say nothing are not learned better than chance on new rows."""
    rows, labels = labelled(n=600)

    head = fit_probe(rows[:300], labels[:300], batch_size=32)

    assert (head.logits(rows[300:]).argmax(axis=1) == labels[300:]).mean() > 0.9
    assert head.notes == ()


def test_is_repeatable_and_leaves_the_global_generators_alone():
    """The same arguments give the same bits, whatever was drawn before; another seed gives others."""
    rows, labels = labelled()
    first = fit_probe(rows, labels, epochs=3)
    torch.rand(5)
    before = torch.get_rng_state()

    again, other = fit_probe(rows, labels, epochs=3), fit_probe(rows, labels, epochs=3, seed=1)

    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.weight, again.weight)
    assert torch.equal(first.bias, again.bias)
    assert not torch.equal(first.weight, other.weight)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_memory_mapped_file_gives_the_same_head(tmp_path, dtype):
    """Features are read batch by batch from where they lie."""
    rows, labels = labelled()
    np.save(tmp_path / "rows.npy", rows.astype(dtype))

    head = fit_probe(np.load(tmp_path / "rows.npy", mmap_mode="r"), labels, epochs=2)

    expected = fit_probe(rows.astype(dtype).astype(np.float32), labels, epochs=2)
    assert head.weight.dtype == torch.float32
    np.testing.assert_allclose(head.weight, expected.weight, rtol=1e-5)


def test_a_constant_feature_is_left_out():
    """Its weight is 0 and a note says so; everything stays finite, also where all features are constant."""
    rows, labels = labelled()
    rows[:, 2] = 0.1

    head = fit_probe(rows, labels, epochs=2)
    blank = fit_probe(np.ones_like(rows), labels, epochs=2)

    assert not head.weight[:, 2].any()
    assert head.weight[:, 1].all()
    assert head.notes == ("1 of 5 features are constant: the head does not use them",)
    assert np.ptp(blank.logits(rows), axis=0).max() == 0


def test_few_shots_use_that_many_rows_of_each_class():
    """Rows that are not drawn do not matter; classes with fewer rows are named in a note."""
    rows, labels = labelled(n=60)
    repeated, same = np.concatenate([rows[labels == 0][:1]] * 3), np.zeros(3, dtype=int)
    one_each = np.array([np.flatnonzero(labels == c)[0] for c in range(3)])

    all_rows = fit_probe(rows, labels, epochs=2, few_shot=20)
    one = fit_probe(rows[one_each], labels[one_each], epochs=2, few_shot=1)
    few = fit_probe(
        np.concatenate([repeated, rows[labels > 0]]), np.concatenate([same, labels[labels > 0]]), epochs=2, few_shot=5
    )

    assert all_rows.notes == ()
    assert one.weight.isfinite().all()
    assert few.notes == ("1 of 3 classes have fewer than 5 samples: all of theirs are used",)
    drawn = fit_probe(rows, labels, epochs=2, few_shot=4)
    assert not torch.equal(drawn.weight, all_rows.weight)


def test_classes_can_be_counted_or_named():
    """Names stay with the head; a class without a sample gets a logit and a note."""
    rows, labels = labelled()

    named = fit_probe(rows, labels, epochs=1, classes=["ant", "bee", "cat", "dog"])

    assert named.class_names == ("ant", "bee", "cat", "dog")
    assert named.logits(rows).shape == (70, 4)
    assert named.notes == ("1 of 4 classes have no sample: the head hardly ever gives them",)
    assert fit_probe(rows, labels, epochs=1, classes=3).weight.shape == (3, 5)


def test_what_cannot_be_used_is_refused():
    """One line each: labels out of range, one class, one row, settings out of range."""
    rows, labels = labelled()
    with pytest.raises(InvalidInput, match="labels must be 0 to 1 for 2 classes, got 2"):
        fit_probe(rows, labels, classes=2)
    with pytest.raises(InvalidInput, match="got -1"):
        fit_probe(rows, labels - 1)
    with pytest.raises(TooFewSamples, match="at least 2 classes, got 1"):
        fit_probe(rows, 0 * labels)
    with pytest.raises(TooFewSamples, match="at least 2 samples, got 1"):
        fit_probe(rows[:1], labels[:1])
    with pytest.raises(InvalidInput, match=r"labels must have shape \(70,\)"):
        fit_probe(rows, labels[:-1])
    with pytest.raises(InvalidInput, match="row 3 "):
        fit_probe(np.where(np.arange(70)[:, None] == 3, np.nan, rows), labels)
    for setting in ({"epochs": 0}, {"batch_size": 0}, {"few_shot": 0}, {"few_shot": 1.5}):
        with pytest.raises(InvalidInput, match=f"{next(iter(setting))} must be an integer of at least 1"):
            fit_probe(rows, labels, **setting)
    for setting in ({"learning_rate": 0.0}, {"weight_decay": -1.0}, {"learning_rate": math.nan}):
        with pytest.raises(InvalidInput, match=next(iter(setting))):
            fit_probe(rows, labels, **setting)


@pytest.mark.parametrize("bad", ["x", math.nan, -1, math.inf, [3]])
@pytest.mark.parametrize("setting", ["epochs", "batch_size", "learning_rate", "weight_decay", "seed", "few_shot"])
def test_settings_that_are_no_numbers_are_one_line(setting, bad):
    """By the name of the setting."""
    rows, labels = labelled()

    with pytest.raises(InvalidInput, match=f"^{setting} must be ") as caught:
        fit_probe(rows, labels, **{setting: bad})
    assert "\n" not in str(caught.value)


def test_classes_are_a_number_of_any_type_or_names():
    """An integer of NumPy is a number of classes, a text is no list of names."""
    rows, labels = labelled()

    assert len(fit_probe(rows, labels, classes=np.int64(5), epochs=1).weight) == 5
    for bad in ("cat", 2.5, math.nan, -1, object(), [1, 2, 3]):
        with pytest.raises(InvalidInput, match=r"^(classes must be an integer|class names must be)"):
            fit_probe(rows, labels, classes=bad, epochs=1)
    with pytest.raises(InvalidInput, match="logits are of 4 classes, but 5 classes"):
        fit_pseudo_label_probe(rows, np.eye(4)[labels], classes=np.int64(5))
