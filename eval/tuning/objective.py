"""How good an arm is by what can be counted without labels: one number to make small, and what must not get worse.

Note: one number.  The loss is the mean of three shares: persons that break, faces in no album of a registered child
where there is one (1 - association), and faces without a person (1 - coverage).  Each can be had for nothing at the
price of another: persons that are few and sure do not break but leave faces out, persons that take everybody in leave
none out but break.  Equal weights, as none is known to matter more.  It is a number and no front of several because a
trial can be given up early only if it can be called worse than others.

Note: guardrails.  What the three shares do not see, or reward wrongly, must not get worse than under the arm that the
search began with: links to the wrong child raise association, but the faces then look too old or too young for it;
joining anybody raises coverage, but collides and moves faces later.  A broken guardrail costs more than any shares can
gain, so an arm that breaks one is worse than every arm that breaks none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

MEASURES = ("breakage", "association", "coverage", "collisions", "churn", "link_error")
"""What is counted: metrics of eval.metrics, and the years by which faces look off the age of the child they are
linked to, over all faces that are linked."""

HIGHER_IS_BETTER = frozenset({"association", "coverage"})

GUARDRAILS: Mapping[str, float] = {"collisions": 0.0, "coverage": 0.01, "churn": 0.005, "link_error": 0.1}
"""By how much each may be worse than under the arm that the search began with: shares, and years."""

Array: TypeAlias = NDArray[np.float64]

Counts: TypeAlias = Array
"""float64[measures, 2], the total and cases of each of MEASURES; summed over families, or float64[families, ...]."""

_SHARES = ("breakage", "association", "coverage")
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


def compare(
    counts: Array, base: Array, *, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> tuple[Difference, ...]:
    """The loss without penalties and every measure, with intervals by drawing families again.

    counts, base: float64[families, measures, 2] of the same families.  The expanded percentile interval (Hesterberg
    2015), as in eval.metrics.estimates; with fewer than two families it is infinite.
    """
    families = len(counts)
    parts = {"loss": _SHARES} | {name: (name,) for name in MEASURES}
    whole = [np.ones((1, families)) @ one.reshape(families, -1) for one in (counts, base)]
    again = None
    if families > 1:
        drawn = np.random.default_rng(seed).multinomial(families, np.full(families, 1 / families), size=draws)
        again = [drawn @ one.reshape(families, -1) for one in (counts, base)]
    found = []
    for title, names in parts.items():
        after, before = (float(_shares(one, names)[0]) for one in whole)
        low, high = -inf, inf
        if again is not None:
            tail = ndtr(np.sqrt(families / (families - 1)) * stdtrit(families - 1, (1 - level) / 2))
            low, high = np.quantile(_shares(again[0], names) - _shares(again[1], names), [tail, 1 - tail])
        found.append(Difference(title, before, after, float(low), float(high), families))
    return tuple(found)


def _shares(sums: Array, names: Sequence[str]) -> Array:
    """float64[n]: the mean of these measures, as `_lost` has them; of several only, higher ones are turned round."""
    rows = sums.reshape(len(sums), len(MEASURES), 2)
    parts = []
    for name in names:
        total, cases = rows[:, MEASURES.index(name)].T
        rate = np.divide(total, cases, out=np.zeros_like(total), where=cases > 0)
        turned = len(names) > 1 and name in HIGHER_IS_BETTER
        parts.append(np.where(cases > 0, 1 - rate, 0.0) if turned else rate)
    return np.asarray(np.mean(parts, axis=0))
