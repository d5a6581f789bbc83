"""What charts draw: every mark where its number belongs, and every number said with as many digits as it is known."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.drift.distributions import DISTRIBUTIONS
from eval.metrics import Estimate
from eval.metrics.change import Change
from eval.report.charts import BarChart, DotChart, MonthChart, MonthValue, Table, Whisker, WhiskerChart
from eval.report.grid import build_grid
from eval.report.kinds.comparison import Comparison, Difference, Side
from eval.report.kinds.drift import bin_names
from eval.report.measured import Measured, Scale
from eval.report.plots import plot_bars, plot_months, plot_span, plot_whisker
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError

NUMBERS = st.floats(-1e6, 1e6).filter(lambda number: number == 0 or abs(number) > 1e-6)
SHARES = st.integers(0, 10_000).map(lambda count: count / 10_000)


@pytest.mark.parametrize(
    ("value", "low", "high", "scale", "said", "interval"),
    [
        (0.875, 0.861, 0.889, Scale.SHARE, "87.5%", "95% interval 86.1% to 88.9%"),
        (0.00042, 0.0003, 0.0006, Scale.SHARE, "0.042%", "95% interval 0.030% to 0.060%"),
        (-0.0123, -0.02, 0.001, Scale.POINTS, "\u22121.2 points", "95% interval \u22122.0 to +0.1 points"),
        (31.46, 30.1, 32.9, Scale.PLAIN, "31.5", "95% interval 30.1 to 32.9"),
        (0.0, 0.0, 0.0, Scale.CHANGE, "0.0", "95% interval 0.0 to 0.0"),
        (0.85, 0.85, 0.8500000000000001, Scale.SHARE, "85.0%", "95% interval 85.0% to 85.0%"),
        (None, None, None, Scale.SHARE, "\u2013", ""),
    ],
)
def test_a_value_is_said_with_the_digits_that_its_interval_allows(
    value: float | None, low: float | None, high: float | None, scale: Scale, said: str, interval: str
) -> None:
    measured = Measured(value, low, high, scale)
    assert (measured.said, measured.interval) == (said, interval)


def test_counts_stand_beside_what_was_counted() -> None:
    assert (
        Measured.of(Estimate(0.5, 0.4, 0.6, 7012, 14024, 1, 0.95), Scale.SHARE).counts == "7,012 of 14,024 in 1 family"
    )
    assert Measured.of(Estimate(2.5, 2.4, 2.6, 25.5, 10, 3, 0.9), Scale.PLAIN).counts == "25.5 / 10 in 3 families"
    assert Measured(0.1, 0, 0.2, Scale.POINTS, cases=1234).counts == "n = 1,234"


def test_an_interval_without_ends_or_value_is_not_known() -> None:
    infinite = Measured.of(Estimate(1.0, -math.inf, math.inf, 1, 1, 1, 0.95), Scale.PLAIN)
    nothing = Measured.of(Estimate(None, 0, 1, 0, 0, 0, 0.95), Scale.SHARE)
    assert (infinite.low, infinite.high, nothing.low, nothing.high) == (None, None, None, None)


@given(st.lists(NUMBERS, max_size=8), st.sampled_from(Scale))
def test_a_scale_holds_every_number_on_few_round_lines(numbers: list[float], scale: Scale) -> None:
    if scale is Scale.SHARE:
        numbers = [abs(number) / 1e6 for number in numbers]
    grid = build_grid(numbers, scale)
    slack = 1e-6 * max(1, *map(abs, numbers), 1)
    assert all(grid.low - slack <= number <= grid.high + slack for number in numbers)
    assert 2 <= len(grid.ticks) <= 8
    assert len({tick.text for tick in grid.ticks}) == len(grid.ticks)
    assert (grid.ticks[0].at, grid.ticks[-1].at) == (pytest.approx(100), 0)


def test_numbers_that_only_rounding_tells_apart_are_one() -> None:
    grid = build_grid([0.85, 0.85 + 2e-16], Scale.SHARE)
    assert grid.ticks[0].text == "0%"
    assert Measured(0.5, 0.4, 0.6, Scale.SHARE, total=26.5 + 1e-12, cases=53 + 1e-12).counts == "26.5 of 53"


@given(st.lists(SHARES, min_size=2, max_size=30), st.integers(0, 29))
def test_a_line_is_as_high_as_its_values_and_breaks_where_there_is_none(shares: list[float], gap: int) -> None:
    months = list(Month(2024, 1).through(Month(2026, 6)))[: len(shares)]
    points = tuple(
        MonthValue(
            month, Measured(None if at == gap else share, share / 2, min(1.0, 2 * share), Scale.SHARE), (0.2, 0.8)
        )
        for at, (month, share) in enumerate(zip(months, shares, strict=True))
    )
    plot = plot_months(MonthChart("coverage", "", points))
    drawn = sorted([*plot.dots, *plot.alarms])
    known = [point.measured.value for point in points if point.measured.value is not None]
    assert len(drawn) == len(known)
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in drawn)
    for (_, y), value in zip(drawn, known, strict=True):
        assert all(
            (y <= other_y) == (value >= other) or math.isclose(y, other_y)
            for (_, other_y), other in zip(drawn, known, strict=True)
        )
    assert len(plot.alarms) == sum(value < 0.2 or value > 0.8 for value in known)
    assert len(plot.lines) == 1 + (0 < gap < len(shares) - 1)


@given(value=NUMBERS, low=NUMBERS, high=NUMBERS, lower=st.booleans())
def test_a_whisker_is_right_of_the_line_exactly_if_it_is_better(
    *, value: float, low: float, high: float, lower: bool
) -> None:
    low, value, high = sorted((low, value, high))
    span, _ = plot_whisker(Whisker("metric", Measured(value, low, high, Scale.CHANGE), lower_is_better=lower))
    assert span.at is not None
    assert span.low is not None
    assert span.high is not None
    assert 0 <= span.low <= span.at <= span.high <= 100
    better = -value if lower else value
    assert (span.at > 50) == (better > 0) or math.isclose(span.at, 50)


def test_a_limit_is_drawn_where_its_number_is() -> None:
    measured = Measured(-0.02, -0.03, -0.01, Scale.POINTS)
    row = Whisker("coverage", measured, mark=-0.02)
    span, mark = plot_whisker(row)
    assert span.at == mark
    turned, turned_mark = plot_whisker(replace(row, lower_is_better=True))
    assert turned.at == turned_mark == pytest.approx(100 - span.at)
    assert WhiskerChart("", "", (row,)).table.rows[0][2] == Measured(-0.02, None, None, Scale.POINTS)


def test_what_is_not_known_is_not_drawn() -> None:
    span = plot_span(Measured(None, None, None, Scale.SHARE), 0, 1)
    assert (span.at, span.low, span.high) == (None, None, None)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=20))
def test_bars_are_as_high_as_their_shares_and_stay_in_their_bins(counts: list[tuple[int, int]]) -> None:
    before, now = (tuple(side) for side in zip(*counts, strict=True))
    plot = plot_bars(BarChart("age", "", tuple(map(str, range(len(counts)))), before, now))
    for series, numbers in ((plot.before, before), (plot.now, now)):
        heights = [height for _, _, _, height in series]
        assert sum(heights) == pytest.approx(sum(heights[:1]) * sum(numbers) / numbers[0]) if numbers[0] else True
        for at, (x, y, width, height) in enumerate(series):
            assert 100 * at / len(counts) - 1e-9 <= x <= x + width <= 100 * (at + 1) / len(counts) + 1e-9
            assert y + height == pytest.approx(100)


def test_every_bin_of_every_distribution_has_a_name() -> None:
    for about in DISTRIBUTIONS.values():
        assert len(set(bin_names(about))) == about.bins
    assert bin_names(DISTRIBUTIONS["faces"])[:3] == ("below 1", "1 to 2", "2 to 3")


def test_a_table_and_a_chart_refuse_what_does_not_fit() -> None:
    with pytest.raises(InvalidValueError, match="2 cells"):
        Table("t", ("a", "b"), (("x", 1), ("y",)))
    with pytest.raises(InvalidValueError, match="as many counts as bins"):
        BarChart("age", "", ("a", "b"), (1,), (1, 2))
    with pytest.raises(InvalidValueError, match="must have a row"):
        DotChart("rates", "", ())
    with pytest.raises(InvalidValueError, match="oldest first"):
        MonthChart("coverage", "", tuple(MonthValue(Month(2026, m), Measured(1, 1, 1, Scale.SHARE)) for m in (2, 1)))


@pytest.mark.parametrize(
    ("metric", "low", "high", "word"),
    [
        ("coverage", 0.01, 0.03, "better"),
        ("breakage", 0.01, 0.03, "worse"),
        ("breakage", -0.03, -0.01, "better"),
        ("cluster_size", 1, 3, "differs"),
        ("coverage", -0.01, 0.03, "no difference seen"),
        ("coverage", -math.inf, math.inf, "too few families"),
    ],
)
def test_a_difference_is_called_better_or_worse_by_the_metrics_own_direction(
    metric: str, low: float, high: float, word: str
) -> None:
    some = Estimate(0.5, 0.4, 0.6, 5, 10, 4, 0.95)
    change = Change(0.5, 0.5, (low + high) / 2 if math.isfinite(low) else 0.1, low, high, 4, 0.95)
    assert Difference(metric, some, some, change).word == word


def test_two_months_of_one_arm_are_named_by_their_months() -> None:
    september, october = (Side("default", Month(2026, month), ()) for month in (9, 10))
    assert Comparison(september, october, ()).names == ("Sep 2026", "Oct 2026")
    assert Comparison(september, replace(october, arm="light"), ()).names == ("default", "light")
