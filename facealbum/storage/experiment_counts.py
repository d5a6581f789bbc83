"""What was counted of the families of an experiment, summed by family over its months.

One query a question; of a million families a metric's sums take some 200 MB while they are compared.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

from facealbum.domain.months import Month
from facealbum.storage.experiment_schema import experiment_families
from facealbum.storage.experiments import SHADOW, Experiment
from facealbum.storage.metric_schema import family_metrics
from facealbum.storage.schema import arms

Sums: TypeAlias = Mapping[tuple[int, str], Mapping[UUID, tuple[float, float]]]
"""Total and cases by family, by arm and metric."""

_JOINED = experiment_families.join(family_metrics, experiment_families.c.family_id == family_metrics.c.family_id)


def load_last_month(connection: Connection, experiment: Experiment) -> Month | None:
    """The newest month that every arm of the experiment has come to in some family."""
    newest = (
        select(family_metrics.c.arm_id, func.max(family_metrics.c.month).label("month"))
        .select_from(_JOINED)
        .where(*_counted(experiment))
        .group_by(family_metrics.c.arm_id)
    )
    months = {row.arm_id: row.month for row in connection.execute(newest)}
    if not {arm.arm_id for arm in experiment.arms} <= months.keys():
        return None
    last = min(months.values())
    return Month(last.year, last.month)


def load_months(connection: Connection, arm: str) -> list[Month]:
    """From the first month that the arm measured in some family to the newest."""
    month = family_metrics.c.month
    query = select(func.min(month), func.max(month)).join(arms, arms.c.arm_id == family_metrics.c.arm_id)
    first, newest = connection.execute(query.where(arms.c.name == arm)).one()
    return [] if first is None else list(Month(first.year, first.month).through(Month(newest.year, newest.month)))


def load_sums(
    connection: Connection,
    experiment: Experiment,
    metrics: Collection[str],
    *,
    months: tuple[Month, Month],
    under: int | None = None,
) -> Sums:
    """The sums of each arm's families over the months from the first to the last, both included.

    under: count what this arm did for all of them, as before the experiment.
    """
    arm = family_metrics.c.arm_id if experiment.mode == SHADOW else experiment_families.c.arm_id
    counted = _counted(experiment) if under is None else _counted_under(experiment, under)
    query = (
        select(
            arm.label("arm_id"),
            family_metrics.c.metric,
            family_metrics.c.family_id,
            func.sum(family_metrics.c.total).label("total"),
            func.sum(family_metrics.c.cases).label("cases"),
        )
        .select_from(_JOINED)
        .where(*counted, family_metrics.c.metric.in_(metrics), _within(months))
        .group_by(arm, family_metrics.c.metric, family_metrics.c.family_id)
        .order_by(family_metrics.c.family_id)
    )
    found: dict[tuple[int, str], dict[UUID, tuple[float, float]]] = defaultdict(dict)
    for row in connection.execute(query, execution_options={"yield_per": 10_000}):
        found[row.arm_id, row.metric][row.family_id] = (row.total, row.cases)
    return found


def load_past(connection: Connection, arm_id: int, metric: str, *, months: int) -> Mapping[UUID, tuple[float, float]]:
    """Total and cases by family over so many months, up to the newest that the arm has come to."""
    here = (family_metrics.c.arm_id == arm_id, family_metrics.c.metric == metric, family_metrics.c.slice == "")
    newest = connection.execute(select(func.max(family_metrics.c.month)).where(*here)).scalar()
    if newest is None:
        return {}
    last = first = Month(newest.year, newest.month)
    for _ in range(months - 1):
        first = first.before()
    query = (
        select(family_metrics.c.family_id, func.sum(family_metrics.c.total), func.sum(family_metrics.c.cases))
        .where(*here, _within((first, last)))
        .group_by(family_metrics.c.family_id)
        .order_by(family_metrics.c.family_id)
    )
    return {family: (total, cases) for family, total, cases in connection.execute(query)}


def _counted(experiment: Experiment) -> tuple[ColumnElement[bool], ...]:
    """In the shadow what all arms did for each family, else what its own did for it."""
    here = (experiment_families.c.experiment_id == experiment.experiment_id, family_metrics.c.slice == "")
    if experiment.mode == SHADOW:
        return (*here, family_metrics.c.arm_id.in_([arm.arm_id for arm in experiment.arms]))
    return (*here, family_metrics.c.arm_id == experiment_families.c.arm_id)


def _counted_under(experiment: Experiment, arm_id: int) -> tuple[ColumnElement[bool], ...]:
    here = (experiment_families.c.experiment_id == experiment.experiment_id, family_metrics.c.slice == "")
    return (*here, experiment_families.c.arm_id.is_not(None), family_metrics.c.arm_id == arm_id)


def _within(months: tuple[Month, Month]) -> ColumnElement[bool]:
    first, last = (month.start().date() for month in months)
    return family_metrics.c.month.between(first, last)
