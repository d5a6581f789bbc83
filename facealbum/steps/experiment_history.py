"""How an experiment came to what it shows: the verdict after each month, and each arm's months by themselves.

Only what the plan allows to be told is: of a fixed plan nothing before its horizon.  Each month's sums are read once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from eval.experiments import Kind, Plan, Verdict
from eval.metrics.estimates import Estimate, as_pairs, estimate_from_sums, sum_pairs
from facealbum.domain.months import Month
from facealbum.steps.context import Context
from facealbum.steps.experiment_results import PRESENT, Status, judge_sums, metrics_of
from facealbum.storage.experiment_counts import Sums, load_sums

_Growing = dict[tuple[int, str], dict[UUID, tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class ArmMonth:
    """A metric of one arm's families in one month alone."""

    arm: str
    month: Month
    metric: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class History:
    """looks: by treatment the verdict after each of its months that may be told, oldest first."""

    looks: Mapping[str, tuple[Verdict, ...]]
    months: tuple[ArmMonth, ...]


def trace_experiment(context: Context, status: Status) -> History:
    """Look back over the months of an experiment, as far as its verdicts may be told."""
    experiment = status.experiment
    verdicts = {arm: Verdict.from_dict(verdict) for arm, verdict in status.verdicts.items()}
    if experiment.first_month is None or all(one.effect is None for one in verdicts.values()):
        return History({}, ())
    plan, last = Plan.from_dict(experiment.plan), max(one.look for one in verdicts.values())
    looks: dict[str, list[Verdict]] = {arm: [] for arm in verdicts}
    months: list[ArmMonth] = []
    so_far: _Growing = defaultdict(dict)
    month = experiment.first_month
    for look in range(1, last + 1):
        with context.database.begin() as transaction:
            sums = load_sums(transaction, experiment, {*metrics_of(plan), *PRESENT}, months=(month, month))
        months += [
            ArmMonth(arm.name, month, metric, _estimate(sums[arm.arm_id, metric].values()))
            for metric in metrics_of(plan)
            for arm in experiment.arms
            if (arm.arm_id, metric) in sums
        ]
        _add(so_far, sums)
        if plan.kind is Kind.SEQUENTIAL and look < last:
            for arm, verdict in judge_sums(experiment, so_far, look).items():
                looks[arm].append(verdict)
        month = month.next()
    return History({arm: (*looks[arm], verdict) for arm, verdict in verdicts.items()}, tuple(months))


def _estimate(counts: Iterable[tuple[float, float]]) -> Estimate:
    distinct, times = np.unique(as_pairs(np.array(list(counts), np.float64)), axis=0, return_counts=True)
    return estimate_from_sums(sum_pairs(distinct, times))


def _add(so_far: _Growing, sums: Sums) -> None:
    for key, by_family in sums.items():
        known = so_far[key]
        for family, (total, cases) in by_family.items():
            before = known.get(family, (0.0, 0.0))
            known[family] = before[0] + total, before[1] + cases
