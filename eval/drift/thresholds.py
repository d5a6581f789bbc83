"""From which distance on a month is no longer like the quiet ones, at a stated rate of false alarms.

Months differ for two reasons: other families upload other photos, and some months are unlike others for everybody.
The first is drawn by a bootstrap over buckets of families, never over faces; the second, as far as the quiet months
differ by more than the first explains, as a normal deviation whose variance is only as well known as so few months
tell it, so that few months give high thresholds.

The thresholds hold for all distributions together: in a quiet month the chance that any distance passes its own is the
rate (max-statistic, Westfall and Young 1993).  The families drawn are the same in all of them; what a month does to
each is drawn for itself, since a few months can't tell what goes together.
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
_DRAWS = 4000
_SCALE = 0.95  # the quantile of a distribution's own distances by which they are made alike


def thresholds(
    quiet: Mapping[str, Counts], cases: Mapping[str, int], *, months_before: int, rate: float, seed: int = 0
) -> dict[str, float]:
    """The threshold of each distribution's distance between a month of so many cases and the months before it.

    quiet: int64[months, buckets, bins] of each distribution, the same months and buckets in all of them.
    months_before: how many months are added up to compare with.  rate: of false alarms, 0 to 1, in all.
    Raises InvalidValueError for fewer than FEWEST_MONTHS months.
    """
    months, buckets = next(iter(quiet.values())).shape[:2]
    if months < FEWEST_MONTHS:
        raise InvalidValueError(f"thresholds need at least {FEWEST_MONTHS} quiet months, got {months}; wait for more")
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(buckets, np.full(buckets, 1 / buckets), size=_DRAWS).astype(np.float64)
    month = rng.integers(months, size=_DRAWS)
    spread = np.sqrt(1 + 1 / months_before)
    distances = {}
    for key, counts in quiet.items():
        centre, effects, noise = _deviations(counts, weights, month)
        noise *= max(1.0, np.sqrt(counts.sum() / months / max(cases[key], 1)))
        moved = centre + spread * (noise + _gains(months, rng) @ effects)
        distances[key] = js_distance(centre**2, np.maximum(moved, 0) ** 2)
    scale = {key: float(np.quantile(found, _SCALE)) for key, found in distances.items()}
    likened = [found / scale[key] for key, found in distances.items() if scale[key] > 0]
    factor = float(np.quantile(np.max(likened, axis=0), 1 - rate)) if likened else 0.0
    return {key: max(LEAST, factor * scale[key]) for key in quiet}


def _deviations(counts: Counts, weights: Array, month: NDArray[np.intp]) -> tuple[Array, Array, Array]:
    """How months deviate, as square roots of shares, whose distances are about the same whatever the shares are.

    The centre, float64[bins]; the months' own effects, float64[months, bins]; what the choice of families does to one
    month, float64[draws, bins].
    """
    months = len(counts)
    roots = _roots(counts.sum(axis=1))
    centre = roots.mean(axis=0)
    deviations = roots - centre
    drawn = _roots(np.einsum("db,mbn->dmn", weights, counts, optimize=True))
    drawn -= drawn.mean(axis=1, keepdims=True)
    noise = (drawn - deviations)[np.arange(len(drawn)), month] / np.sqrt(1 - 1 / months)
    observed = float((deviations**2).sum()) / (months - 1)
    explained = float((noise**2).sum(axis=1).mean())
    beyond = max(0.0, 1 - explained / observed) if observed > 0 else 0.0
    return centre, np.sqrt(beyond) * deviations, noise


def _gains(months: int, rng: np.random.Generator) -> Array:
    """How much of each month's effect a drawn month has, float64[draws, months]: Student's t of months - 1."""
    freedom = months - 1
    known = np.sqrt(rng.chisquare(freedom, size=(_DRAWS, 1)) / freedom)
    gains: Array = rng.normal(size=(_DRAWS, months)) / np.sqrt(freedom) / known
    return gains


def _roots(counts: Counts | Array) -> Array:
    """The square roots of shares, [..., bins]."""
    roots: Array = np.sqrt(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1))
    return roots
