"""Drawings as SVG: lines with their intervals, and bars with whiskers; pure, and without any style of their own.

Colours come from the style sheet by class, and never tell anything alone: each series has its own dashes and marks.
A drawing says in one sentence what it shows; the numbers themselves belong into a table below it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

_WIDTH, _SMALL, _HEIGHT = 720, 360, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 28
_LEGEND = 20
_BAR, _NAMES = 26, 200
_MOST_SERIES = 4
_FLAT = 1e-9
_LABEL = {_WIDTH: 100, _SMALL: 64}  # what a label of the x axis takes; wide drawings are shrunk on small screens


@dataclass(frozen=True, slots=True)
class Point:
    """A value under its label, with its interval; None where there is none."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Points in order under one name; all series of a drawing have the same labels.  joined: by a line."""

    name: str
    points: Sequence[Point]
    joined: bool = True


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values as pixels, upwards or to the right."""

    lowest: float
    highest: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.lowest) / (self.highest - self.lowest)
        return round(self.start + share * (self.end - self.start), 1)


def draw_lines(
    title: str,
    series: Sequence[Series],
    *,
    write: Callable[[float], str],
    limit: float | None = None,
    from_zero: bool = True,
    small: bool = False,
) -> str:
    """Up to four lines over the same labels, each with the band of its intervals.

    `write` writes a value; `limit` draws a line across; `from_zero`: the axis holds 0; `small`: half as wide, to stand
    beside others.  Where no point has a value there is nothing to draw: an empty string.  Raises ValueError for more
    series than can be told apart.
    """
    if len(series) > _MOST_SERIES:
        raise ValueError(f"at most {_MOST_SERIES} lines can be told apart, got {len(series)}")
    points = [point for one in series for point in one.points]
    ticks = _ticks([*_values(points), *([] if limit is None else [limit])], from_zero=from_zero)
    if not ticks:
        return ""
    width = _SMALL if small else _WIDTH
    top = _TOP + (_LEGEND if len(series) > 1 else 0)
    across = _places(max(len(one.points) for one in series), width)
    up = _Scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, top)
    parts = [_grid(ticks, up, write, width), _labels(series[0].points, across, width)]
    for number, one in enumerate(series, 1):
        parts += [_band(one.points, across, up), _line(one, number, across, up, write)]
    if len(series) > 1:
        parts.append(_legend(series, width))
    if limit is not None:
        parts.append(f'<path class="limit" d="M{_LEFT} {up.at(limit)}H{width - _RIGHT}"/>')
    return _svg(title, _HEIGHT, parts, width)


def draw_bars(title: str, bars: Sequence[Point], *, write: Callable[[float], str], limit: float | None = None) -> str:
    """A bar from 0 for each point, below each other, with a whisker for its interval; empty where none has a value."""
    ticks = _ticks([*_values(bars), *([] if limit is None else [limit])])
    if not ticks:
        return ""
    height = _TOP + _BAR * len(bars) + _BOTTOM
    right = _Scale(ticks[0], ticks[-1], _NAMES, _WIDTH - 40)
    parts = [
        f'<path class="axis" d="M{right.at(tick)} {_TOP}V{height - _BOTTOM}"/>'
        f'<text x="{right.at(tick)}" y="{height - 10}" text-anchor="middle">{escape(write(tick))}</text>'
        for tick in ticks
    ]
    parts += [_bar(bar, _TOP + _BAR * row, right, write) for row, bar in enumerate(bars)]
    if limit is not None:
        parts.append(f'<path class="limit" d="M{right.at(limit)} {_TOP}V{height - _BOTTOM}"/>')
    return _svg(title, height, parts)


def draw_effects(
    title: str,
    points: Sequence[Point],
    *,
    write: Callable[[float], str],
    bounds: Sequence[float | None],
    mark: float,
) -> str:
    """Differences from 0 with their whiskers, between bounds as far up as down; `mark` draws a dotted line across."""
    ends = [end for bound in bounds if bound is not None for end in (-bound, bound)]
    ticks = _ticks([*_values(points), *ends, mark])
    across, up = _places(len(points)), _Scale(ticks[0], ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    known = [(x, bound) for x, bound in zip(across, bounds, strict=True) if bound is not None]
    limits = [[f"{x} {up.at(side * bound)}" for x, bound in known] for side in (1, -1)] if len(known) > 1 else []
    parts = [
        _grid(ticks, up, write),
        _labels(points, across),
        f'<path class="zero" d="M{_LEFT} {up.at(0.0)}H{_WIDTH - _RIGHT}"/>',
        f'<path class="mark" d="M{_LEFT} {up.at(mark)}H{_WIDTH - _RIGHT}"/>',
        *(f'<path class="limit" d="M{"L".join(limit)}"/>' for limit in limits),
        *(_effect(point, x, up, write) for point, x in zip(points, across, strict=True)),
    ]
    return _svg(title, _HEIGHT, parts)


def _effect(point: Point, x: float, up: _Scale, write: Callable[[float], str]) -> str:
    if point.value is None:
        return ""
    said = escape(_written(point, write))
    dot = f'<circle class="f1" cx="{x}" cy="{up.at(point.value)}" r="4"><title>{said}</title></circle>'
    if point.low is None or point.high is None:
        return dot
    low, high = up.at(point.low), up.at(point.high)
    return f'<path class="whisker" d="M{x} {low}V{high}M{x - 5} {low}h10M{x - 5} {high}h10"/>{dot}'


def _svg(title: str, height: int, parts: Sequence[str], width: int = _WIDTH) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" class="w{width}" role="img"'
        f' aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _values(points: Sequence[Point]) -> list[float]:
    """All that has a place on an axis."""
    return [
        value for one in points for value in (one.value, one.low, one.high) if value is not None and isfinite(value)
    ]


def _ticks(values: Sequence[float], *, from_zero: bool = True) -> list[float]:
    """Some three to six round numbers around all values; none where there are no values."""
    if not values:
        return []
    around = [0.0, *values] if from_zero else values
    lowest, highest = min(around), max(around)
    if highest - lowest <= _FLAT * max(abs(lowest), 1.0):
        highest = lowest + max(abs(lowest), 1.0)
    rough = (highest - lowest) / 4
    unit = 10.0 ** floor(log10(rough))
    step = next(times * unit for times in (1, 2, 2.5, 5, 10) if times * unit >= rough * (1 - 1e-9))
    first, last = floor(lowest / step + 1e-9), ceil(highest / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _places(count: int, width: int = _WIDTH) -> list[float]:
    """Where each of so many points stands."""
    room = width - _LEFT - _RIGHT
    return [round(_LEFT + room * (number + 0.5) / count, 1) for number in range(count)]


def _grid(ticks: Sequence[float], up: _Scale, write: Callable[[float], str], width: int = _WIDTH) -> str:
    return "".join(
        f'<path class="axis" d="M{_LEFT} {up.at(tick)}H{width - _RIGHT}"/>'
        f'<text x="{_LEFT - 6}" y="{up.at(tick) + 4}" text-anchor="end">{escape(write(tick))}</text>'
        for tick in ticks
    )


def _labels(points: Sequence[Point], across: Sequence[float], width: int = _WIDTH) -> str:
    """As many labels as there is room for, the last among them."""
    every = ceil(len(points) * _LABEL[width] / (width - _LEFT - _RIGHT))
    return "".join(
        f'<text x="{x}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(point.label)}</text>'
        for number, (point, x) in enumerate(zip(points, across, strict=False))
        if (len(points) - 1 - number) % every == 0
    )


def _band(points: Sequence[Point], across: Sequence[float], up: _Scale) -> str:
    """The intervals, as one area for each stretch of points that have one."""
    areas, stretch = [], list[tuple[float, float, float]]()
    for point, x in [*zip(points, across, strict=False), (Point("", None), 0.0)]:
        if point.low is not None and point.high is not None and isfinite(point.high - point.low):
            stretch.append((x, up.at(point.low), up.at(point.high)))
        elif stretch:
            around = [f"{x} {high}" for x, _, high in stretch] + [f"{x} {low}" for x, low, _ in reversed(stretch)]
            areas.append(f'<path class="band" d="M{"L".join(around)}Z"/>')
            stretch = []
    return "".join(areas)


def _line(series: Series, number: int, across: Sequence[float], up: _Scale, write: Callable[[float], str]) -> str:
    path, dots, pen = "", "", "M"
    for point, x in zip(series.points, across, strict=False):
        if point.value is None:
            pen = "M"
            continue
        y = up.at(point.value)
        path, pen = f"{path}{pen}{x} {y}", "L"
        said = escape(f"{series.name} {point.label}: {_written(point, write)}")
        dots += f'<circle class="f{number}" cx="{x}" cy="{y}" r="3.5"><title>{said}</title></circle>'
    return f'<path class="line s{number}" d="{path}"/>{dots}' if path and series.joined else dots


def _legend(series: Sequence[Series], width: int) -> str:
    room = (width - _LEFT) // len(series)
    return "".join(
        f"{_sample(one, number, _LEFT + room * (number - 1))}"
        f'<text x="{_LEFT + room * (number - 1) + 34}" y="16">{escape(one.name)}</text>'
        for number, one in enumerate(series, 1)
    )


def _sample(series: Series, number: int, x: int) -> str:
    if series.joined:
        return f'<path class="line s{number}" d="M{x} 12h28"/>'
    return f'<circle class="f{number}" cx="{x + 14}" cy="12" r="3.5"/>'


def _bar(bar: Point, y: int, right: _Scale, write: Callable[[float], str]) -> str:
    name = f'<text x="{_NAMES - 8}" y="{y + 17}" text-anchor="end">{escape(bar.label)}</text>'
    if bar.value is None:
        return name
    start, end = sorted((right.at(0.0), right.at(bar.value)))
    said = escape(f"{bar.label}: {_written(bar, write)}")
    drawn = (
        f'{name}<rect class="f1" x="{start}" y="{y + 4}" width="{round(end - start, 1)}" height="{_BAR - 8}">'
        f"<title>{said}</title></rect>"
    )
    if bar.low is not None and bar.high is not None:
        low, high = right.at(bar.low), right.at(bar.high)
        drawn += f'<path class="whisker" d="M{low} {y + 13}H{high}M{low} {y + 9}v8M{high} {y + 9}v8"/>'
    return drawn


def _written(point: Point, write: Callable[[float], str]) -> str:
    if point.value is None or point.low is None or point.high is None:
        return "" if point.value is None else write(point.value)
    return f"{write(point.value)} ({write(point.low)} … {write(point.high)})"
