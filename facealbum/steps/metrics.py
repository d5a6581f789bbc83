"""Measuring: what a family's month came to, written in the transaction that ends it, and the sums over all families."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from eval.fairness.slices import judge_slices
from eval.metrics.arrivals import Arrivals, find_arrival_alarms
from eval.metrics.change import Change, estimate_change
from eval.metrics.control import MonthPoint, TrackedMonth, find_alarms, track_months
from eval.metrics.definitions import METRICS
from eval.metrics.estimates import Estimate, estimate_from_sums, estimate_pairs
from eval.metrics.facts import Companies, Count, count_churn, count_month
from eval.metrics.slices import EVERYTHING
from facealbum.domain.months import Month
from facealbum.domain.sentences import Sentence
from facealbum.errors import InvalidValueError, NothingMeasuredError
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.fairness import save_slices
from facealbum.storage.family_metrics import (
    MeasuredMonth,
    count_confirmed,
    load_companies,
    load_corrected_months,
    load_corrections,
    load_merged,
    load_month_facts,
    save_count,
    save_month,
)
from facealbum.storage.metric_totals import (
    ArmMonth,
    Key,
    Total,
    load_fresh_months,
    load_newest_month,
    load_pairs,
    load_totals,
    lock_totals,
    save_totals,
    sum_change,
    sum_month,
)
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.runs import Run
from facealbum.storage.serving import load_installed_arm, load_served_arm

_BY_CLUSTER = 0  # stands for the batch where there is none
_DRAWN_AGAIN = 200  # families up to which intervals draw them again; of more, sums say the same
_DRAWS = 1000
_KINDS = ("breakage", "mixing", "disappearance", "splitting")


@dataclass(frozen=True, slots=True)
class MonthSummary:
    """Every metric of one month under an arm, in all families and by slice."""

    arm: str
    month: Month
    estimates: dict[Key, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = [
            {"metric": metric, "slice": part, **one.to_dict(), "better": METRICS[metric].better.value}
            for (metric, part), one in self.estimates.items()
        ]
        return {"arm": self.arm, "month": str(self.month), "metrics": rows}


@dataclass(frozen=True, slots=True)
class MonthAlarms:
    """Why somebody must look at a month, in words."""

    arm: str
    month: Month
    alarms: tuple[Sentence, ...]


def measure_month(transaction: Transaction, run: Run, before: Companies, *, now: datetime) -> None:
    """Count what the run left of its month; before: the companies when it began."""
    measured = MeasuredMonth(
        run.family_id, run.arm.arm_id, run.month, run.run_id, run.models["embedder"], run.code_version
    )
    facts = load_month_facts(transaction, measured)
    after = load_companies(transaction, run.family_id, run.arm.arm_id, before_run=run.run_id)
    merged = {} if after == before else load_merged(transaction, run.family_id, run.arm.arm_id)
    parts = {**facts.parts, "churn": count_churn(before, after, merged)}
    if not parts["corrections"].total and load_served_arm(transaction, run.family_id) != run.arm.name:
        del parts["corrections"]  # nobody corrects what nobody is shown
    save_month(transaction, measured, count_month(replace(facts, parts=parts)), now=now)


def measure_corrections(transaction: Transaction, measured: MeasuredMonth, *, arm: str, now: datetime) -> None:
    """Count the corrections of the month, if the family is shown the arm, and of months with decisions made since.

    They come whether or not there are photos, so there may be no run of their month to count them.
    """
    family, arm_id = measured.family_id, measured.arm_id
    months = {month for month in load_corrected_months(transaction, family, arm_id) if month <= measured.month}
    if load_served_arm(transaction, family) == arm:
        months.add(measured.month)
    for month in sorted(months):
        confirmed = count_confirmed(transaction, family, arm_id, month)
        part = load_corrections(transaction, family, arm_id, month, confirmed=confirmed)
        if part.cases:
            count = Count("corrections", EVERYTHING, *part)
            save_count(transaction, replace(measured, month=month), count, now=now)


def total_months(
    transaction: Transaction, *, since: datetime, through: Month, batch: int = _BY_CLUSTER, now: datetime
) -> list[ArmMonth]:
    """Add up each month in which a family was measured since then, over all families; tells which those were."""
    lock_totals(transaction)
    fresh = load_fresh_months(transaction, since=since, through=through)
    for month in fresh:
        sums = sum_month(transaction, month)
        pairs = load_pairs(transaction, month, [key for key, one in sums.items() if one.families <= _DRAWN_AGAIN])
        totals = [
            (key, estimate_pairs(*pairs[key], draws=_DRAWS) if key in pairs else estimate_from_sums(one))
            for key, one in sorted(sums.items())
        ]
        save_totals(transaction, batch, month, totals, now=now)
        save_slices(transaction, month, judge_slices(sums), now=now)
    return fresh


def metric_alarms(transaction: Transaction, arm: str, month: Month) -> list[Sentence]:
    """Why somebody must look: metrics that left their limits in the month, for the worse, and missing photos."""
    keys = [key for key, metric in METRICS.items() if metric.steady]
    tracked = (_track(transaction, arm, key, EVERYTHING) for key in keys)
    left = find_alarms([months[-1] for months in tracked if months and months[-1].point.month == month])
    return left + _arrival_alarms(transaction, arm, month)


def _arrival_alarms(transaction: Transaction, arm: str, month: Month) -> list[Sentence]:
    """By the families and cases of coverage, which are those that have faces of a month, and these faces."""
    first = load_totals(transaction, arm, metric="coverage", part=EVERYTHING, first=True)
    before = [Arrivals(one.month, one.estimate.families, one.estimate.cases) for one in first if one.month < month]
    now = load_totals(transaction, arm, month=month, metric="coverage", part=EVERYTHING)
    faces = now[0].estimate if now else None
    return find_arrival_alarms(before, Arrivals(month, faces.families, faces.cases) if faces else Arrivals(month, 0, 0))


def summarize_month(
    context: Context, month: Month | None = None, *, arm: str | None = None, part: str | None = None
) -> MonthSummary:
    """The month's metrics under the arm, of all slices or one; without them those of the newest and the installation's.

    Raises NothingMeasuredError.
    """
    with context.database.begin() as transaction:
        name = arm or load_installed_arm(transaction)
        chosen = month or load_newest_month(transaction, name)
        totals = load_totals(transaction, name, month=chosen, part=part) if chosen else []
    if chosen is None or not totals:
        raise NothingMeasuredError(
            f"nothing was measured under the arm {name!r}{f' in {month}' if month else ''};"
            " `facealbum cluster` and the monthly job measure each month that they run"
        )
    return MonthSummary(name, chosen, {(one.metric, one.slice): one.estimate for one in totals})


def list_alarms(context: Context, month: Month | None = None, *, arm: str | None = None) -> MonthAlarms:
    """Why somebody must look at the month, or at the newest one; raises NothingMeasuredError if there is none."""
    with context.database.begin() as transaction:
        name = arm or load_installed_arm(transaction)
        chosen = month or load_newest_month(transaction, name)
        if chosen is None:
            raise NothingMeasuredError(f"nothing was measured under the arm {name!r}")
        return MonthAlarms(name, chosen, tuple(metric_alarms(transaction, name, chosen)))


def list_breakage(context: Context, *, arm: str | None = None, part: str = EVERYTHING) -> list[Total]:
    """How many pseudo-labels broke in each month, at all and by kind."""
    with context.database.begin() as transaction:
        name = arm or load_installed_arm(transaction)
        return [total for kind in _KINDS for total in load_totals(transaction, name, metric=kind, part=part)]


def track_metric(
    context: Context, metric: str, *, arm: str | None = None, part: str = EVERYTHING
) -> tuple[TrackedMonth, ...]:
    """The metric month by month beside its control limits; raises InvalidValueError for an unknown metric."""
    expect_metric(metric)
    with context.database.begin() as transaction:
        return _track(transaction, arm or load_installed_arm(transaction), metric, part)


def compare_months(
    context: Context, metric: str, *, before: Month, after: Month, arm: str | None = None, other: str | None = None
) -> Change:
    """What changed between two months, or with `other` to another arm, in the same families.

    Raises InvalidValueError for an unknown metric or arm.
    """
    expect_metric(metric)
    with context.database.begin() as transaction:
        first = find_arm(transaction, arm)
        second = find_arm(transaction, other) if other else first
        months = ArmMonth(first.arm_id, before), ArmMonth(second.arm_id, after)
        sums, squares, families = sum_change(transaction, *months, metric)
    return estimate_change(sums, squares, families)


def find_arm(transaction: Transaction, name: str | None) -> Arm:
    """The arm of this name, or the installation's; raises InvalidValueError if it never ran."""
    name = name or load_installed_arm(transaction)
    arm = load_arm(transaction, name)
    if arm is None:
        raise InvalidValueError(f"no run was made under the arm {name!r}; `facealbum arms list` shows those there are")
    return arm


def expect_metric(name: str) -> None:
    """Raise InvalidValueError unless there is such a metric."""
    if name not in METRICS:
        raise InvalidValueError(f"a metric must be one of {', '.join(METRICS)}; got {name!r}")


def _track(transaction: Transaction, arm: str, metric: str, part: str) -> tuple[TrackedMonth, ...]:
    models = _models(transaction, arm, metric)
    points = [
        MonthPoint(total.month, total.estimate, models.get(total.month, ()))
        for total in load_totals(transaction, arm, metric=metric, part=part)
    ]
    return track_months(metric, points)


def _models(transaction: Transaction, arm: str, metric: str) -> dict[Month, tuple[str, ...]]:
    """The embedding models that had a part in each month, by the totals of their slices."""
    found: dict[Month, tuple[str, ...]] = {}
    for total in load_totals(transaction, arm, metric=metric):
        kind, _, name = total.slice.partition(":")
        if kind == "model":
            found[total.month] = (*found.get(total.month, ()), name)
    return found
