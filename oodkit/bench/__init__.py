"""Benchmarks: suites, plans, runs, results, checks and comparisons."""
