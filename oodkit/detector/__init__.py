"""A detector for people who have images rather than arrays: fitted, calibrated, saved, asked."""

from oodkit.detector.calibration import Calibration
from oodkit.detector.detector import Detector
from oodkit.detector.judging import Verdict
from oodkit.detector.neighbours import Neighbour

__all__ = ["Calibration", "Detector", "Neighbour", "Verdict"]
