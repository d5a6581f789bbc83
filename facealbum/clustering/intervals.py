"""Rates with their uncertainty."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `cases`, and the 95 % Wilson interval of the rate behind them; 0 to 1 where there is no case."""

    hits: int
    cases: int

    @property
    def value(self) -> float | None:
        """The observed rate, where there is a case."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        if not self.cases:
            return 0.0, 1.0
        n, p = self.cases, self.hits / self.cases
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + (_Z / (2 * n)) ** 2)
        low = centre - half if self.hits else 0.0
        high = centre + half if self.hits < n else 1.0
        return low, high
