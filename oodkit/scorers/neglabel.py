"""NegLabel: class names against many negative words (Jiang et al., ICLR 2024)."""

from math import log

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_integer, check_positive, check_seed
from oodkit.scorers.log_sum_exp import cosine_log_sum_exp
from oodkit.scorers.unit_rows import unit_rows


class NegLabel(Scorer):
    """Log-odds of the class names against negative words, averaged over groups of these; any real number.

    With v the image embedding, t_c the text embeddings of the C class names and n_m of the negatives, all scaled to
    length 1, and temperature T, every group g of negatives gives

        S_g = sum_c exp(v . t_c / T) / (sum_c exp(v . t_c / T) + sum_{m in g} exp(v . n_m / T))

    and score = log S / (1 - S) for the mean S over groups. The negatives are drawn into groups of equal size at random;
    those that fill no group are left out, and a note says so. They are given by the caller: words far from the class
    names, as `mine_negatives` of `oodkit.heads` chooses them. Features are image embeddings of the joint image-text
    space, of any length; `fit` learns nothing from them but their width.

    Parameters
    ----------
    temperature : float, default 0.01
        T, positive; 0.01 is about the inverse of CLIP's logit scale.
    groups : int, default 100
        Number of groups; with fewer negatives each is a group, and a note says so. 1 for no groups.
    seed : int, default 0
        Of the draw of groups.

    Attributes
    ----------
    text_ : (C, D) tensor
        Text embeddings of the class names, of length 1, float64.
    negatives_ : (M, D) tensor
        Those of the negatives that are used, group after group.
    groups_ : int
        Number of groups.

    Raises
    ------
    InvalidInput
        A parameter is out of range, or `text` or `negatives` were not given.

    Notes
    -----
    The published score is S. The log-odds keep its order and do not round to 0 or 1, as S does in float32 for most
    confident images; sigmoid(score) is S. Groups are drawn by a generator of this scorer alone, so they are not those
    of the authors' code with the same seed.

    References
    ----------
    X. Jiang, F. Liu, Z. Fang, H. Chen, T. Liu, F. Zheng, B. Han: Negative Label Guided OOD Detection with Pretrained
    Vision-Language Models. ICLR 2024. arXiv:2403.20078.
    """

    needs = frozenset({Need.TEXT, Need.NEGATIVES})

    text_: Tensor
    negatives_: Tensor
    groups_: int

    def __init__(self, temperature: float = 0.01, groups: int = 100, seed: int = 0) -> None:
        self.temperature = temperature
        self.groups = groups
        self.seed = seed

    def _fit(self, train: Train) -> None:
        check_positive("temperature", self.temperature)
        check_integer("groups", self.groups, 1)
        seed = check_seed(self.seed)
        assert train.text is not None
        assert train.negatives is not None
        count = len(train.negatives)
        self.groups_ = min(int(self.groups), count)
        if self.groups_ < self.groups:
            self.notes_.append(f"{count} negatives are fewer than {self.groups} groups: each is a group of its own")
        left = count % self.groups_
        if left:
            self.notes_.append(f"{left} of {count} negatives fill no group and are left out")
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))[: count - left]
        self.text_ = unit_rows(train.text.double())
        self.negatives_ = unit_rows(train.negatives[order.to(train.negatives.device)].double())

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        v, text, negatives = unit_rows(x), self.text_.to(x.dtype), self.negatives_.to(x.dtype)
        inside = cosine_log_sum_exp(v, text, self.temperature) + log(len(text))  # (B, 1)
        outside = cosine_log_sum_exp(v, negatives, self.temperature, self.groups_) + log(len(negatives) / self.groups_)
        odds = inside - outside  # (B, G)
        return logsigmoid(odds).logsumexp(dim=1) - logsigmoid(-odds).logsumexp(dim=1)
