"""A scorer with a conformal threshold as scikit-learn's outlier detectors are: over features, without images."""

import hashlib
import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from oodkit.detector.calibration import Calibration
from oodkit.detector.holdout import HOLD_OUT, split_by_content
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import create
from oodkit.scorers.base import Scorer


class FeatureDetector(OutlierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type hints
    """Tells which rows of features do not belong, with a threshold that flags at most a given share of those that do.

    A part of the rows is held out of the fit, and the threshold is a conformal order statistic of their scores, as in
    `Detector.calibrate`. Unlike there, too few rows for the rate are a warning, and then nothing is flagged.

    Parameters
    ----------
    scorer : str or Scorer, default "knn"
        A registry name or a scorer, of which a clone is fitted; one that needs features alone, or labels.
    fpr : float, default 0.05
        Share of rows like these that may be flagged, in expectation over held-out rows; in (0, 1).
    hold_out : float, default 0.2
        Share of the distinct rows that calibrates; in (0, 1).
    random_state : int, RandomState or None, default 0
        Of the draw of the held-out rows.

    Attributes
    ----------
    scorer_ : Scorer
        Fitted.
    calibration_ : Calibration or None
        The threshold and its guarantee; None where too few rows were held out.
    offset_ : float
        The threshold on `score_samples`; minus infinity without a calibration.
    n_features_in_ : int
        Number of features.
    """

    scorer_: Scorer
    calibration_: Calibration | None
    offset_: float
    n_features_in_: int

    def __init__(
        self, scorer: str | Scorer = "knn", *, fpr: float = 0.05, hold_out: float = HOLD_OUT, random_state: Any = 0
    ) -> None:
        self.scorer = scorer
        self.fpr = fpr
        self.hold_out = hold_out
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None, *, labels: ArrayLike | None = None) -> Self:
        """Fit the scorer on four fifths of the rows, and choose the threshold on the others.

        Args:
            X: (N, D) features, N at least 2.
            y: not used; scikit-learn's pipelines hand it over.
            labels: (N,) classes, for scorers that use them.

        Raises:
            InvalidInput: rows that cannot be fitted on, or a parameter out of range.
        """
        rows = validate_data(self, X, dtype=(np.float64, np.float32), ensure_min_samples=2)
        scorer: Scorer = create(self.scorer) if isinstance(self.scorer, str) else clone(self.scorer)
        if not scorer.inductive:
            raise InvalidInput(f"a score of {type(scorer).__name__} depends on the rows beside it; use another scorer")
        seed = int(check_random_state(self.random_state).randint(2**31))
        digests = np.stack([np.frombuffer(hashlib.sha256(row.tobytes()).digest(), np.uint8) for row in rows])
        try:
            kept, held = split_by_content(digests, self.hold_out, seed)
        except TooFewSamples:
            kept, held = np.arange(len(rows)), np.empty(0, dtype=np.int64)
        given = {} if labels is None else {"labels": np.asarray(labels)[kept]}
        self.scorer_ = scorer.fit(rows[kept], **given)
        self.calibration_, self.offset_ = None, -np.inf
        try:
            self.calibration_ = Calibration(
                self.scorer_.score_samples(rows[held]), self.fpr, "a held-out part of the rows"
            )
            self.offset_ = self.calibration_.threshold
        except TooFewSamples as error:
            warnings.warn(f"nothing will be flagged: {error}", stacklevel=2)
        return self

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """(N,) scores of features (N, D); higher is more in-distribution."""
        check_is_fitted(self)
        return self.scorer_.score_samples(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """(N,) scores above the threshold, `score_samples - offset_`; negative where a row is flagged."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """(N,) verdicts: 1 in-distribution, -1 OOD."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(self, X: ArrayLike) -> NDArray[np.float64]:
        """(N,) in (0, 1]: how unusual rows are among those like the fit's; low for OOD rows.

        Raises:
            TooFewSamples: too few rows were held out for a threshold.
        """
        scores = self.score_samples(X)
        if self.calibration_ is None:
            raise TooFewSamples("too few rows were held out to calibrate on; fit on more, or allow a larger fpr")
        return self.calibration_.p_values(scores)
