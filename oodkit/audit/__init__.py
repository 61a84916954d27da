"""Audits: what may mislead in the comparison of two data sets."""
