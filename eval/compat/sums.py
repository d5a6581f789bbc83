"""The sums of all families, and of families drawn again: what rates, intervals and differences are made of.

The same families are drawn for both sides of a difference, so what they share drops out (a paired cluster bootstrap,
Davison and Hinkley 1997, section 3.8).  It costs a matrix product of draws x families x bins for each hit rate.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eval.compat.measures import BINS, FamilyMeasures
from eval.metrics import Estimate, estimate_ratio

DRAWS = 1000
LEVEL = 0.95

Draws = NDArray[np.float64]
"""float64[1 + DRAWS]: what was seen, then in families drawn again; nan where there is no case."""


class Sums:
    """All families' counts; `seed` of the draws."""

    def __init__(self, families: Sequence[FamilyMeasures], *, seed: int = 0) -> None:
        count = len(families)
        self._families = families
        self._pairs = np.array([one.pairs for one in families], np.float64).reshape(count, 3, 2, BINS)
        shares = np.full(count, 1 / max(1, count))
        again = np.random.default_rng(seed).multinomial(count, shares, DRAWS) if count else np.zeros((DRAWS, 0))
        self._times = np.vstack([np.ones((1, count)), again])

    def counts(self, name: str) -> NDArray[np.float64]:
        """float64[families, ...]: this measure of each."""
        shape = (3, 4, 2) if name == "broken" else (2,)
        return np.array([getattr(one, name) for one in self._families], np.float64).reshape(-1, *shape)

    def ratios(self, counts: NDArray[np.float64]) -> Draws:
        """Of float64[families, 2], the sum of totals over that of cases."""
        totals, cases = (self._times @ counts).T
        return _over(totals, cases)

    def pairs(self, *, same: bool) -> int:
        """How many pairs of faces of one person, or of two, were compared."""
        return int(self._pairs[:, 0, int(same)].sum())

    def hit_rates(self, side: int, far: float) -> Draws:
        """TAR at a FAR of the pairs old with old (0), new with new (1) or stored with new (2).

        nan where there are fewer than 1 / far pairs of two people, or none of one person.
        """
        other, same = (np.cumsum((self._times @ self._pairs[:, side, row])[:, ::-1], axis=1) for row in (0, 1))
        passed = (other <= far * other[:, -1:]).sum(axis=1)  # bins from the top that few enough pairs of two reach
        hits = np.take_along_axis(same, np.maximum(passed - 1, 0)[:, None], axis=1)[:, 0] * (passed > 0)
        cases = np.where(other[:, -1] >= 1 / far, same[:, -1], 0)
        return _over(hits, cases)

    def hit_rate(self, side: int, far: float) -> Estimate:
        """The same with its interval."""
        drawn = self.hit_rates(side, far)
        cases = self.pairs(same=True)
        if np.isnan(drawn[0]):
            return Estimate(None, 0.0, 1.0, 0, cases, len(self._families), LEVEL)
        low, high = interval(drawn)
        value = float(drawn[0])
        return Estimate(value, low, high, round(value * cases), cases, len(self._families), LEVEL)

    def estimate(self, counts: NDArray[np.float64]) -> Estimate:
        """The ratio of float64[families, 2] with its interval."""
        return estimate_ratio(counts.reshape(-1, 2), level=LEVEL)


def _over(totals: NDArray[np.float64], cases: NDArray[np.float64]) -> Draws:
    found: Draws = np.divide(totals, cases, out=np.full(len(cases), np.nan), where=cases > 0)
    return found


def interval(drawn: Draws) -> tuple[float, float]:
    """The middle of what was drawn; draws without a case are left out."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
