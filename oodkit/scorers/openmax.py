"""OpenMax (Bendale & Boult, CVPR 2016)."""

import torch
from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_integer
from oodkit.scorers.class_tails import ROWS_PER_TAIL_ROW, distances_to_mean, fit_tails, representatives
from oodkit.scorers.known_classes import known_classes
from oodkit.scorers.softmax import CHUNK_BYTES
from oodkit.scorers.weibull import Weibull


class OpenMax(Scorer):
    """Log-odds of the known classes against OpenMax's class "unknown", any real number.

    Each class c has a mean logit vector mu_c, over the fit rows of the class that are classified correctly, and a
    Weibull distribution F_c of the `tail` largest distances of these rows to mu_c. For logits l whose r-th largest
    entry is class c, r = 1 ... alpha,

        w_c = (alpha + 1 - r) / alpha * F_c(||l - mu_c||),    0 for all other classes,
        known logits:  l_c (1 - w_c),    unknown logit:  u = sum_c l_c w_c,
        score = log sum_c exp(l_c (1 - w_c)) - u = log (1 - P) / P,

    where P is the probability of "unknown" in the softmax over all C + 1 logits. Labels are columns of the logits: 0
    to C - 1. Logits are assumed to be positive for the classes that matter; a negative one moves the wrong way.

    Parameters
    ----------
    tail : int, default 20
        Number of largest distances per class that the distribution is fitted to; at most a twentieth of the rows of a
        class, but at least 3.
    alpha : int, default 10
        Number of largest logits to revise; all where there are fewer classes.

    Attributes
    ----------
    centres_ : (C, C) tensor
        Mean logits of each class, float64; 0 where a class has no fit rows.
    start_, rate_, log_scale_ : (C,) tensors
        Parameters of the distributions, float64, as `oodkit.scorers.weibull` describes them.
    known_ : (C,) tensor of bool
        Classes that have a distribution; the logits of others are never revised.
    notes_ : list of str
        Counts rows whose label is no column, classes without rows, without one classified correctly, with fewer rows
        than `tail` asks for, and with too few for a distribution of their own.

    Raises
    ------
    InvalidInput
        A parameter is no integer or too small, or no label is a column of the logits.
    TooFewSamples
        No three rows lie at different distances from the mean of their class.

    Notes
    -----
    The paper scores with the probability of "unknown" or the largest known one; the log-odds order rows as 1 - P does
    and never round to 0 or 1. The weights are those of the authors' code; in the formula printed in the paper the
    Weibull factor is the other way round. As in libMR, distances are moved so that a tail begins at 10,000 before the
    fit. Distances are Euclidean alone, as in pytorch-ood, which centres classes on all their rows, however; OpenOOD
    adds cosine distances. Where a class has no row that is classified correctly all its rows are used, and where it
    has fewer than three different distances the distances of all classes together; `notes_` says so.

    References
    ----------
    A. Bendale, T. E. Boult: Towards Open Set Deep Networks. CVPR 2016. arXiv:1511.06233.
    """

    needs = frozenset({Need.LOGITS, Need.LABELS})
    chunk_bytes = CHUNK_BYTES

    centres_: Tensor
    start_: Tensor
    rate_: Tensor
    log_scale_: Tensor
    known_: Tensor

    def __init__(self, tail: int = 20, alpha: int = 10) -> None:
        self.tail = tail
        self.alpha = alpha

    def _fit(self, train: Train) -> None:
        tail = check_integer("tail", self.tail, 3)
        check_integer("alpha", self.alpha, 1)
        assert train.labels is not None
        logits, width = train.features, train.features.shape[1]
        known, notes = known_classes(logits, train.labels)
        labels = train.labels.where(known, -1)
        used, no_correct = representatives(logits, labels)
        counts = labels[used].bincount(minlength=width)
        self.known_ = counts > 0
        self.centres_, distances = distances_to_mean(logits, labels, used, counts)
        fitted, pooled = fit_tails(distances, labels[used], counts, tail)
        self.start_, self.rate_, self.log_scale_ = fitted
        self.notes_ += notes
        enough = ROWS_PER_TAIL_ROW * tail
        for number, what in (
            (int((~self.known_).sum()), "have no fit rows and are never revised"),
            (no_correct, "have no row that is classified correctly; all their rows are used"),
            (
                int((self.known_ & (counts < enough)).sum()),
                f"have fewer than {enough} rows, so a tail of fewer than {self.tail}",
            ),
            (pooled, "have fewer than 3 different distances to their mean; those of all classes are used"),
        ):
            if number:
                self.notes_.append(f"{number} of {width} classes {what}")

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        alpha = min(int(self.alpha), x.shape[1])
        distribution = Weibull(self.start_, self.rate_, self.log_scale_)
        centres = self.centres_.to(x.dtype)
        values, columns = x.topk(alpha, dim=1)
        weights = []
        for rank, column in enumerate(columns.T):
            distances = torch.linalg.vector_norm(x - centres[column], dim=1).double()
            probability = distribution.probability(distances, column) * self.known_[column]
            weights.append((alpha - rank) / alpha * probability)
        weight = torch.stack(weights, dim=1)  # (B, alpha)
        revised = x.double().scatter(1, columns, values.double() * (1 - weight))
        return revised.logsumexp(dim=1) - (values.double() * weight).sum(dim=1)
