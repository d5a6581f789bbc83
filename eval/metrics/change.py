"""What a change of model did: a metric before and after it in the same families, and the interval of the difference.

Families are compared with themselves, so what they always differ by drops out, and an interval is far narrower than
two beside each other.  From sums alone, so that the database can add up any number of families.
"""

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any

import numpy as np
from scipy.special import stdtrit

from eval.metrics.estimates import Array, unseen_difference


@dataclass(frozen=True, slots=True)
class Change:
    """The ratio before, after, and after - before with its interval; None where a side has no case."""

    before: float | None
    after: float | None
    value: float | None
    low: float
    high: float
    families: int
    level: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON; an end that is infinite is None."""
        low, high = (end if isfinite(end) else None for end in (self.low, self.high))
        parts = {"before": self.before, "after": self.after, "value": self.value, "low": low, "high": high}
        return parts | {"families": self.families, "level": self.level}


def estimate_change(sums: Array, squares: Array, families: int, *, level: float = 0.95) -> Change:
    """After minus before, with the linearised variance of the difference of two ratios of the same families.

    Where all families agree on nothing or everything, on both sides, the interval is that of `unseen_difference`.

    sums: float64[4], over families, of total and cases before, total and cases after, zero where a family has none.
    squares: float64[4, 4], sums of all products of these.
    """
    t, c, t2, c2 = (float(one) for one in sums)
    before, after = t / c if c else None, t2 / c2 if c2 else None
    if before is None or after is None:
        return Change(before, after, None, -inf, inf, families, level)
    value = after - before
    if families < 2:  # noqa: PLR2004 - nothing is known of how families differ
        return Change(before, after, value, -inf, inf, families, level)
    if {before, after} <= {0.0, 1.0}:
        return Change(before, after, value, *unseen_difference(before, after, families, level=level), families, level)
    slope = np.array([-1 / c, before / c, 1 / c2, -after / c2])
    variance = families / (families - 1) * max(0.0, float(slope @ squares @ slope))
    half = float(stdtrit(families - 1, (1 + level) / 2)) * sqrt(variance)
    return Change(before, after, value, value - half, value + half, families, level)
