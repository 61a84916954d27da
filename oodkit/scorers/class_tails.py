"""How far the rows of each class lie from their mean, and the distribution of the farthest."""

import torch
from torch import Tensor

from oodkit.errors import TooFewSamples
from oodkit.scorers.known_classes import chosen_blocks
from oodkit.scorers.weibull import Weibull

FEWEST = 3  # distances in a tail
ROWS_PER_TAIL_ROW = 20  # a tail is at most one in so many rows: more, and it is no tail


def representatives(logits: Tensor, labels: Tensor) -> tuple[Tensor, int]:
    """The rows that are classified correctly, or all rows of a class where none is.

    Args:
        logits: (N, C).
        labels: (N,) columns of the logits; negative for rows to leave out.

    Returns:
        (N,) bool, and the number of classes with rows of which none is classified correctly.
    """
    width = logits.shape[1]
    correct = logits.argmax(dim=1) == labels
    present = labels[labels >= 0].bincount(minlength=width) > 0
    wrong_alone = present & (labels[correct].bincount(minlength=width) == 0)
    return correct | ((labels >= 0) & wrong_alone[labels.clamp(min=0)]), int(wrong_alone.sum())


def distances_to_mean(logits: Tensor, labels: Tensor, used: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Mean logits of each class, (C, C), and the distance of each used row to that of its class; float64.

    Args:
        logits: (N, C).
        labels: (N,) columns of the logits.
        used: (N,) bool, the rows that count.
        counts: (C,) how many of these each class has; the mean of a class without any is 0.
    """
    sums = torch.zeros(len(counts), logits.shape[1], dtype=torch.float64, device=logits.device)
    for rows, of in chosen_blocks(logits, labels, used):
        sums.index_add_(0, of, rows)
    means = sums / counts.clamp(min=1)[:, None]
    distances = [torch.linalg.vector_norm(rows - means[of], dim=1) for rows, of in chosen_blocks(logits, labels, used)]
    return means, torch.cat(distances)


def fit_tails(distances: Tensor, classes: Tensor, counts: Tensor, tail: int) -> tuple[Weibull, int]:
    """A distribution of the largest distances for every class.

    Args:
        distances: (n,) float64.
        classes: (n,) the class of each.
        counts: (C,) how many each class has; a class without any gets the distribution of all together.
        tail: how many of the largest to take, at most a twentieth of a class, at least 3.

    Returns:
        The distributions, and the number of classes that have distances, but not three different ones; they get the
        distribution of all together as well.

    Raises:
        TooFewSamples: all distances are the same.
    """
    order = distances.argsort(descending=True)
    order = order[classes[order].argsort(stable=True)]
    lengths = torch.minimum((counts // ROWS_PER_TAIL_ROW).clamp(FEWEST, tail), counts)
    rank = torch.arange(int(lengths.max()), device=counts.device)
    inside = rank < lengths[:, None]
    first = counts.cumsum(0) - counts
    tails = distances[order][(first[:, None] + rank).clamp(max=len(distances) - 1)]
    own = (counts >= FEWEST) & _differ(tails, inside)

    together = distances.sort(descending=True).values[None]
    length = max(len(distances) // ROWS_PER_TAIL_ROW, FEWEST)
    longest = [together[:, :length], together]
    pooled_tail = next((rows for rows in longest if bool(_differ(rows, torch.ones_like(rows, dtype=torch.bool)))), None)
    if pooled_tail is None:
        raise TooFewSamples(
            f"a tail needs at least {FEWEST} rows of a class at different distances from their mean; "
            f"{len(distances)} sample(s) have none, give more rows"
        )
    pooled = Weibull.fit(pooled_tail, torch.ones_like(pooled_tail, dtype=torch.bool))
    fitted = Weibull.fit(tails, inside)
    chosen = (torch.where(own, mine, all_) for mine, all_ in zip(fitted, pooled, strict=True))
    return Weibull(*chosen), int(((counts > 0) & ~own).sum())


def _differ(tails: Tensor, inside: Tensor) -> Tensor:
    farthest = tails.masked_fill(~inside, -torch.inf).amax(dim=1)
    nearest = tails.masked_fill(~inside, torch.inf).amin(dim=1)
    return farthest - nearest > 1e-9 * farthest
