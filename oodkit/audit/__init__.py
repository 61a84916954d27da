"""Audits: what may mislead in the comparison of two data sets."""

from oodkit.audit.audit import Audit, NearDuplicate
from oodkit.audit.baselines import Baseline
from oodkit.audit.class_names import SharedClass, shared_classes
from oodkit.audit.doubts import doubts
from oodkit.audit.pair import audit_pair

__all__ = ["Audit", "Baseline", "NearDuplicate", "SharedClass", "audit_pair", "doubts", "shared_classes"]
