"""Metrics: what is counted, how sure it is, and when to look.  Pure; docs/metrics.md explains each."""

from eval.metrics.definitions import METRICS, Better, Metric
from eval.metrics.estimates import (
    Estimate,
    FamilyCount,
    Sums,
    estimate_from_sums,
    estimate_pairs,
    estimate_ratio,
)

__all__ = [
    "METRICS",
    "Better",
    "Estimate",
    "FamilyCount",
    "Metric",
    "Sums",
    "estimate_from_sums",
    "estimate_pairs",
    "estimate_ratio",
]
