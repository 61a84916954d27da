"""A detector for people who have images rather than arrays: fitted, calibrated, saved, asked."""

from oodkit.detector.calibration import Calibration
from oodkit.detector.comparison import CANDIDATES, Candidate, Comparison
from oodkit.detector.detector import Detector
from oodkit.detector.feature_detector import FeatureDetector
from oodkit.detector.judging import Verdict
from oodkit.detector.neighbours import Neighbour
from oodkit.detector.origin import Origin

__all__ = [
    "CANDIDATES",
    "Calibration",
    "Candidate",
    "Comparison",
    "Detector",
    "FeatureDetector",
    "Neighbour",
    "Origin",
    "Verdict",
]
