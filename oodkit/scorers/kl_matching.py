"""KL divergence to the typical posterior of a class (Hendrycks et al., ICML 2022)."""

import torch
from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.largest_values import largest_column
from oodkit.scorers.rows import floating
from oodkit.scorers.softmax import CHUNK_BYTES, constant_notes

BLOCK = 8192  # rows whose probabilities are held in float64 at once
FLOOR = 1e-12  # smallest probability in a template


class KLMatching(Scorer):
    """Minus the Kullback-Leibler divergence to the nearest class template, at most 0.

    The template d_k is the mean of the softmax probabilities of all fit rows that are predicted as class k. With
    p = softmax(logits):

        score = -min_k sum_c p_c log(p_c / d_kc)

    Fit it on the logits of held-out in-distribution rows: on the classifier's own training rows, which it has learned
    by heart, the templates are far too sharp. Labels are not used. Classes that no fit row is predicted as have no
    template; a note counts them.

    Attributes
    ----------
    classes_ : (K,) tensor
        Columns that have a template, ascending.
    log_templates_ : (K, C) tensor
        Logarithms of the templates, float64.

    Raises
    ------
    InvalidInput
        Logits that are not finite.

    Notes
    -----
    Probabilities in a template are at least 1e-12, so that a class that never got any probability does not make the
    divergence infinite. OpenOOD puts a one-hot template where no row was predicted, which gives such an infinity;
    here, as in pytorch-ood, such a class has none. The paper's templates come from held-out data, as here.

    References
    ----------
    D. Hendrycks, S. Basart, M. Mazeika, A. Zou, J. Kwon, M. Mostajabi, J. Steinhardt, D. Song: Scaling
    Out-of-Distribution Detection for Real-World Settings. ICML 2022. arXiv:1911.11132.
    """

    needs = frozenset({Need.LOGITS})
    wants_held_out = True
    chunk_bytes = 4 * CHUNK_BYTES

    classes_: Tensor
    log_templates_: Tensor

    def _fit(self, train: Train) -> None:
        width = train.features.shape[1]
        sums = torch.zeros(width, width, dtype=torch.float64, device=train.features.device)
        counts = torch.zeros(width, dtype=torch.int64, device=train.features.device)
        for rows in torch.split(train.features, BLOCK):
            logits = floating(rows).double()
            predicted = logits.argmax(dim=1)
            sums.index_add_(0, predicted, logits.softmax(dim=1))
            counts += predicted.bincount(minlength=width)
        self.classes_ = counts.nonzero()[:, 0]
        templates = sums[self.classes_] / counts[self.classes_, None]
        self.log_templates_ = templates.clamp(min=FLOOR).log()
        self.notes_ += constant_notes(train.features)
        missing = width - len(self.classes_)
        if missing:
            self.notes_.append(f"{missing} of {width} classes have no template: no fit row is predicted as one of them")

    def _score(self, x: Tensor) -> Tensor:  # (B, C) -> (B,)
        log_p = x.log_softmax(dim=1, dtype=torch.float64)
        p = log_p.exp()
        nearest = largest_column(x.softmax(dim=1) @ self.log_templates_.to(x.dtype).T)
        # Which template is nearest float32 tells; its divergences would round to ties between confident rows.
        divergence: Tensor = torch.linalg.vecdot(p, log_p - self.log_templates_[nearest])
        return -divergence.clamp(min=0)
