"""How the learning rate of a training changes, and when its held-out loss says that it is done."""

import math

WARM_UP = 20  # one step in so many


def share_of_rate(step: int, steps: int) -> float:
    """Of the peak of the learning rate: a rise over a twentieth of the steps, then half a cosine."""
    warm = steps // WARM_UP
    if step < warm:
        return (step + 1) / warm
    return (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


def best_epoch(losses: list[float]) -> int:
    """The first epoch of lowest loss, from 0 on."""
    return losses.index(min(losses))


def waited(losses: list[float], patience: int) -> bool:
    """Whether the lowest of the losses, one for each epoch that is done, is `patience` epochs ago."""
    return bool(losses) and len(losses) - 1 - best_epoch(losses) >= patience
