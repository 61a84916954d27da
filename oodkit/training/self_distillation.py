"""The stage of self-distillation with shifted negatives (Rafiee et al., ICANN 2022)."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.scorers.distillation import teacher_momentum, teacher_probabilities, teacher_temperature
from oodkit.scorers.distillation_loss import distillation_loss
from oodkit.training.crops import MultiCrop
from oodkit.training.draws import generator_of
from oodkit.training.images import TrainingImages
from oodkit.training.projection_head import ProjectionHead
from oodkit.training.schedules import cosine, warm_cosine
from oodkit.training.settings import SelfDistillSettings
from oodkit.training.stage import Stage
from oodkit.training.world import World

_RATE_BATCH = 256  # images per step that the base rate is for
_GLOBAL = 2  # global crops of an image, which the teacher sees


class SelfDistillation(Stage):
    """A student that learns from its own moving average, and to say nothing of shifted images.

    Args:
        settings: how.
        encoder: the student's, in training mode.
        images: the in-distribution.
        aux: other images, whose crops are negatives too; None for none.
        preprocessing: standardises pixels.
        seed: of order and draws.
    """

    name = "encoder"
    centre: Tensor

    def __init__(
        self,
        settings: SelfDistillSettings,
        encoder: nn.Module,
        images: TrainingImages,
        aux: TrainingImages | None,
        preprocessing: Preprocessing,
        seed: int,
    ) -> None:
        super().__init__()
        self.values, self.images, self.aux, self.seed = settings, images, aux, seed
        self.preprocessing = preprocessing
        self.epochs, self.steps_per_epoch = settings.epochs, len(images) // settings.batch
        self.settings = (
            f"base_rate={settings.base_rate:g}, batch={settings.batch}, teacher_temperatures="
            f"{settings.teacher_temperatures[0]:g} to {settings.teacher_temperatures[1]:g}, clip={settings.clip:g}"
        )
        self.crops = MultiCrop(
            settings.global_size,
            settings.local_size,
            settings.local_crops,
            settings.negative_local_crops,
            settings.shift,
        )
        width = width_of(encoder, settings.global_size)
        head = ProjectionHead(width, settings.hidden, settings.code, settings.outputs)
        head.gains.requires_grad_(settings.learn_gains)
        self.encoder, self.head = encoder, head
        self.teacher_encoder = copy.deepcopy(encoder).requires_grad_(False).eval()
        self.teacher_head = copy.deepcopy(head).requires_grad_(False).eval()
        self.register_buffer("centre", torch.zeros(settings.outputs))
        self._teacher_mean = torch.zeros(settings.outputs)

    def train(self, mode: bool = True) -> Self:
        """Training mode for the student alone: the teacher has no stochastic depth and no batch statistics."""
        super().train(mode)
        self.teacher_encoder.eval()
        self.teacher_head.eval()
        return self

    def over(self, images: TrainingImages, batch: int) -> Self:
        """The same networks over other images, in other batches."""
        other = copy.copy(self)
        other.values, other.images = replace(self.values, batch=batch), images
        other.steps_per_epoch = len(images) // batch
        return other

    def items(self, epoch: int) -> Sequence[Sequence[Any]]:
        """Batches of (image, auxiliary image or -1)."""
        order = torch.randperm(len(self.images), generator=generator_of(self.seed, "order", epoch)).tolist()
        if self.aux is None:
            others = [-1] * len(order)
        else:
            draw = generator_of(self.seed, "aux", epoch)
            others = torch.randint(len(self.aux), (len(order),), generator=draw).tolist()
        pairs = list(zip(order, others, strict=True))
        size = self.values.batch
        return [pairs[start : start + size] for start in range(0, self.steps_per_epoch * size, size)]

    def sample(self, item: tuple[int, int]) -> tuple[Tensor, ...]:
        """Global and local crops of the image, of its shifted self, and of an auxiliary image."""
        own, other = self.images[item[0]], item[1]
        made: tuple[Tensor, ...] = self.crops.positive(own)
        if self.values.shift != "none":
            made += self.crops.negative(own)
        if self.aux is not None:
            made += self.crops.negative(self.aux[other])
        return made

    def forward(self, batch: list[Tensor], step: int) -> Tensor:
        """Both parts of the loss together."""
        wholes, locals_ = [_by_crop(part) for part in batch[0::2]], [_by_crop(part) for part in batch[1::2]]
        log_student = [
            torch.cat([whole, local]) for whole, local in zip(self._log(wholes), self._log(locals_), strict=True)
        ]
        values = self.values
        temperature = teacher_temperature(step, self.steps, *values.teacher_temperatures)
        with torch.no_grad():
            seen = self._pixels(wholes[0].flatten(0, 1))
            logits = _in_float32(self.teacher_head, self.teacher_encoder(seen))
            logits = torch.unflatten(logits, 0, wholes[0].shape[:2])
            self._teacher_mean = logits.mean(dim=(0, 1))
            targets = teacher_probabilities(logits, self.centre, temperature)
        parts = distillation_loss(log_student[0], targets, log_student[1:], values.negative_weight)
        return parts[0] + parts[1]

    def optimiser(self) -> torch.optim.Optimizer:
        """AdamW; what has one dimension does not decay."""
        learning = [part for part in self._student_parts() if part.requires_grad]
        decayed = [part for part in learning if part.ndim > 1]
        others = [part for part in learning if part.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups)

    def set_rates(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        """A linear rise and half a cosine; weight decay along half a cosine."""
        values = self.values
        peak = values.base_rate * values.batch / _RATE_BATCH
        warm = values.warm_up * self.steps_per_epoch
        for group in optimiser.param_groups:
            group["lr"] = warm_cosine(step, self.steps, warm, peak, values.final_rate)
        optimiser.param_groups[0]["weight_decay"] = cosine(step, self.steps, *values.weight_decay)

    def before_update(self, step: int) -> None:
        """Cut the gradient of each tensor to its largest length; the last layer waits."""
        if step < self.values.frozen_epochs * self.steps_per_epoch:
            for part in self.head.last_layer:
                part.grad = None
        slopes = [part.grad for part in self.parameters() if part.grad is not None]
        lengths = torch._foreach_norm(slopes)
        factors = [(self.values.clip / (length + 1e-6)).clamp(max=1.0) for length in lengths]
        torch._foreach_mul_(slopes, factors)

    def after_update(self, step: int, world: World) -> None:
        """Move centre and teacher."""
        self.centre.lerp_(world.mean(self._teacher_mean), 1 - self.values.centre_momentum)
        momentum = teacher_momentum(step, self.steps, self.values.momentum)
        with torch.no_grad():
            torch._foreach_lerp_(list(self._teacher_parts()), list(self._student_parts()), 1 - momentum)
            for average, current in zip(self.teacher_encoder.buffers(), self.encoder.buffers(), strict=True):
                average.copy_(current)

    def _teacher_parts(self) -> Iterator[nn.Parameter]:
        yield from self.teacher_encoder.parameters()
        yield from self.teacher_head.parameters()

    def _student_parts(self) -> Iterator[nn.Parameter]:
        yield from self.encoder.parameters()
        yield from self.head.parameters()

    def _log(self, sets: list[Tensor]) -> list[Tensor]:
        """Log-probabilities (n, B, K) of sets of crops (n, B, 3, H, W), all through the student at once."""
        rows = torch.cat([part.flatten(0, 1) for part in sets])
        if not len(rows):
            return [part.new_empty((*part.shape[:2], self.values.outputs), dtype=torch.float32) for part in sets]
        logits = _in_float32(self.head, self.encoder(self._pixels(rows)))
        found = (logits / self.values.student_temperature).log_softmax(dim=1)
        counts = [part.shape[0] * part.shape[1] for part in sets]
        split = zip(torch.split(found, counts), sets, strict=True)
        return [torch.unflatten(rows, 0, part.shape[:2]) for rows, part in split]

    def _pixels(self, rows: Tensor) -> Tensor:
        return self.preprocessing.normalise(rows.float() / 255)


def _in_float32(head: nn.Module, features: Tensor) -> Tensor:
    """The head's logits: its sharp temperatures leave no room for the rounding of mixed precision."""
    with torch.autocast(features.device.type, enabled=False):
        logits: Tensor = head(features.float())
    return logits


def _by_crop(part: Tensor) -> Tensor:  # (B, n, ...) -> (n, B, ...)
    return part.transpose(0, 1)


def width_of(encoder: nn.Module, size: int) -> int:
    """How many features an encoder gives of images of this size."""
    was = encoder.training
    with torch.no_grad():
        width = int(encoder.eval()(torch.zeros(1, 3, size, size)).shape[1])
    encoder.train(was)
    return width
