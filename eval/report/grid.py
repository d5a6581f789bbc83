"""The scale of a chart: round numbers, and where their lines stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, inf, log10

from eval.report.measured import FACTORS, Scale, say

_STEPS = 4  # between the lines of a grid, about
_NOISE = 1e-9  # of a number, what rounding may make of two that are the same
_FROM_ZERO = 0.4  # a scale that would begin below this part of its end begins at zero


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid, in percent of the chart, and its word."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A scale from below to above, with round numbers at its lines."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def down(self, number: float) -> float:
        """Where the number stands from above, in percent."""
        return 100 * (self.high - min(self.high, max(self.low, number))) / (self.high - self.low)


def build_grid(numbers: Iterable[float], scale: Scale) -> Grid:
    """A scale that holds all of the numbers; of shares it ends at 100%."""
    some = list(numbers) or [0.0, 1.0]
    low, high = min(some), max(some)
    if 0 < low < _FROM_ZERO * high:
        low = 0.0
    if high - low <= _NOISE * max(abs(low), abs(high)):
        low, high = (0.0, high) if high > 0 else (low, low + 1)
    step = _round_step((high - low) / _STEPS)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    top = 1 / step if scale is Scale.SHARE else inf
    lines = [step * number for number in range(first, last + 1) if number <= top + 1e-9]
    places = max(0, -floor(log10(step * FACTORS[scale]) + 1e-9))
    bottom, end = lines[0], lines[-1]
    ticks = tuple(Tick(100 * (end - line) / (end - bottom), say(line, scale, places)) for line in lines)
    return Grid(bottom, end, ticks)


def _round_step(rough: float) -> float:
    """The next number that is 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(rough))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9)))
