"""Where the marks of a chart stand, in percent of its width and height from the left and from above.

Words stand outside of the picture, so they are as large on a phone as on paper.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from eval.report.charts import BarChart, DotChart, MonthChart, MonthValue, Whisker, shares
from eval.report.grid import Grid, Tick, build_grid
from eval.report.measured import Measured, Scale
from eval.report.words import month as month_words
from eval.report.words import pick_evenly
from facealbum.domain.months import Month

_MOST_NAMED = 5  # of months, or bins
_GAP = 0.3  # of a bin's width, between its bars and the next ones


@dataclass(frozen=True, slots=True)
class Span:
    """A value with its interval; the ends are None where they are not known."""

    at: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class MonthPlot:
    """Lines and bands broken where a month has no value; alarms: months outside their limits."""

    lines: tuple[str, ...]
    bands: tuple[str, ...]
    limits: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    alarms: tuple[tuple[float, float], ...]
    models: tuple[float, ...]
    across: tuple[Tick, ...]
    down: tuple[Tick, ...]
    words: str


def plot_months(chart: MonthChart) -> MonthPlot:
    """A point a month, months without one between them left free."""
    points = chart.points
    numbers = [number for one in points for number in (*one.measured.numbers, *(one.limits or ()))]
    grid = build_grid(numbers, points[0].measured.scale)
    start, end = _ordinal(points[0]), _ordinal(points[-1])
    place = {one.month: 100 * (_ordinal(one) - start) / (end - start) if end > start else 50.0 for one in points}
    known = [run for run in _runs(points) if run]
    seen = [(place[one.month], grid.down(one.measured.value or 0.0), one.outside) for run in known for one in run]
    named = pick_evenly(points, _MOST_NAMED)
    return MonthPlot(
        lines=tuple(_path((place[one.month], grid.down(one.measured.value or 0.0)) for one in run) for run in known),
        bands=tuple(_band(run, place, grid) for run in known),
        limits=tuple(_limit(points, place, grid, side) for side in (0, 1)) if any(one.limits for one in points) else (),
        dots=tuple((x, y) for x, y, outside in seen if not outside),
        alarms=tuple((x, y) for x, y, outside in seen if outside),
        models=tuple(place[after.month] for before, after in pairwise(points) if before.model != after.model),
        across=tuple(Tick(place[one.month], month_words(one.month)) for one in named),
        down=grid.ticks,
        words=_summary(chart),
    )


def plot_span(measured: Measured, low: float, high: float, *, turned: bool = False) -> Span:
    """Where a value and its interval stand between `low` and `high`; turned: the other way round."""

    def place(number: float | None) -> float | None:
        if number is None:
            return None
        at = min(100.0, max(0.0, 100 * (number - low) / (high - low)))
        return 100 - at if turned else at

    ends = place(measured.low), place(measured.high)
    return Span(place(measured.value), *(ends[::-1] if turned else ends))


def plot_whisker(row: Whisker) -> tuple[Span, float | None]:
    """The row around its centre at 50, on a scale that just holds it; then where its mark is."""
    reaches = [abs(number - row.centre) for number in row.measured.numbers]
    reach = 1.1 * max([*reaches, abs(row.mark or 0.0)], default=0.0) or 1.0
    low, high = row.centre - reach, row.centre + reach
    mark = None if row.mark is None else Measured(row.centre + row.mark, None, None, row.measured.scale)
    span = plot_span(row.measured, low, high, turned=row.lower_is_better)
    return span, None if mark is None else plot_span(mark, low, high, turned=row.lower_is_better).at


@dataclass(frozen=True, slots=True)
class DotPlot:
    """Rows in the chart's order on one scale."""

    rows: tuple[tuple[str, Measured, Span], ...]
    across: tuple[Tick, ...]


def plot_dots(chart: DotChart) -> DotPlot:
    """On a scale that holds every row."""
    numbers = [number for _, one in chart.rows for number in one.numbers]
    grid = build_grid(numbers, chart.rows[0][1].scale)
    rows = tuple((name, one, plot_span(one, grid.low, grid.high)) for name, one in chart.rows)
    return DotPlot(rows, tuple(Tick(100 - tick.at, tick.text) for tick in grid.ticks))


@dataclass(frozen=True, slots=True)
class BarPlot:
    """Bars as left, top, width, height; the ends of the grid are at zero and above the highest bar."""

    before: tuple[tuple[float, float, float, float], ...]
    now: tuple[tuple[float, float, float, float], ...]
    down: tuple[Tick, ...]
    across: tuple[Tick, ...]
    words: str


def plot_bars(chart: BarChart) -> BarPlot:
    """Two bars a bin, side by side."""
    first, second = shares(chart.before), shares(chart.now)
    grid = build_grid([0.0, *first, *second], Scale.SHARE)
    bin_width = 100 / len(chart.bins)
    bar = bin_width * (1 - _GAP) / 2

    def bars(heights: Sequence[float], shift: float) -> tuple[tuple[float, float, float, float], ...]:
        tops = [grid.down(height) for height in heights]
        return tuple((bin_width * i + shift, top, bar, 100 - top) for i, top in enumerate(tops))

    left = bin_width * _GAP / 2
    named = pick_evenly(list(enumerate(chart.bins)), _MOST_NAMED)
    farthest = max(range(len(chart.bins)), key=lambda i: abs(second[i] - first[i]))
    words = (
        f"{chart.title}: {chart.names[0]} (n = {sum(chart.before):,}) and {chart.names[1]} (n = {sum(chart.now):,})"
        f" differ most at {chart.bins[farthest]}: {first[farthest]:.1%} and {second[farthest]:.1%}"
    )
    across = tuple(Tick(bin_width * (i + 0.5), name) for i, name in named)
    return BarPlot(bars(first, left), bars(second, left + bar), grid.ticks, across, words)


def _runs(points: Sequence[MonthValue]) -> list[list[MonthValue]]:
    """The points between months without a value."""
    runs: list[list[MonthValue]] = [[]]
    for one in points:
        if one.measured.value is None:
            runs.append([])
        else:
            runs[-1].append(one)
    return runs


def _band(run: Sequence[MonthValue], place: Mapping[Month, float], grid: Grid) -> str:
    sure = [one for one in run if one.measured.low is not None and one.measured.high is not None]
    upper = [(place[one.month], grid.down(one.measured.high or 0.0)) for one in sure]
    lower = [(place[one.month], grid.down(one.measured.low or 0.0)) for one in sure]
    return _path([*upper, *reversed(lower)])


def _limit(points: Sequence[MonthValue], place: Mapping[Month, float], grid: Grid, side: int) -> str:
    return _path((place[one.month], grid.down(one.limits[side])) for one in points if one.limits)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)


def _ordinal(point: MonthValue) -> int:
    return 12 * point.month.year + point.month.month


def _summary(chart: MonthChart) -> str:
    first, last = chart.points[0], chart.points[-1]
    outside = sum(one.outside for one in chart.points)
    ends = f"{chart.title}: {first.measured.said} in {month_words(first.month)}"
    if last is not first:
        ends += f", {last.measured.said} in {month_words(last.month)}"
    return f"{ends}; {outside} outside the control limits" if any(one.limits for one in chart.points) else ends
