"""Similarity of images to free captions of the in-distribution."""

from torch import Tensor

from oodkit.errors import TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_integer
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


class Caption(Scorer):
    """Mean cosine similarity of an image to the k nearest captions of the in-distribution, in [-1, 1].

    With v the image embedding and c_m the text embeddings of the captions, all scaled to length 1:

        score = mean of the k largest v . c_m

    Captions are free sentences about in-distribution images: written by people, or by a captioning model. No class
    names, labels or images are needed; features are image embeddings of the joint image-text space, of any length, and
    `fit` learns nothing from them but their width. A zero row has cosine 0 with every caption.

    Images and texts lie apart in such a space, so scores are far below those of image-to-image neighbours (`knn`), and
    the two must not be compared or mixed.

    Parameters
    ----------
    k : int, default 1
        Number of captions, at most as many as were given.

    Attributes
    ----------
    bank_ : (M, D) tensor
        Caption embeddings of length 1, float32.

    Raises
    ------
    InvalidInput
        k is no integer of at least 1, or no `captions` were given.
    TooFewSamples
        k is larger than the number of captions.

    Notes
    -----
    The captions are those of the in-distribution; nothing is generated for the image that is scored. Published
    caption-based scores that caption the scored image are other methods. The same caption given twice counts twice.

    References
    ----------
    A. Radford et al.: Learning Transferable Visual Models From Natural Language Supervision. ICML 2021.
    arXiv:2103.00020 (the joint space; there is no paper on the score itself).
    """

    needs = frozenset({Need.CAPTIONS})

    bank_: Tensor

    def __init__(self, k: int = 1) -> None:
        self.k = k

    def _fit(self, train: Train) -> None:
        assert train.captions is not None
        check_integer("k", self.k, 1)
        if len(train.captions) < self.k:
            raise TooFewSamples(f"k={self.k} needs at least {self.k} captions, got {len(train.captions)}; lower k")
        self.bank_ = Bank.of(train.captions).rows

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        cosines, _ = Bank(self.bank_).nearest(unit_rows(x), int(self.k))
        return cosines.mean(dim=1).clamp(-1, 1)
