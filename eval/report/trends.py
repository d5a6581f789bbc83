"""Small line charts of a rate over months, as the numbers that an inline SVG needs.

The vertical axis always starts at zero, and the band is the 95% interval: a jump inside the band is no news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from eval.report.page import RunRow
from eval.report.words import evidence, month, percent
from facealbum.clustering.intervals import Rate
from facealbum.domain.months import Month

WIDTH, HEIGHT = 300.0, 110.0
_MOST_DOTS = 24  # more would hide the line


@dataclass(frozen=True, slots=True)
class Trend:
    """One chart: its words, the SVG points of its line and band, and what its axes reach.

    dots: none where they would hide the line.
    """

    name: str
    summary: str
    line: str
    band: str
    dots: tuple[tuple[float, float], ...]
    top: str
    first: str
    last: str
    latest: str
    evidence: str


def build_trends(runs: Sequence[RunRow]) -> tuple[Trend, ...]:
    """A chart for each rate that has cases in two months or more."""
    series = (
        ("Faces with a person", [(run.month, run.coverage) for run in runs], 1.0),
        ("Faces linked to a child", [(run.month, run.association) for run in runs], 1.0),
        ("Labels that broke", [(run.month, run.breakage) for run in runs], 0.1),
    )
    charts = []
    for name, rates, least_top in series:
        known = [(when, rate) for when, rate in rates if rate.value is not None]
        if len({when for when, _ in known}) > 1:
            charts.append(_chart(name, known, least_top=least_top))
    return tuple(charts)


def _chart(name: str, rates: Sequence[tuple[Month, Rate]], *, least_top: float) -> Trend:
    top = max(least_top, ceil(10 * max(rate.interval[1] for _, rate in rates)) / 10)
    start, end = _ordinal(rates[0][0]), _ordinal(rates[-1][0])
    across = [WIDTH * (_ordinal(when) - start) / (end - start) for when, _ in rates]
    middle = [(x, _down(rate.value or 0.0, top)) for x, (_, rate) in zip(across, rates, strict=True)]
    lower = [(x, _down(rate.interval[0], top)) for x, (_, rate) in zip(across, rates, strict=True)]
    upper = [(x, _down(rate.interval[1], top)) for x, (_, rate) in zip(across, rates, strict=True)]
    (first, first_rate), (last, last_rate) = rates[0], rates[-1]
    return Trend(
        name=name,
        summary=f"{name}: {percent(first_rate)} in {month(first)}, {percent(last_rate)} in {month(last)}",
        line=_points(middle),
        band=_points([*upper, *reversed(lower)]),
        dots=tuple(middle) if len(middle) <= _MOST_DOTS else (),
        top=f"{top:.0%}",
        first=month(first),
        last=month(last),
        latest=percent(last_rate),
        evidence=evidence(last_rate),
    )


def _ordinal(when: Month) -> int:
    return 12 * when.year + when.month


def _down(value: float, top: float) -> float:
    """Pixels from the chart's upper edge."""
    return round(HEIGHT * (1 - value / top), 2)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
