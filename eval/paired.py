"""A figure beside its baseline on the same cases: both values, and their difference, with intervals by group.

Cases of one family or subject are right or wrong together, so groups are drawn again (the bootstrap of clusters), the
same ones for both sides: the difference is then far surer than either value.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = NDArray[np.int64]
"""int64[groups]: how often each group counts."""

Measure: TypeAlias = Callable[[Weights], float]
"""A figure of the groups so weighted; NaN where it has no case."""


@dataclass(frozen=True, slots=True)
class Span:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its interval over n cases, beside the baseline's; higher is better.

    better: whether the interval of the difference lies above 0 (true), below (false) or holds it (None).
    """

    value: float
    low: float
    high: float
    n: int
    baseline: Span
    difference: Span
    better: bool | None

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def compare(new: Measure, old: Measure, *, groups: int, n: int, draws: int = 200) -> Figure | None:
    """Both on the same draws of the groups; None where there is nothing to measure."""
    draw = np.random.default_rng(0)
    weights = [np.ones(groups, np.int64)]
    weights += [draw.multinomial(groups, np.full(groups, 1 / groups)) for _ in range(draws)]
    values = np.array([(new(one), old(one)) for one in weights])
    if np.isnan(values[0]).any():
        return None
    spans = [_span(side) for side in (*values.T, values[:, 0] - values[:, 1])]
    value, baseline, difference = spans
    better = None if difference.low <= 0 <= difference.high else difference.low > 0
    return Figure(value.value, value.low, value.high, n, baseline, difference, better)


def _span(values: NDArray[np.float64]) -> Span:
    """The first is the value, the others are what it might have been."""
    low, high = np.nanquantile(values[1:], (0.025, 0.975))
    return Span(float(values[0]), float(low), float(high))
