"""Measuring: benchmarks on albums with truth, metrics and reports."""
