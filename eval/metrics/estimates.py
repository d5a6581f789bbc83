"""A ratio of sums over families with its interval: what every metric, comparison and alarm is made of.

Families are the unit.  Faces of one family are right or wrong together, so intervals draw families again, never
faces; counted as independent faces, an interval would be several times too narrow.  Same counts in any order, same
estimate.  Resampling costs `draws` times the number of distinct counts; `estimate_from_sums` needs six sums only, so
any number of families can be summed up by the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, inf, isfinite, sqrt
from typing import Any, Self, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from facealbum.errors import InvalidValueError

Array: TypeAlias = NDArray[np.float64]

_FEW = 10  # families with a hit, or with a miss, below which resampling sees too little of what might have been


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """What a metric counted in one family: `total` of `cases`, as hits of faces or years over faces."""

    family: UUID
    total: float
    cases: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """`total` / `cases` over all families that have either, and the interval of the ratio behind it.

    value: None where there is no case.  low, high: of a share 0 to 1 where nothing is known, else infinite.
    level: how often such intervals hold the true ratio, 0 to 1.
    """

    value: float | None
    low: float
    high: float
    total: float
    cases: float
    families: int
    level: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON; an end that is infinite is None."""
        return {
            "value": self.value,
            "low": self.low if isfinite(self.low) else None,
            "high": self.high if isfinite(self.high) else None,
            "total": self.total,
            "cases": self.cases,
            "families": self.families,
            "level": self.level,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        low, high = (far if values[end] is None else values[end] for end, far in (("low", -inf), ("high", inf)))
        return cls(**{**values, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over families, t their totals and c their cases; `share`: no family's total is above its cases.

    touched, spared: families with a hit and with a miss; both are the number of families where it is no share.
    """

    families: int
    t: float
    c: float
    tt: float
    tc: float
    cc: float
    share: bool
    touched: int
    spared: int


def estimate_ratio(
    counts: Sequence[FamilyCount] | Array, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Estimate:
    """The ratio of sums with its interval by the family-cluster bootstrap.

    counts: one a family, or float64[families, 2] of totals and cases; families with neither are left out.
    The interval is the expanded percentile interval (Hesterberg 2015, "What teachers should know about the
    bootstrap"), which holds its level for few families too.  Where a share has hits or misses in fewer than ten
    families resampling can't see what might have been, and the interval is that of `estimate_from_sums`, which is
    Wilson's where every family is one case.  Raises InvalidValueError for negative or infinite counts.
    """
    pairs = as_pairs(counts)
    distinct, times = np.unique(pairs, axis=0, return_counts=True)
    return estimate_pairs(distinct, times, level=level, draws=draws, seed=seed)


def estimate_pairs(
    pairs: Array, times: NDArray[np.int64], *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Estimate:
    """`estimate_ratio` for float64[n, 2] distinct totals and cases, each of as many families as int64[n] `times`."""
    sums = sum_pairs(pairs, times)
    rough = estimate_from_sums(sums, level=level)
    if rough.value is None or min(sums.touched, sums.spared) < _FEW or not isfinite(rough.high):
        return rough
    ratios = _resample(pairs, times, draws, np.random.default_rng(seed))
    tail = ndtr(sqrt(sums.families / (sums.families - 1)) * stdtrit(sums.families - 1, (1 - level) / 2))
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return Estimate(rough.value, float(low), float(high), sums.t, sums.c, sums.families, level)


def estimate_from_sums(sums: Sums, *, level: float = 0.95) -> Estimate:
    """The same from sums alone, by the linearised variance of a ratio (Cochran 1977, 6.19) and Student's t.

    A share gets Wilson's interval for as many independent cases as give that variance (Franco et al. 2019,
    "Comparative study of confidence intervals for proportions in complex sample surveys"); where all families agree,
    for one case a family.
    """
    n, value = sums.families, sums.t / sums.c if sums.c else None
    if value is None or (n < 2 and not sums.share):  # noqa: PLR2004 - nothing is known of how families differ
        low, high = (0.0, 1.0) if sums.share else (-inf, inf)
    elif sums.share:
        low, high = wilson(value, _effective_cases(sums, level), level=level)
    else:
        half = float(stdtrit(n - 1, (1 + level) / 2)) * sqrt(_variance(sums))
        low, high = max(0.0, value - half), value + half
    return Estimate(value, low, high, sums.t, sums.c, n, level)


def _variance(sums: Sums) -> float:
    """The linearised variance of the ratio; 0 where all families agree, or there is one."""
    n, value = sums.families, sums.t / sums.c
    squares = sums.tt - 2 * value * sums.tc + value**2 * sums.cc
    noise = 1e-12 * (sums.tt + sums.cc)  # what rounding may leave of nothing
    return n / (n - 1) * squares / sums.c**2 if n > 1 and squares > noise else 0.0


def _effective_cases(sums: Sums, level: float) -> float:
    """As many independent cases as give the variance; fewer for few families, as Korn and Graubard (1998) have it."""
    n, value, variance = sums.families, sums.t / sums.c, _variance(sums)
    if sums.c == sums.cc == n and sums.t == sums.tt:  # each family is one case
        return n
    if not variance:
        return n
    known = ndtri((1 + level) / 2) / stdtrit(n - 1, (1 + level) / 2)
    return float(min(sums.c, value * (1 - value) / variance * known**2))


def wilson(share: float, cases: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval (1927) of a share, 0 to 1, seen in so many independent cases, which need be no whole number."""
    z = float(ndtri((1 + level) / 2))
    centre = (share + z**2 / (2 * cases)) / (1 + z**2 / cases)
    half = z / (1 + z**2 / cases) * sqrt(share * (1 - share) / cases + (z / (2 * cases)) ** 2)
    return max(0.0, centre - half) if share else 0.0, min(1.0, centre + half) if share < 1 else 1.0


def unseen_difference(before: float, after: float, families: int, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of after - before where every family agrees that each is 0 or 1, so that no spread can be seen.

    Each is taken for a share of as many cases as there are families (Newcombe 1998, "Interval estimation for the
    difference between independent proportions", method 10).
    """
    (low1, high1), (low2, high2) = (wilson(share, families, level=level) for share in (before, after))
    value = after - before
    return value - hypot(after - low2, high1 - before), value + hypot(high2 - after, before - low1)


def as_pairs(counts: Sequence[FamilyCount] | Array) -> Array:
    """float64[families, 2] of totals and cases, without families that have neither."""
    rows: Iterable[Any] = counts if isinstance(counts, np.ndarray) else [(one.total, one.cases) for one in counts]
    pairs = np.asarray(rows, np.float64).reshape(-1, 2)
    if not np.isfinite(pairs).all() or (pairs < 0).any():
        raise InvalidValueError("totals and cases must be finite and not negative; look for the family that has others")
    return pairs[pairs.any(axis=1)]


def sum_pairs(pairs: Array, times: NDArray[np.int64]) -> Sums:
    """The sums of float64[n, 2] totals and cases, each of as many families as `times` says."""
    t, c = pairs.T
    share = bool((t <= c).all())
    families = int(times.sum())
    return Sums(
        families=families,
        t=float(times @ t),
        c=float(times @ c),
        tt=float(times @ t**2),
        tc=float(times @ (t * c)),
        cc=float(times @ c**2),
        share=share,
        touched=int(times[t > 0].sum()) if share else families,
        spared=int(times[t < c].sum()) if share else families,
    )


def _resample(pairs: Array, times: NDArray[np.int64], draws: int, random: np.random.Generator) -> Array:
    """float64[draws]: the ratio over as many families, drawn again with replacement.

    Families of equal counts are exchangeable, so what is drawn is how many there are of each.
    """
    families = int(times.sum())
    block = max(1, 2_000_000 // len(pairs))
    ratios = []
    for start in range(0, draws, block):
        drawn = random.multinomial(families, times / families, size=min(block, draws - start))
        t, c = (drawn @ pairs).T
        ratios.append(t[c > 0] / c[c > 0])
    return np.concatenate(ratios)
