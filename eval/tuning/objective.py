"""How good an arm is by what can be counted without labels: one number to make small, and what must not get worse.

Note: one number.  The loss is the mean of two shares: persons that break, and, where there is a registered child, faces
in no album of one (1 - association).  Equal weights, as none is known to matter more.  It is a number and no front of
several because a trial can be given up early only if it can be called worse than others.  Coverage is no part of it:
most faces without a person are passers-by who should have none, and a search that gains by taking them in finds arms
that mix people (docs/search.md has the figures).

Note: guardrails.  What the loss does not see, or rewards wrongly, must not get worse than under the arm that the search
began with.  Few and sure persons do not break, but leave faces out: coverage.  Links to the wrong child raise
association, but their faces look too old or too young for it: link_error.  Joining anybody to anybody collides, and
moves faces later.  And no persons may break for the sake of links.  A broken guardrail costs more than the shares can
gain, so an arm that breaks one is worse than every arm that breaks none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

MEASURES = ("breakage", "association", "coverage", "collisions", "churn", "link_error")
"""What is counted: metrics of eval.metrics, and the years by which faces look off the age of the child they are
linked to, over all faces that are linked."""

HIGHER_IS_BETTER = frozenset({"association", "coverage"})

GUARDRAILS: Mapping[str, float] = {
    "breakage": 0.005,
    "collisions": 0.0,
    "coverage": 0.01,
    "churn": 0.005,
    "link_error": 0.1,
}
"""By how much each may be worse than under the arm that the search began with: shares, and years."""

Array: TypeAlias = NDArray[np.float64]

Counts: TypeAlias = Array
"""float64[measures, 2], the total and cases of each of MEASURES; summed over families, or float64[families, ...]."""

_SHARES = ("breakage", "association")
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an arm is worth.

    loss: 0 (best) to 1, more where a guardrail is broken.  rates: by measure, None without a case.  broken: guardrails.
    """

    loss: float
    rates: Mapping[str, float | None]
    broken: tuple[str, ...]


def judge(counts: Counts, base: Counts) -> Judgement:
    """The arm with these counts, beside the one that the search began with; both summed over the same families."""
    broken = {name: excess for name in GUARDRAILS if (excess := _excess(name, counts, base)) > _ROUNDING}
    loss = float(np.mean([_lost(name, counts) for name in _SHARES]))
    penalty = sum(1 + min(1.0, excess) for excess in broken.values())
    return Judgement(loss + penalty, dict(zip(MEASURES, map(_rate, counts), strict=True)), tuple(broken))


def _rate(pair: Array) -> float | None:
    return float(pair[0] / pair[1]) if pair[1] else None


def _lost(name: str, counts: Counts) -> float:
    """The measure as a share that is to be small, or years; 0 without a case."""
    total, cases = counts[MEASURES.index(name)]
    if not cases:
        return 0.0
    return float(1 - total / cases if name in HIGHER_IS_BETTER else total / cases)


def _excess(name: str, counts: Counts, base: Counts) -> float:
    return _lost(name, counts) - _lost(name, base) - GUARDRAILS[name]


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure, or `loss`, of an arm minus that of the arm which the search began with, in the same families."""

    measure: str
    base: float
    found: float
    low: float
    high: float
    families: int

    @property
    def value(self) -> float:
        """Below 0 where less is lost."""
        return self.found - self.base

    def to_dict(self) -> dict[str, Any]:
        """As JSON; an end that is infinite is None."""
        low, high = (end if isfinite(end) else None for end in (self.low, self.high))
        ends = {"base": self.base, "found": self.found, "value": self.value, "low": low, "high": high}
        return {"measure": self.measure, **ends, "families": self.families}


def compare(counts: Array, base: Array) -> tuple[Difference, ...]:
    """The loss without penalties and every measure, with intervals by drawing families again.

    counts, base: float64[families, measures, 2] of the same families.
    """
    families = len(counts)
    after, before = counts.reshape(families, -1), base.reshape(families, -1)
    low, high = draw_again(lambda weights: _shown(weights @ after) - _shown(weights @ before), families)
    found, were = (_shown(one.sum(axis=0)[None])[0] for one in (after, before))
    names = ("loss", *MEASURES)
    rows = zip(names, were.tolist(), found.tolist(), low.tolist(), high.tolist(), strict=True)
    return tuple(Difference(*row, families) for row in rows)


def draw_again(
    difference: Callable[[Array], Array], families: int, *, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[Array, Array]:
    """The ends of the intervals of float64[k] differences, by drawing families again.

    difference: float64[n, k] of n weightings of the families, float64[n, families].  The expanded percentile interval
    (Hesterberg 2015), as in eval.metrics.estimates; with fewer than two families it is infinite.
    """
    if families < 2:  # noqa: PLR2004 - nothing is known of how families differ
        none = difference(np.ones((1, families)))[0]
        return np.full_like(none, -inf), np.full_like(none, inf)
    drawn = np.random.default_rng(seed).multinomial(families, np.full(families, 1 / families), size=draws)
    tail = ndtr(sqrt(families / (families - 1)) * stdtrit(families - 1, (1 - level) / 2))
    low, high = np.quantile(difference(drawn.astype(np.float64)), [tail, 1 - tail], axis=0)
    return low, high


def _shown(sums: Array) -> Array:
    """float64[n, 1 + measures]: the loss without penalties and the rates, from float64[n, measures * 2] sums."""
    total, cases = sums.reshape(len(sums), len(MEASURES), 2).transpose(2, 0, 1)
    rates = np.divide(total, cases, out=np.zeros_like(total), where=cases > 0)
    turned = np.array([name in HIGHER_IS_BETTER for name in MEASURES])
    lost = np.where((cases > 0) & turned, 1 - rates, rates)
    loss = lost[:, [MEASURES.index(name) for name in _SHARES]].mean(axis=1)
    return np.concatenate([loss[:, None], rates], axis=1)
