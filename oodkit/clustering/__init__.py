"""Clustering: arrays in, assignments out."""
