"""Control limits: whether a month's metric is within what the months before it let expect.

Months of a steady arm differ for more reasons than chance: other families upload, seasons change.  So the width of the
limits is that by which the months before really differed, in units of the standard error that their families and the
month's number of cases let expect (Laney's p' chart, 2002, with family clusters in place of the binomial).  Few months
know little of that, so limits are those of a prediction, wider the fewer there are; below `LEAST` there are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from eval.metrics.definitions import METRICS, Better
from eval.metrics.estimates import Estimate
from facealbum.domain.months import Month
from facealbum.domain.sentences import Number, Sentence, Share, Term, join_sentences

LEAST, MOST = 6, 12  # months before that limits are made from
FALSE_ALARMS = 0.0027  # share of steady months outside their limits, as three standard deviations have it

_RANGE = 2 / sqrt(np.pi)  # mean distance of two standard normal draws
_FREEDOM = 0.62  # degrees of freedom of a mean moving range, for each of its ranges
_LEAST_WIDTH = 0.25  # months are never expected to be steadier than a quarter of their standard error
_LEAST_ERROR = 1e-9  # where all families agree, their spread tells none; months still may differ


class Side(StrEnum):
    """Where a month lies."""

    UNKNOWN = "unknown"
    """Too few months lie before it."""
    WITHIN = "within"
    ABOVE = "above"
    BELOW = "below"


_SIDES = {Side.ABOVE: Term("above"), Side.BELOW: Term("below")}


@dataclass(frozen=True, slots=True)
class MonthPoint:
    """A metric over all families in one month, and the embedding models that made it."""

    month: Month
    estimate: Estimate
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackedMonth:
    """A month beside its limits.

    centre, low, high: what the `baseline` months before let expect; None without limits.  changed_from: the models of
    the month before, where they were others.
    """

    metric: str
    point: MonthPoint
    side: Side
    baseline: int = 0
    centre: float | None = None
    low: float | None = None
    high: float | None = None
    changed_from: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether it left its limits on the side that is not wanted; either is where none is better."""
        wanted = {Better.HIGHER: Side.ABOVE, Better.LOWER: Side.BELOW}.get(METRICS[self.metric].better)
        return self.side in (Side.ABOVE, Side.BELOW) and self.side is not wanted

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "metric": self.metric,
            "month": str(self.point.month),
            **self.point.estimate.to_dict(),
            "models": list(self.point.models),
            "changed_from": list(self.changed_from),
            "side": self.side.value,
            "worse": self.worse,
            "baseline": self.baseline,
            "centre": self.centre,
            "lower_limit": self.low,
            "upper_limit": self.high,
        }


def track_months(metric: str, points: Sequence[MonthPoint]) -> tuple[TrackedMonth, ...]:
    """Each month beside the limits of the twelve before it at most.

    points: of one arm and slice, oldest first.  A month outside its limits takes part in later ones, so that a new
    level is in time taken for granted.  Left out are months without a case, and means of a single family.
    """
    known = [one for one in points if one.estimate.value is not None and isfinite(one.estimate.high)]
    return tuple(_judge(metric, known[max(0, at - MOST) : at], point) for at, point in enumerate(known))


def find_alarms(months: Sequence[TrackedMonth]) -> list[Sentence]:
    """One sentence for each month that left its limits for the worse."""
    return [_sentence(month) for month in months if month.worse]


def _judge(metric: str, before: Sequence[MonthPoint], point: MonthPoint) -> TrackedMonth:
    changed = before[-1].models if before and before[-1].models != point.models else ()
    if len(before) < LEAST:
        return TrackedMonth(metric, point, Side.UNKNOWN, len(before), changed_from=changed)
    values = np.array([_value(one) for one in before])
    cases = np.array([one.estimate.cases for one in before])
    centre = float(np.average(values, weights=cases))
    error = float(np.sqrt(np.mean([_error(one) ** 2 * one.estimate.cases for one in before])))  # of a single case
    error = max(_LEAST_ERROR, error)
    width = max(_LEAST_WIDTH, float(np.abs(np.diff((values - centre) * np.sqrt(cases) / error)).mean()) / _RANGE)
    reach = stdtrit(_FREEDOM * (len(before) - 1), 1 - FALSE_ALARMS / 2) * sqrt(1 + 1 / len(before))
    half = float(reach) * width * error / sqrt(point.estimate.cases)
    value, low, high = _value(point), max(0.0, centre - half), centre + half
    if METRICS[metric].share:
        high = min(1.0, high)
    side = Side.ABOVE if value > high else Side.BELOW if value < low else Side.WITHIN
    return TrackedMonth(metric, point, side, len(before), centre, low, high, changed)


def _value(point: MonthPoint) -> float:
    value = point.estimate.value
    return 0.0 if value is None else value


def _error(point: MonthPoint) -> float:
    """The standard error that the interval tells, which is above zero where no family was hit."""
    one = point.estimate
    return (one.high - one.low) / 2 / float(ndtri((1 + one.level) / 2))


def _sentence(month: TrackedMonth) -> Sentence:
    metric, one = METRICS[month.metric], month.point.estimate
    write = Share if metric.share else Number
    said = Sentence(
        "%(metric)s of %(month)s is %(value)s in %(families)s families, %(side)s the %(low)s to %(high)s that the"
        " %(before)s months before let expect",
        metric=Term(metric.title),
        month=month.point.month,
        value=write(one.value or 0),
        families=one.families,
        side=_SIDES[month.side],
        low=write(month.low or 0),
        high=write(month.high or 0),
        before=month.baseline,
    )
    if not month.changed_from:
        return said
    models = {"before": _named(month.changed_from), "now": _named(month.point.models)}
    return join_sentences([said, Sentence("the embedding model changed from %(before)s to %(now)s", **models)])


def _named(models: Sequence[str]) -> str:
    return ", ".join(models) or "–"  # noqa: RUF001 - none
