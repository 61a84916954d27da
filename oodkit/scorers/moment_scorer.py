"""Scorers that can be fitted from moments of the fit rows, which shards give and merge."""

from abc import abstractmethod
from typing import Self

import torch

from oodkit.errors import InvalidInput
from oodkit.scorers.base import Scorer
from oodkit.scorers.gaussian import ClassMoments


class MomentScorer(Scorer):
    """A scorer that learns nothing of the fit rows but moments.

    A method fills `_fit_moments` besides `_fit` and `_score`.
    """

    normalize: bool

    def fit_moments(self, moments: ClassMoments) -> Self:
        """Learn from moments of in-distribution features in place of the features.

        Equal to `fit` on all the rows that the moments are of, up to rounding.

        Args:
            moments: of features and labels; of shards of a set, added.

        Returns:
            The scorer itself.

        Raises:
            InvalidInput: parameters that these moments were not made for.
            TooFewSamples: as `fit`.
        """
        if moments.normalized != self.normalize:
            raise InvalidInput(f"normalize={self.normalize} needs moments made with normalize={self.normalize}")
        self._forget()
        self.n_features_in_, self.notes_ = len(moments.origin), []
        try:
            with torch.inference_mode(False), torch.no_grad():
                self._fit_moments(moments)
        except BaseException:
            self._forget()
            raise
        return self

    @abstractmethod
    def _fit_moments(self, moments: ClassMoments) -> None:
        """Learn from moments; as `_fit`."""


def check_classes_are_labels(clusters: int | None) -> None:
    """Raise InvalidInput for classes that k-means would have to find among rows that are not there."""
    if clusters is not None:
        raise InvalidInput(f"clusters={clusters} cannot be found in moments; cluster first and give moments of labels")
