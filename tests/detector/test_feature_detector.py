"""Features in the place of images, as scikit-learn's outlier detectors take them."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from oodkit.detector import FeatureDetector
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import KNN, Mahalanobis


@pytest.fixture(scope="module")
def digits():
    """(rows of digits 0 to 4, rows of digits 5 to 9)."""
    data = load_digits()
    return data.data[data.target < 5], data.data[data.target >= 5]


@pytest.mark.parametrize("scorer", ["knn", Mahalanobis(), "gmm"])
@pytest.mark.filterwarnings("ignore:nothing will be flagged")
def test_passes_all_of_check_estimator(scorer):
    """scikit-learn's own checks, those of outlier detectors among them."""
    results = check_estimator(FeatureDetector(scorer), on_fail=None, on_skip=None)
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert not failed
    assert "check_outliers_train" in {one["check_name"] for one in results if one["status"] == "passed"}


def test_verdicts_decisions_and_p_values_are_one_rule(digits):
    """-1 where the decision is negative, which is where the p-value is at most the rate."""
    inside, outside = digits
    detector = FeatureDetector("knn", fpr=0.1).fit(inside[::2])
    rows = np.vstack([inside[1::2], outside])
    verdicts, p = detector.predict(rows), detector.p_values(rows)
    assert set(verdicts) == {1, -1}
    np.testing.assert_array_equal(verdicts == -1, detector.decision_function(rows) < 0)
    np.testing.assert_array_equal(verdicts == -1, p <= 0.1)
    assert (verdicts[: len(inside[1::2])] == -1).mean() < 0.2
    assert (verdicts[len(inside[1::2]) :] == -1).mean() > 0.5
    assert "at most 10 % of images like these" in detector.calibration_.guarantee


def test_held_out_rows_are_not_fitted_on(digits):
    """Nor are copies of them; another seed holds out others."""
    inside = np.repeat(digits[0][:100], 2, axis=0)
    detector = FeatureDetector(KNN(), fpr=0.1).fit(inside)
    assert len(detector.calibration_.scores) == 20
    assert detector.calibration_.scores.max() < 1
    assert len(detector.scorer_.bank_) == 160
    other = FeatureDetector(KNN(), fpr=0.1, random_state=1).fit(inside)
    assert not np.array_equal(detector.calibration_.scores, other.calibration_.scores)


def test_in_pipelines_and_searches(digits):
    """As any estimator."""
    pipeline = make_pipeline(StandardScaler(), FeatureDetector("mahalanobis"))
    verdicts = pipeline.fit(digits[0]).predict(digits[1])
    assert (verdicts == -1).mean() > 0.2
    search = GridSearchCV(
        FeatureDetector(), {"fpr": [0.1, 0.2]}, scoring=lambda model, rows, _=None: model.predict(rows).mean()
    )
    assert search.fit(digits[0]).best_params_ == {"fpr": 0.1}
    assert clone(FeatureDetector(KNN(k=3))).scorer.k == 3


def test_labels_reach_the_scorer(digits):
    """Of the rows that are fitted on."""
    labels = load_digits().target[load_digits().target < 5]
    detector = FeatureDetector("prototypes").fit(digits[0], labels=labels)
    assert detector.scorer_.n_classes_ == 5


def test_too_few_rows_are_said_and_flag_nothing(digits):
    """With the number that is needed; scores are there all the same."""
    with pytest.warns(UserWarning, match="nothing will be flagged: .* at least 19 calibration images, got 8"):
        detector = FeatureDetector().fit(digits[0][:40])
    assert detector.offset_ == -np.inf
    assert (detector.predict(digits[1]) == 1).all()
    with pytest.raises(TooFewSamples, match="fit on more"):
        detector.p_values(digits[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FeatureDetector(fpr=0.2).fit(digits[0][:40])


def test_mistakes_are_one_line(digits):
    """Parameters out of range."""
    with pytest.raises(InvalidInput, match="false-positive rate"):
        FeatureDetector(fpr=3).fit(digits[0])
    with pytest.raises(InvalidInput, match="share to hold out"):
        FeatureDetector(hold_out=1.0).fit(digits[0])
