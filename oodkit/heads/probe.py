"""A linear probe: softmax regression on frozen features (settings of Adaloglou et al., 2023)."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from numbers import Real
from typing import Any

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.heads.linear import LinearHead, names_of
from oodkit.heads.standardisation import Standardisation
from oodkit.progress import progress
from oodkit.scorers.checks import check_integer, check_number, check_positive, check_seed
from oodkit.scorers.rows import as_labels, as_tensor, check_finite, floating

WARM_UP = 10  # one step in so many
ONE_THREAD_PRODUCTS = 10**8  # of batch, features and classes


def fit_probe(
    features: Any,
    labels: Any,
    *,
    classes: int | Sequence[str] | None = None,
    epochs: int = 100,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-3,
    seed: int = 42,
    few_shot: int | None = None,
) -> LinearHead:
    """Train a linear classifier on features and fold their standardisation into it.

    Features are standardised by mean and unbiased standard deviation of the fit rows; a constant one is left out. The
    layer begins as torch's `nn.Linear` does and is trained by cross-entropy with Adam, whose weight decay is added to
    the gradient. The learning rate rises from 0 over the first tenth of the steps and falls along half a cosine. Each
    epoch goes through all rows in another order; the last, smaller batch counts. The same arguments give the same head,
    bit for bit, on the same machine; no global random state is read or changed.

    Args:
        features: (N, D) real numbers in any form that a scorer takes; a memory-mapped array is read batch by batch.
        labels: (N,) integers 0..C-1.
        classes: C, or C class names in label order; default: the largest label and 1.
        epochs: passes over the rows.
        batch_size: rows per step.
        learning_rate: its peak, whatever the batch size.
        weight_decay: of weight and bias.
        seed: of initial weights and order.
        few_shot: train on this many rows of each class, drawn without replacement; None for all rows.

    Returns:
        A head for features as they are, float64 if they are, else float32.

    Raises:
        InvalidInput: shapes, values or labels that cannot be used, or a setting out of range.
        TooFewSamples: fewer than two rows or classes.
    """
    _check_settings(epochs, batch_size, learning_rate, weight_decay, few_shot)
    rows = as_tensor(features, "features")
    check_finite(rows, "features")
    targets = as_labels(labels, len(rows))
    count, names = _classes(classes, targets)
    notes = _notes_on_classes(targets, count)
    # The seed is set right before anything is drawn, and in a generator of this call alone.
    generator = torch.Generator().manual_seed(check_seed(seed))
    if few_shot is not None:
        kept, note = _few(targets, count, few_shot, generator)
        rows, targets = rows[kept.to(rows.device)], targets[kept]
        notes += note
    standard = Standardisation.of(rows)
    if standard.constant:
        notes.append(f"{standard.constant} of {rows.shape[1]} features are constant: the head does not use them")
    weight, bias = _initial(count, rows.shape[1], generator)
    sample = floating(rows[:0])
    weight, bias = weight.to(sample), bias.to(sample)
    _train(weight, bias, rows, targets, standard, int(epochs), int(batch_size), learning_rate, weight_decay, generator)
    weight, bias = standard.fold(weight, bias)
    return LinearHead(weight.to(sample), bias.to(sample), names, tuple(notes))


def learning_rate_at(step: int, steps: int, peak: float) -> float:
    """Linear from 0 to the peak, which the last step of the first tenth has, then from the peak down half a cosine.

    With fewer than 10 steps there is no rise.

    Args:
        step: 0 <= step < steps.
        steps: number of steps in all.
        peak: the largest rate.
    """
    warm = steps // WARM_UP
    if step < warm:
        return peak * step / max(1, warm - 1)  # a rise of one step is at 0
    return peak * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


def _train(
    weight: Tensor,
    bias: Tensor,
    rows: Tensor,
    targets: Tensor,
    standard: Standardisation,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    generator: torch.Generator,
) -> None:
    """Train weight (C, D) and bias (C,) in place. The gradient of softmax regression is written out: it is short."""
    steps = epochs * math.ceil(len(rows) / batch_size)
    adam = torch.optim.Adam([weight, bias], lr=learning_rate, weight_decay=weight_decay, fused=True)
    weight.grad, bias.grad = torch.empty_like(weight), torch.empty_like(bias)
    step = 0
    with (
        torch.no_grad(),
        _threads_for(batch_size * weight.numel()),
        progress("training the probe", steps, unit="steps") as advance,
    ):
        for _ in range(epochs):
            for batch in torch.split(torch.randperm(len(rows), generator=generator), batch_size):
                x = standard.apply(floating(rows[batch.to(rows.device)]))
                error = torch.addmm(bias, x, weight.T).softmax(dim=1)  # (B, C)
                error[torch.arange(len(batch)), targets[batch]] -= 1
                error /= len(batch)
                torch.mm(error.T, x, out=weight.grad)
                torch.sum(error, dim=0, out=bias.grad)
                adam.param_groups[0]["lr"] = learning_rate_at(step, steps, learning_rate)
                adam.step()
                step += 1
                advance()


def _threads_for(products: int) -> AbstractContextManager[Any]:
    """One compute thread for steps of few products: on a busy machine, waiting for a second one costs far more."""
    if products >= ONE_THREAD_PRODUCTS:
        return nullcontext()
    torch.get_num_threads()  # torch sets the number once in every thread, so that has to come first
    one_thread: AbstractContextManager[Any] = threadpool_limits(1, user_api="openmp")
    return one_thread


def _initial(classes: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Weight and bias as `nn.Linear(width, classes)` draws them."""
    bound = 1 / math.sqrt(width)
    weight = torch.empty(classes, width).uniform_(-bound, bound, generator=generator)
    return weight, torch.empty(classes).uniform_(-bound, bound, generator=generator)


def _classes(classes: int | Sequence[str] | None, targets: Tensor) -> tuple[int, tuple[str, ...] | None]:
    if len(targets) < 2:
        raise TooFewSamples(f"a probe needs at least 2 samples, got {len(targets)}")
    if classes is None:
        count, names = int(targets.max()) + 1, None
    elif isinstance(classes, int | Real):
        count, names = check_integer("classes", classes, 1), None
    else:
        names = names_of(classes)
        count = len(names)
    if int(targets.min()) < 0 or int(targets.max()) >= count:
        wrong = targets[(targets < 0) | (targets >= count)][0]
        raise InvalidInput(f"labels must be 0 to {count - 1} for {count} classes, got {int(wrong)}; number the classes")
    if count < 2:
        raise TooFewSamples("a probe needs at least 2 classes, got 1; a single class has nothing to be told apart from")
    return count, names


def _notes_on_classes(targets: Tensor, count: int) -> list[str]:
    empty = int((torch.bincount(targets, minlength=count) == 0).sum())
    return [f"{empty} of {count} classes have no sample: the head hardly ever gives them"] if empty else []


def _few(targets: Tensor, count: int, shots: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
    """Positions of `shots` rows of each class, in ascending order."""
    order = torch.randperm(len(targets), generator=generator)
    order = order[targets[order].argsort(stable=True)]  # by class, at random within each
    sizes = torch.bincount(targets, minlength=count)
    first = torch.repeat_interleave(sizes.cumsum(0) - sizes, sizes)
    kept = order[torch.arange(len(targets)) - first < shots].sort().values
    short = int(((sizes > 0) & (sizes < shots)).sum())
    note = [f"{short} of {count} classes have fewer than {shots} samples: all of theirs are used"] if short else []
    return kept, note


def _check_settings(
    epochs: int, batch_size: int, learning_rate: float, weight_decay: float, few_shot: int | None
) -> None:
    for name, value in {"epochs": epochs, "batch_size": batch_size}.items():
        check_integer(name, value, 1)
    if few_shot is not None:
        check_integer("few_shot", few_shot, 1)
    check_positive("learning_rate", learning_rate)
    check_number("weight_decay", weight_decay, "a number of at least 0", lambda number: number >= 0)
