"""A detector for people who have images rather than arrays: fitted, calibrated, saved, asked."""

from oodkit.detector.detector import Detector

__all__ = ["Detector"]
