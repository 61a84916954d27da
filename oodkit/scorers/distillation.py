"""Training a head by self-distillation: a student learns from its own moving average, the teacher."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from oodkit.checkpoints import Checkpoints, State, named, optimiser_tensors, restore_optimiser
from oodkit.errors import InvalidInput
from oodkit.progress import progress
from oodkit.scorers.distillation_crops import Crops
from oodkit.scorers.distillation_head import DistillationHead
from oodkit.scorers.distillation_loss import distillation_loss
from oodkit.scorers.schedule import best_epoch, share_of_rate, waited

STUDENT_TEMPERATURE = 0.1
CENTRE_MOMENTUM = 0.9
TEACHER_CROPS = 2


@dataclass(frozen=True)
class Settings:
    """How a head is trained.

    Attributes:
        epochs: at most so many.
        steps: of an epoch.
        patience: epochs to wait for a lower loss of held-out crops.
        learning_rate: its peak, after a twentieth of the steps; it falls along half a cosine.
        weight_decay: of the layers' weights.
        teacher_temperatures: at the first and at the last step; it changes evenly.
        momentum: of the teacher at the first step; it rises to 1 along half a cosine.
        weight: of the negatives.
    """

    epochs: int
    steps: int
    patience: int
    learning_rate: float
    weight_decay: float
    teacher_temperatures: tuple[float, float]
    momentum: float
    weight: float


@dataclass(frozen=True)
class Distilled:
    """What training gives.

    Attributes:
        teacher: the head.
        centre: (K,) what is taken from its logits.
        losses: loss of held-out crops after each epoch.
    """

    teacher: DistillationHead
    centre: Tensor
    losses: list[float]


def distil(
    student: DistillationHead,
    draw: Callable[[torch.Generator], Crops],
    held_out: Crops,
    settings: Settings,
    generator: torch.Generator,
    checkpoints: Checkpoints,
) -> Distilled:
    """Train in place with AdamW until `patience` epochs after the loss of held-out crops was lowest.

    That loss is taken at the last temperature of the teacher, so that epochs can be compared.

    Args:
        student: that is trained.
        draw: gives the crops of one step.
        held_out: crops that are not trained on.
        settings: how.
        generator: for all that is drawn.
        checkpoints: of this training, to go on from and to keep.

    Returns:
        Teacher and centre of the epoch with the lowest loss.

    Raises:
        InvalidInput: a loss that is no finite number.
    """
    teacher = student.copy()
    centre = torch.zeros(student.weight3.shape[1])
    learning = list(student.tensors().values())
    for part in learning:
        part.requires_grad_(True)
    optimiser = torch.optim.AdamW(_groups(student, settings.weight_decay), lr=settings.learning_rate)
    total = settings.epochs * settings.steps
    losses: list[float] = []
    best = Distilled(teacher, centre, losses)
    first = 0

    def state(done: int) -> State:
        tensors = named("student", student.tensors()) | named("teacher", teacher.tensors())
        tensors |= named("best", best.teacher.tensors()) | named("optimiser", optimiser_tensors(optimiser))
        tensors |= {"centre": centre, "best_centre": best.centre, "generator": generator.get_state()}
        return State({"step": done, "losses": losses}, tensors)

    if start := checkpoints.last(state(0)):
        first = start.words["step"]
        losses += start.words["losses"]
        for name, head in (("student", student), ("teacher", teacher)):
            for key, value in start.part(name).items():
                head.tensors()[key].detach().copy_(value)
        centre.copy_(start.tensors["centre"])
        best = Distilled(type(student)(**start.part("best")), start.tensors["best_centre"], losses)
        restore_optimiser(optimiser, start.part("optimiser"))
        generator.set_state(start.tensors["generator"])

    with progress("distilling", total, unit="steps") as advance:
        advance(first)
        for step in range(first, total):
            if waited(losses, settings.patience):
                break
            temperature = teacher_temperature(step, total, *settings.teacher_temperatures)
            with torch.enable_grad():
                crops = draw(generator)
                parts, logits = _losses(student, teacher, centre, crops, temperature, settings.weight)
                loss = sum(parts, torch.zeros(()))
            _check_finite(float(loss.detach()), step, total, settings)
            for part, slope in zip(learning, torch.autograd.grad(loss, learning), strict=True):
                part.grad = slope
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * share_of_rate(step, total)
            optimiser.step()
            update_centre(centre, logits)
            update_teacher(teacher, student, teacher_momentum(step, total, settings.momentum))
            advance()
            if (step + 1) % settings.steps == 0:
                last = settings.teacher_temperatures[1]
                with torch.no_grad():
                    found, _ = _losses(student, teacher, centre, held_out, last, settings.weight)
                    losses.append(float(sum(found, torch.zeros(()))))
                _check_finite(losses[-1], step, total, settings)
                if best_epoch(losses) == len(losses) - 1:
                    best = Distilled(teacher.copy(), centre.clone(), losses)
            checkpoints.offer(partial(state, step + 1))
    return best


def teacher_probabilities(logits: Tensor, centre: Tensor, temperature: float) -> Tensor:
    """softmax((h - c) / temperature), (..., K); no gradient flows into it."""
    return ((logits.detach() - centre) / temperature).softmax(dim=-1)


def teacher_temperature(step: int, steps: int, first: float, last: float) -> float:
    """Evenly from the first temperature, at step 0, to the last one, at the last step."""
    return first + (last - first) * step / max(1, steps - 1)


def teacher_momentum(step: int, steps: int, first: float) -> float:
    """From the first momentum to 1, along half a cosine."""
    return 1 - (1 - first) * (1 + math.cos(math.pi * step / steps)) / 2


def update_centre(centre: Tensor, logits: Tensor) -> None:
    """Move the centre (K,) in place by a tenth of the way to the mean of the teacher's logits (T, B, K)."""
    centre.lerp_(logits.mean(dim=(0, 1)), 1 - CENTRE_MOMENTUM)


def update_teacher(teacher: DistillationHead, student: DistillationHead, momentum: float) -> None:
    """Move the teacher in place: momentum times itself and the rest of the student."""
    with torch.no_grad():
        averages, currents = list(teacher.tensors().values()), list(student.tensors().values())
        torch._foreach_lerp_(averages, currents, 1 - momentum)


def _losses(
    student: DistillationHead,
    teacher: DistillationHead,
    centre: Tensor,
    crops: Crops,
    temperature: float,
    weight: float,
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Both parts of the loss, and the teacher's logits (T, B, K)."""
    count = crops.positive.shape[1]
    sets = [crops.positive, *crops.negative]
    rows = torch.cat([part.flatten(0, 1) for part in sets])
    log_student = (student.logits(rows) / STUDENT_TEMPERATURE).log_softmax(dim=1)
    parts = torch.split(log_student, [part.shape[0] * count for part in sets])
    answers = [part.view(-1, count, part.shape[1]) for part in parts]
    with torch.no_grad():
        logits = teacher.logits(crops.positive[:TEACHER_CROPS].flatten(0, 1)).view(-1, count, len(centre))
        targets = teacher_probabilities(logits, centre, temperature)
    return distillation_loss(answers[0], targets, answers[1:], weight), logits


def _groups(student: DistillationHead, weight_decay: float) -> list[dict[str, object]]:
    decayed = [student.weight1, student.weight2, student.weight3]
    others = [student.bias1, student.bias2, student.gain3]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def _check_finite(loss: float, step: int, steps: int, settings: Settings) -> None:
    if not math.isfinite(loss):
        first, last = settings.teacher_temperatures
        raise InvalidInput(
            f"the loss is {loss} at step {step + 1} of {steps} (learning_rate={settings.learning_rate:g}, "
            f"weight_decay={settings.weight_decay:g}, teacher temperature {first:g} to {last:g}, "
            f"momentum={settings.momentum:g}): lower learning_rate"
        )
