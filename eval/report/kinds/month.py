"""The report of one month under one arm: each metric beside its limits, over time and by slice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eval.metrics import METRICS, Better, Estimate
from eval.metrics.control import Side, TrackedMonth, find_alarms
from eval.report.charts import Cell, MonthChart, MonthValue, Table
from eval.report.measured import Measured, Scale
from eval.report.paper import Mood, Paper, Section
from eval.report.words import month as month_words
from facealbum.domain.months import Month

_IN_SLICES = ("coverage", "association", "breakage", "collisions")
_SIDES = {Side.UNKNOWN: "too few months before", Side.WITHIN: "within", Side.ABOVE: "above", Side.BELOW: "below"}
_LEAST_IN_CHART = 2


@dataclass(frozen=True, slots=True)
class SliceValue:
    """A metric in a part of the month's cases, such as age:0-2."""

    slice: str
    metric: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class MonthHistory:
    """A month of an arm.  tracked: months up to this one, the oldest first, of each metric that has any."""

    month: Month
    arm: str
    families: int
    tracked: tuple[tuple[TrackedMonth, ...], ...]
    slices: tuple[SliceValue, ...] = ()

    @property
    def this_month(self) -> list[TrackedMonth]:
        """Each metric that has a case in the month."""
        return [months[-1] for months in self.tracked if months[-1].point.month == self.month]

    @property
    def alarms(self) -> Sequence[str]:
        """One sentence for each metric that should be steady and left its limits for the worse."""
        return find_alarms([one for one in self.this_month if METRICS[one.metric].steady])

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "month": str(self.month),
            "arm": self.arm,
            "families": self.families,
            "metrics": [one.to_dict() for months in self.tracked for one in months],
            "slices": [{"slice": one.slice, "metric": one.metric, **one.estimate.to_dict()} for one in self.slices],
            "alarms": self.alarms,
        }


def write_month(found: MonthHistory, *, now: datetime) -> Paper:
    """The paper of one month."""
    alarms = found.alarms
    models = sorted({model for one in found.this_month for model in one.point.models})
    return Paper(
        kind="month",
        title=f"{month_words(found.month)} in figures",
        subtitle=f"arm {found.arm}, embedding {' and '.join(models) or 'not known'}",
        generated_at=now,
        mood=Mood.BAD if alarms else Mood.GOOD if _has_limits(found) else Mood.OPEN,
        verdict=tuple(_verdict(found, alarms)),
        totals=(
            (found.families, "family", "families"),
            (len(found.this_month), "metric", "metrics"),
            (len(alarms), "alarm", "alarms"),
        ),
        sections=tuple(_sections(found)),
        figures=found.to_dict(),
    )


def _has_limits(found: MonthHistory) -> bool:
    return any(one.side is not Side.UNKNOWN for one in found.this_month)


def _verdict(found: MonthHistory, alarms: Sequence[str]) -> Iterator[str]:
    yield from (f"{alarm[0].upper()}{alarm[1:]}." for alarm in alarms)
    if alarms:
        return
    if _has_limits(found):
        yield "No metric left its control limits for the worse."
    else:
        yield "There are too few months to tell whether this one is as it should be; its figures stand for themselves."


def _sections(found: MonthHistory) -> Iterator[Section]:
    before = found.month.before()
    rows = tuple(_row(months, before) for months in found.tracked if months[-1].point.month == found.month)
    columns = ("Metric", month_words(found.month), month_words(before), "Limits", "Conclusion")
    yield Section("This month", blocks=(Table("Each metric with its counts", columns, rows),))
    charts = tuple(_chart(months) for months in found.tracked if len(months) >= _LEAST_IN_CHART)
    if charts:
        words = "Shaded is the interval by families; dashed is what the months before let expect."
        yield Section("Over time", (words,), charts)
    if found.slices:
        yield _slices(found)
    yield _definitions(found)


def _row(months: Sequence[TrackedMonth], before: Month) -> tuple[Cell, ...]:
    one, scale = months[-1], _scale(months[-1].metric)
    earlier = next((month.point.estimate for month in months if month.point.month == before), None)
    low, high = _limits(one) or (None, None)
    return (
        METRICS[one.metric].title,
        Measured.of(one.point.estimate, scale),
        Measured.of(earlier, scale) if earlier else None,
        Measured(None, low, high, scale),
        _conclusion(one),
    )


def _limits(one: TrackedMonth) -> tuple[float, float] | None:
    """Between which a month should lie; what grows as albums do has none."""
    if one.low is None or one.high is None or not METRICS[one.metric].steady:
        return None
    return one.low, one.high


def _conclusion(one: TrackedMonth) -> str:
    if not METRICS[one.metric].steady:
        return "changes as albums grow"
    if one.side in {Side.ABOVE, Side.BELOW}:
        return f"{_SIDES[one.side]}: {'worse' if one.worse else 'better'}"
    return _SIDES[one.side]


def _chart(months: Sequence[TrackedMonth]) -> MonthChart:
    metric = METRICS[months[0].metric]
    wish = {Better.HIGHER: "; more is better", Better.LOWER: "; less is better", Better.NEITHER: ""}[metric.better]
    points = tuple(
        MonthValue(
            one.point.month,
            Measured.of(one.point.estimate, _scale(one.metric)),
            _limits(one),
            ", ".join(one.point.models),
        )
        for one in months
    )
    return MonthChart(f"{metric.title[0].upper()}{metric.title[1:]}", f"{metric.unit}{wish}.", points)


def _slices(found: MonthHistory) -> Section:
    values = {(one.slice, one.metric): Measured.of(one.estimate, _scale(one.metric)) for one in found.slices}
    names = sorted({one.slice for one in found.slices})
    rows = tuple((name, *(values.get((name, metric)) for metric in _IN_SLICES)) for name in names)
    columns = ("Slice", *(METRICS[metric].title for metric in _IN_SLICES))
    words = "Many slices are looked at together, so some lie apart by chance; those of a few families say little."
    return Section("By slice", (words,), (Table("Slices with their counts", columns, rows),))


def _definitions(found: MonthHistory) -> Section:
    rows = tuple(
        (metric.title, metric.formula, "; ".join(metric.fails))
        for metric in (METRICS[months[0].metric] for months in found.tracked)
    )
    return Section("What the metrics mean", blocks=(Table("Metrics", ("Metric", "Formula", "When it misleads"), rows),))


def _scale(metric: str) -> Scale:
    return Scale.SHARE if METRICS[metric].share else Scale.PLAIN
