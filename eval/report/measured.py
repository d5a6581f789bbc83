"""A value as reports show it: never without its interval and the counts behind it, and said the same way everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor, isfinite, log10
from typing import Self

from eval.metrics import Estimate

_MOST_DECIMALS = 4
_NOISE = 1e-9  # what rounding leaves of an interval without width
_DASH = "\N{EN DASH}"


class Scale(StrEnum):
    """How a number is said."""

    SHARE = "share"
    """0 to 1, said in percent."""
    POINTS = "points"
    """A difference of two shares, said in percentage points with its sign."""
    PLAIN = "plain"
    """In the unit that stands beside it."""
    CHANGE = "change"
    """A difference of two plain numbers, with its sign."""


FACTORS = {Scale.SHARE: 100, Scale.POINTS: 100, Scale.PLAIN: 1, Scale.CHANGE: 1}
_UNITS = {Scale.SHARE: "%", Scale.POINTS: " points"}
_SIGNED = {Scale.POINTS, Scale.CHANGE}


@dataclass(frozen=True, slots=True)
class Measured:
    """A value, its interval of `level`, and what was counted; None is what nobody knows.

    total, cases: the ratio's two sums over so many families; a difference has none of its own.
    """

    value: float | None
    low: float | None
    high: float | None
    scale: Scale
    total: float | None = None
    cases: float | None = None
    families: int | None = None
    level: float = 0.95

    @classmethod
    def of(cls, estimate: Estimate, scale: Scale) -> Self:
        """An estimate on its scale; ends that are infinite are not known."""
        low, high = (end if isfinite(end) else None for end in (estimate.low, estimate.high))
        known = estimate.value is not None
        return cls(
            estimate.value,
            low if known else None,
            high if known else None,
            scale,
            estimate.total,
            estimate.cases,
            estimate.families,
            estimate.level,
        )

    @property
    def numbers(self) -> tuple[float, ...]:
        """Whatever of value and interval is known."""
        return tuple(one for one in (self.value, self.low, self.high) if one is not None)

    @property
    def said(self) -> str:
        """The value, or a dash."""
        return _DASH if self.value is None else say(self.value, self.scale, decimals(self.numbers, self.scale))

    @property
    def interval(self) -> str:
        """The interval, such as 95% interval 86.1% to 88.9%; nothing where it is not known."""
        return f"{self.level * 100:.3g}% interval {self.span}" if self.span else ""

    @property
    def span(self) -> str:
        """Its ends alone; nothing where they are not known."""
        if self.low is None or self.high is None:
            return ""
        places = decimals(self.numbers, self.scale)
        low = say(self.low, self.scale, places).removesuffix(_UNITS[Scale.POINTS])
        return f"{low} to {say(self.high, self.scale, places)}"

    @property
    def counts(self) -> str:
        """The counts, such as 7,012 of 8,013 in 412 families; nothing where there are none."""
        if self.cases is None:
            counted = ""
        elif self.total is None:
            counted = f"n = {_whole(self.cases)}"
        elif self.scale is Scale.SHARE:
            counted = f"{_whole(self.total)} of {_whole(self.cases)}"
        else:
            counted = f"{_whole(self.total)} / {_whole(self.cases)}"
        if self.families is None:
            return counted
        families = f"{self.families:,} {'family' if self.families == 1 else 'families'}"
        return f"{counted} in {families}" if counted else families


def say(value: float, scale: Scale, places: int = 1) -> str:
    """The number with so many decimals, in the words of its scale."""
    shown = round(value * FACTORS[scale], places) + 0.0  # no minus zero
    sign = "+" if scale in _SIGNED and shown else ""
    return f"{shown:{sign},.{places}f}{_UNITS.get(scale, '')}".replace("-", "\N{MINUS SIGN}")


def decimals(numbers: Sequence[float], scale: Scale) -> int:
    """So many that two digits of half the numbers' range are seen; of one number its first two."""
    reach = (max(numbers) - min(numbers)) / 2 if len(numbers) > 1 else abs(numbers[0]) if numbers else 0
    shown = reach * FACTORS[scale]
    return min(_MOST_DECIMALS, max(1, 1 - floor(log10(shown)))) if shown > _NOISE else 1


def _whole(count: float) -> str:
    return f"{count:,.1f}".removesuffix(".0")
