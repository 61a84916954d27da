"""The training loop, one for all stages."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.progress import progress
from oodkit.training.batch_statistics import shared_statistics
from oodkit.training.checkpoint import Checkpoint
from oodkit.training.draws import drawing
from oodkit.training.early_stop import EarlyStop
from oodkit.training.mixed_precision import Precision, mixed
from oodkit.training.stage import Stage
from oodkit.training.world import World

Say = Callable[[str], None]

_SAY_SECONDS = 5.0  # between two lines, at least


def run_stage(
    stage: Stage,
    world: World,
    *,
    seed: int,
    losses: dict[str, list[float]],
    start: Checkpoint | None = None,
    save: Callable[[Checkpoint], None] | None = None,
    save_seconds: float = 60.0,
    precision: Precision = "fp32",
    workers: int = 0,
    stop: EarlyStop | None = None,
    say: Say = lambda line: None,
) -> None:
    """Train a stage to its end.

    A run that goes on from a checkpoint ends with the weights of one that never stopped: every order, view and random
    layer has a seed made of its place in the training.

    Args:
        stage: what is trained, on the world's device.
        world: the processes that train together.
        seed: of all draws.
        losses: by stage; the loss of each step, a mean over all processes, is added under the stage's name, and under
            `held_out_name` of it the loss of held-out images after each epoch.
        start: where to go on; None to begin.
        save: takes checkpoints.
        save_seconds: between two of them, at least.
        precision: "bf16" computes the network in mixed precision.
        workers: processes that prepare samples; 0 for none.
        stop: ends the stage early, with its best weights.
        say: takes lines on how it goes.

    Raises:
        TooFewSamples: there are fewer images than a step takes.
        InvalidInput: a loss that is no finite number.
    """
    if stage.steps_per_epoch == 0:
        raise TooFewSamples(f"there are fewer images than a step of the {stage.name} takes; choose a smaller --batch")
    stage.train()
    optimiser = stage.optimiser()
    if start is not None:
        start.restore(stage, optimiser)
    history = losses.setdefault(stage.name, [])
    held_out = losses.setdefault(held_out_name(stage.name), []) if stop is not None else []
    first = len(history)
    network = world.wrapped(stage)
    count = len(stage.items(0)[0])
    lines = _Lines(stage, first, count, say)
    saved = time.monotonic()
    with progress(f"training the {stage.name}", stage.steps, unit="steps") as advance:
        advance(first)
        for step, loaded in enumerate(_loader(stage, world, seed, first, workers), first):
            batch = [part.to(world.device, non_blocking=True) for part in loaded]
            stage.set_rates(optimiser, step)
            with (
                drawing(seed, stage.name, "network", step, world.rank, device=world.device),
                mixed(world.device, precision),
                shared_statistics(world),
            ):
                loss: Tensor = network(batch, step)
            value = float(world.mean(loss.detach()))
            if not math.isfinite(value):
                raise InvalidInput(
                    f"the loss of the {stage.name} is {value} at step {step + 1} of {stage.steps} ({stage.settings}); "
                    "lower the learning rate"
                )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            stage.before_update(step)
            optimiser.step()
            stage.after_update(step, world)
            history.append(value)
            advance()
            lines.after(step, value)
            if stop is not None and (step + 1) % stage.steps_per_epoch == 0:
                held_out.append(stop.loss(world, seed, precision))
                stage.train()
                if held_out[-1] < min(held_out[:-1], default=math.inf):
                    stop.keep(stage)
                if stop.waited(held_out):
                    say(f"{stage.name}: stopped, as the loss of held-out images no longer falls")
                    break
            if save is not None and time.monotonic() - saved >= save_seconds:
                save(Checkpoint.of(stage.name, step + 1, losses, stage, optimiser))
                saved = time.monotonic()
    if stop is not None:
        stop.recall(stage)
    stage.eval()


def held_out_name(stage: str) -> str:
    """Under which name the losses of held-out images of a stage are kept."""
    return f"{stage} held out"


class _Samples(Dataset[Any]):
    """Samples by (epoch, item), each drawn by a seed of its own."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.seed = stage, seed

    def __getitem__(self, key: tuple[int, tuple[int, ...]]) -> tuple[Tensor, ...]:
        epoch, item = key
        with drawing(self.seed, self.stage.name, epoch, *item):
            return self.stage.sample(item)


class _Batches:
    """For each step from the first on, the keys of this process's samples."""

    def __init__(self, stage: Stage, world: World, first: int) -> None:
        self.stage, self.world, self.first = stage, world, first

    def __iter__(self) -> Iterator[list[tuple[int, Any]]]:
        epoch, skipped = divmod(self.first, self.stage.steps_per_epoch)
        for number in range(epoch, self.stage.epochs):
            for items in self.stage.items(number)[skipped:]:
                yield [(number, item) for item in items[self.world.share(len(items))]]
            skipped = 0

    def __len__(self) -> int:
        return self.stage.steps - self.first


def _loader(stage: Stage, world: World, seed: int, first: int, workers: int) -> DataLoader[Any]:
    return DataLoader(
        _Samples(stage, seed),
        batch_sampler=_Batches(stage, world, first),
        num_workers=workers,
        pin_memory=world.device.type == "cuda",
        generator=torch.Generator().manual_seed(0),  # else it draws a seed from the global one
    )


class _Lines:
    """A line now and then: where the training is, its loss, its rate and the time left."""

    def __init__(self, stage: Stage, first: int, count: int, say: Say) -> None:
        self.stage, self.first, self.count, self.say = stage, first, count, say
        self.started = self.said = time.monotonic()
        self.total, self.steps = 0.0, 0

    def after(self, step: int, loss: float) -> None:
        self.total, self.steps = self.total + loss, self.steps + 1
        now, last = time.monotonic(), step + 1 == self.stage.steps
        epoch_ends = (step + 1) % self.stage.steps_per_epoch == 0
        if not last and (not epoch_ends or now - self.said < _SAY_SECONDS):
            return
        rate = (step + 1 - self.first) / max(now - self.started, 1e-9)
        left = round((self.stage.steps - step - 1) / rate)
        clock = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"
        self.say(
            f"{self.stage.name}: epoch {step // self.stage.steps_per_epoch + 1} of {self.stage.epochs}, "
            f"loss {self.total / self.steps:.4f}, {rate * self.count:,.0f} samples/s, {clock} left"
        )
        self.said, self.total, self.steps = now, 0.0, 0
