"""A network that gives the log-odds of a pair of rows, and its training."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm

from oodkit.checkpoints import Checkpoints, State, named, optimiser_tensors, restore_optimiser
from oodkit.errors import InvalidInput
from oodkit.progress import progress
from oodkit.scorers.pair_loss import draw_weight, pair_loss
from oodkit.scorers.schedule import best_epoch, share_of_rate, waited

EPSILON = 1e-5  # added to variances
BETAS = (0.9, 0.99)

Pairs = tuple[Tensor, Tensor]  # (B, d) rows in the first and in the second place


@dataclass
class Discriminator:
    """Two hidden layers over phi(u, v) = [u, v, |u - v|, u v], and one output.

    Attributes:
        weight1, gain1, shift1: (4 d, h) and (h,), (h,): first layer and its normalisation.
        weight2, gain2, shift2: (h, h) and (h,), (h,): second layer and its normalisation.
        weight3, bias3: (h, 1) and (1,): the output.
    """

    weight1: Tensor
    gain1: Tensor
    shift1: Tensor
    weight2: Tensor
    gain2: Tensor
    shift2: Tensor
    weight3: Tensor
    bias3: Tensor

    @classmethod
    def drawn(cls, width: int, hidden: int, generator: torch.Generator) -> Self:
        """One for rows of `width` columns, with weights drawn as `nn.Linear` does; the output is 0 for all pairs."""

        def weight(inputs: int) -> Tensor:
            bound = 1 / math.sqrt(inputs)
            return torch.empty(inputs, hidden).uniform_(-bound, bound, generator=generator)

        ones, zeros = torch.ones(hidden), torch.zeros(hidden)
        first, second = weight(4 * width), weight(hidden)
        return cls(first, ones, zeros, second, ones.clone(), zeros.clone(), torch.zeros(hidden, 1), torch.zeros(1))

    def log_odds(self, u: Tensor, v: Tensor, batch_statistics: bool = False) -> Tensor:
        """z(u, v) for each pair; z(v, u) is another number.

        Args:
            u: (B, d) rows in the first place: neighbours.
            v: (B, d) rows in the second place: what is judged.
            batch_statistics: normalise hidden units by mean and variance over these pairs, so that each output depends
                on the other pairs; else within each pair.

        Returns:
            (B,) of the dtype of the rows.
        """
        normalise = _by_batch if batch_statistics else _by_row
        w1, g1, s1, w2, g2, s2, w3, b3 = (part.to(v.dtype) for part in self._parts())
        x = torch.cat([u, v, (u - v).abs(), u * v], dim=1)
        x = gelu(normalise(x @ w1, g1, s1))
        x = gelu(normalise(x @ w2, g2, s2))
        return (x @ w3 + b3)[:, 0]

    def _parts(self) -> tuple[Tensor, ...]:
        return tuple(vars(self).values())


def train_discriminator(
    discriminator: Discriminator,
    draw: Callable[[torch.Generator], tuple[Pairs, Pairs]],
    held_out: tuple[Pairs, Pairs],
    *,
    epochs: int,
    steps: int,
    patience: int,
    learning_rate: float,
    weight_decay: float,
    generator: torch.Generator,
    checkpoints: Checkpoints,
    batch_statistics: bool = False,
) -> list[float]:
    """Train in place by `pair_loss` with AdamW.

    The learning rate rises for a twentieth of the steps and falls along half a cosine. With held-out
    pairs, training ends `patience` epochs after their loss was lowest, and the weights are those of then.

    Args:
        discriminator: that is trained.
        draw: gives positive and negative pairs of one step.
        held_out: positive and negative pairs that are not trained on.
        epochs: at most so many.
        steps: of an epoch.
        patience: epochs to wait for a lower loss.
        learning_rate: its peak.
        weight_decay: of the weights, not of biases and normalisation.
        generator: for all that is drawn.
        checkpoints: of this training, to go on from and to keep.
        batch_statistics: as in `log_odds`; positive and negative pairs are then two batches.

    Returns:
        The loss of the held-out pairs at weight 1, after each epoch.

    Raises:
        InvalidInput: the loss is no finite number.
    """
    weights = [discriminator.weight1, discriminator.weight2, discriminator.weight3]
    others = [part for part in discriminator._parts() if not any(part is weight for weight in weights)]
    for part in (*weights, *others):
        part.requires_grad_(True)
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS)
    losses: list[float] = []
    kept = {name: part.detach().clone() for name, part in vars(discriminator).items()}
    first = 0

    def state(done: int) -> State:
        tensors = named("part", vars(discriminator)) | named("kept", kept)
        tensors |= named("optimiser", optimiser_tensors(optimiser)) | {"generator": generator.get_state()}
        return State({"step": done, "losses": losses}, tensors)

    if start := checkpoints.last(state(0)):
        first, losses, kept = start.words["step"], start.words["losses"], start.part("kept")
        for name, value in start.part("part").items():
            vars(discriminator)[name].detach().copy_(value)
        restore_optimiser(optimiser, start.part("optimiser"))
        generator.set_state(start.tensors["generator"])

    def loss_of(positive: Pairs, negative: Pairs, weight: int) -> Tensor:
        if batch_statistics:
            z = [discriminator.log_odds(*pairs, batch_statistics=True) for pairs in (positive, negative)]
        else:
            first, second = (torch.cat(rows) for rows in zip(positive, negative, strict=True))
            both, count = discriminator.log_odds(first, second), len(positive[0])
            z = [both[:count], both[count:]]
        return pair_loss(z[0], z[1], weight)

    with torch.enable_grad(), progress("training pairs", epochs * steps, unit="steps") as advance:
        advance(first)
        for step in range(first, epochs * steps):
            if waited(losses, patience):
                break
            for group in optimiser.param_groups:
                group["lr"] = learning_rate * share_of_rate(step, epochs * steps)
            loss = loss_of(*draw(generator), draw_weight(generator))
            _check_finite(float(loss.detach()), step, epochs * steps, learning_rate, weight_decay)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            advance()
            if (step + 1) % steps == 0:
                with torch.no_grad():
                    losses.append(float(loss_of(*held_out, 1)))
                _check_finite(losses[-1], step, epochs * steps, learning_rate, weight_decay)
                if best_epoch(losses) == len(losses) - 1:
                    kept = {name: part.detach().clone() for name, part in vars(discriminator).items()}
            checkpoints.offer(partial(state, step + 1))
    for name, part in vars(discriminator).items():
        part.requires_grad_(False).copy_(kept[name])
    return losses


def _check_finite(loss: float, step: int, steps: int, learning_rate: float, weight_decay: float) -> None:
    if not math.isfinite(loss):
        raise InvalidInput(
            f"the loss is {loss} at step {step + 1} of {steps} (learning_rate={learning_rate:g}, "
            f"weight_decay={weight_decay:g}): lower learning_rate"
        )


def _by_row(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    return layer_norm(x, x.shape[1:], gain, shift, EPSILON)


def _by_batch(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    centred = x - x.mean(dim=0)
    return centred * (centred.square().mean(dim=0) + EPSILON).rsqrt() * gain + shift
