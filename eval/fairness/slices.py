"""How each slice of a month stands beside all families: simultaneous intervals, and "too few" where nothing is said.

The intervals of all slices of one metric hold together at 95 % (Bonferroni), so that the worst of twenty slices is not
called worse by chance.  The price is that they are wider than those of `metrics show`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from eval.fairness.gate import FEWEST, LEVEL
from eval.metrics.definitions import METRICS, Better
from eval.metrics.estimates import Estimate, Sums, estimate_from_sums
from eval.metrics.slices import EVERYTHING

FEWEST_CASES = 100
WATCHED = ("association", "coverage", "breakage", "mixing", "disappearance", "splitting", "corrections", "waiting")
"""The metrics by slice; what needs truth is told of a labelled sample."""


class Standing(StrEnum):
    """A slice beside all families."""

    WORSE = "worse"
    ALIKE = "alike"
    BETTER = "better"
    FEW = "too few"


@dataclass(frozen=True, slots=True)
class SliceStanding:
    """A slice of a metric; the estimate's level says how wide its interval had to be."""

    metric: str
    slice: str
    estimate: Estimate
    standing: Standing


def judge_slices(sums: Mapping[tuple[str, str], Sums]) -> list[SliceStanding]:
    """Every slice of the watched metrics, and all families under the empty slice, sorted by metric and slice.

    A slice is worse, or better, if its interval lies on that side of the value of all families.
    """
    slices: dict[str, dict[str, Sums]] = defaultdict(dict)
    for (metric, part), one in sums.items():
        if metric in WATCHED and not part.startswith("model:"):
            slices[metric][part] = one
    return [
        one for metric, parts in sorted(slices.items()) for one in judge_parts(metric, parts, METRICS[metric].better)
    ]


def judge_parts(metric: str, parts: Mapping[str, Sums], better: Better) -> Iterator[SliceStanding]:
    """The same of one metric."""
    whole = parts.get(EVERYTHING)
    among = sum(_enough(one) for part, one in parts.items() if part)
    for part, one in sorted(parts.items()):
        estimate = estimate_from_sums(one, level=level_among(among) if part else LEVEL)
        known = bool(part) and whole is not None and whole.c > 0 and _enough(one)
        standing = stand(estimate, whole.t / whole.c, better) if known and whole else None
        yield SliceStanding(metric, part, estimate, standing or _alone(one))


def _enough(sums: Sums) -> bool:
    return sums.families >= FEWEST and sums.c >= FEWEST_CASES


def _alone(sums: Sums) -> Standing:
    return Standing.ALIKE if _enough(sums) else Standing.FEW


def level_among(slices: int) -> float:
    """The level of each of so many intervals that hold together (Bonferroni)."""
    return 1 - (1 - LEVEL) / max(1, slices)


def stand(estimate: Estimate, all_families: float, better: Better) -> Standing:
    """A slice with this estimate beside the value of all families, which is taken as known."""
    if estimate.low <= all_families <= estimate.high:
        return Standing.ALIKE
    higher = estimate.low > all_families
    return Standing.BETTER if higher == (better is Better.HIGHER) else Standing.WORSE
