"""From which distance on a month is no longer like the quiet ones, at a stated rate of false alarms.

Months differ for two reasons: other families upload other photos, and some months are unlike others for everybody.
The first is drawn by a bootstrap over buckets of families, never over faces.  The second, as far as the quiet months
differ by more than the first explains, is drawn as a normal deviation whose variance is only as well known as so few
months tell it: few months that differ much give high thresholds, rather than alarms without a reason.

Each of m distributions has a threshold of its own at the m-th part of the rate (Bonferroni), so that the chance of any
alarm in a quiet month is at most the rate whatever the distributions have to do with each other.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from eval.drift.counts import Counts
from eval.drift.distance import Array, js_distance
from facealbum.errors import InvalidValueError

LEAST = 0.02
"""No smaller distance is worth an alarm: a normal distribution that moves by a twentieth of its deviation."""
FEWEST_MONTHS = 3
_DRAWS, _AT_ONCE = 10_000, 2_000


def thresholds(
    quiet: Mapping[str, Counts], cases: Mapping[str, int], *, months_before: int, rate: float, seed: int = 0
) -> dict[str, float]:
    """The threshold of each distribution's distance between a month of so many cases and the months before it.

    quiet: int64[months, buckets, bins] of each distribution, the same months and buckets in all of them.
    months_before: how many months are added up to compare with.  rate: of false alarms, 0 to 1, in all.
    Raises InvalidValueError for fewer than FEWEST_MONTHS months.
    """
    months = min((len(counts) for counts in quiet.values()), default=FEWEST_MONTHS)
    if months < FEWEST_MONTHS:
        raise InvalidValueError(f"thresholds need at least {FEWEST_MONTHS} quiet months, got {months}; wait for more")
    spread = np.sqrt(1 + 1 / months_before)
    found = {}
    for key, counts in quiet.items():
        rng = np.random.default_rng(seed)
        counted = counts[:, counts.any(axis=(0, 2))][..., counts.any(axis=(0, 1))]
        fewer = max(1.0, float(np.sqrt(counts.sum() / months / max(cases[key], 1))))
        distances = _draw_distances(counted, rng, spread=spread, fewer=fewer)
        found[key] = max(LEAST, float(np.quantile(distances, 1 - rate / len(quiet))))
    return found


def _draw_distances(counts: Counts, rng: np.random.Generator, *, spread: float, fewer: float) -> Array:
    """Distances float64[_DRAWS] of drawn quiet months to the mean of int64[months, buckets, bins].

    Months deviate as square roots of shares, whose distances mean the same whatever the shares are.
    """
    roots = _roots(counts.sum(axis=1))
    centre = roots.mean(axis=0)
    deviations = roots - centre
    noise = np.concatenate([_draw_noise(counts, deviations, rng) for _ in range(_DRAWS // _AT_ONCE)])
    larger, beyond = _compare_with_noise(deviations, noise)
    effects = np.sqrt(beyond) * _draw_gains(len(counts), rng) @ deviations
    moved = centre + spread * (fewer * np.sqrt(larger) * noise + effects)
    return js_distance(centre**2, np.maximum(moved, 0) ** 2)


def _draw_noise(counts: Counts, deviations: Array, rng: np.random.Generator) -> Array:
    """What the choice of families does to one month, float64[_AT_ONCE, bins]."""
    months, buckets = counts.shape[:2]
    weights = rng.multinomial(buckets, np.full(buckets, 1 / buckets), size=_AT_ONCE).astype(np.float64)
    drawn = _roots(np.tensordot(weights, counts.astype(np.float64), axes=(1, 1)))  # [draws, months, bins]
    drawn -= drawn.mean(axis=1, keepdims=True)
    one = rng.integers(months, size=_AT_ONCE)
    noise: Array = (drawn[np.arange(_AT_ONCE), one] - deviations[one]) / np.sqrt(1 - 1 / months)
    return noise


def _compare_with_noise(deviations: Array, noise: Array) -> tuple[float, float]:
    """By what factor the noise's variance is to be raised, and what share of the months' variance is no noise.

    What two standard errors explain counts as noise of that size, which many bins tell well; only more than that is an
    effect of months.
    """
    freedom = len(deviations) - 1
    by_bin = (noise**2).mean(axis=0)
    observed, explained = float((deviations**2).sum()) / freedom, float(by_bin.sum())
    if not explained:
        return 1.0, float(observed > 0)
    effective = explained**2 / float((by_bin**2).sum())  # so many bins differ on their own
    if observed / explained <= 1 + 2 * np.sqrt(2 / (freedom * effective)):
        return max(1.0, observed / explained), 0.0
    return 1.0, 1 - explained / observed


def _draw_gains(months: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How much of each month's effect a drawn month has, float64[_DRAWS, months]: Student's t of months - 1."""
    freedom = months - 1
    known = np.sqrt(rng.chisquare(freedom, size=(_DRAWS, 1)) / freedom)
    gains: Array = rng.normal(size=(_DRAWS, months)) / np.sqrt(freedom) / known
    return gains


def _roots(counts: Counts | Array) -> Array:
    """The square roots of shares, [..., bins]."""
    roots: Array = np.sqrt(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))
    return roots
