"""Signals of other systems, and which arm each family was shown when they happened."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from eval.signals import SEVERAL, Lag, ToldTotals
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.storage.experiment_schema import (
    experiment_arms,
    experiment_families,
    experiments,
    promotions,
    serving,
)
from facealbum.storage.schema import arms, families
from facealbum.storage.serving import DEFAULT_ARM
from facealbum.storage.signal_schema import signals

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a source tells of a family, by the source's own id."""

    family_id: FamilyId
    source: str
    external_id: str
    kind: str
    happened_at: datetime
    value: float = 1.0


def load_known_families(connection: Connection, some: Iterable[FamilyId]) -> set[FamilyId]:
    """Those of them that are registered."""
    query = select(families.c.family_id).where(families.c.family_id.in_(list(some)))
    return set(map(FamilyId, connection.execute(query).scalars()))


def save_signals(connection: Connection, told: Iterable[Signal], *, now: datetime) -> int:
    """Write what was not told before; tells how many that were."""
    rows = [asdict(one) | {"arrived_at": now} for one in told]
    if not rows:
        return 0
    return connection.execute(insert(signals).values(rows).on_conflict_do_nothing()).rowcount


def load_signal_months(connection: Connection) -> list[Month]:
    """The months in UTC of which anything was told, oldest first."""
    query = text("SELECT DISTINCT month FROM dashboard.family_signals ORDER BY month")
    return [Month(row.month.year, row.month.month) for row in connection.execute(query)]


def load_lags(connection: Connection, *, since: datetime) -> list[Lag]:
    """How late the signals of each source and kind were that happened since then, in hours."""
    hours = func.extract("epoch", signals.c.arrived_at - signals.c.happened_at) / 3600
    ends = [func.percentile_cont(share).within_group(hours) for share in (0.5, 0.9, 0.95)]
    query = (
        select(signals.c.source, signals.c.kind, func.count(), *ends)
        .where(signals.c.happened_at >= since)
        .group_by(signals.c.source, signals.c.kind)
    )
    rows = connection.execute(query.order_by(signals.c.kind, signals.c.source))
    return [Lag(row[0], row[1], row[2], *map(float, row[3:])) for row in rows]


def load_served_families(connection: Connection, month: Month, *, now: datetime) -> dict[str, int]:
    """How many families were shown each arm throughout the month, so far as it is over and they were there."""
    served = _served(month, now)
    query = select(served.c.arm, func.count()).group_by(served.c.arm)
    return {row[0]: row[1] for row in connection.execute(query)}


def load_told_totals(connection: Connection, month: Month, *, now: datetime) -> list[ToldTotals]:
    """What was told of the month: of how many families of each arm the same total of a kind."""
    served = _served(month, now)
    within = (signals.c.happened_at >= month.start()) & (signals.c.happened_at < month.next().start())
    of_family = (
        select(
            served.c.family_id,
            served.c.arm,
            signals.c.kind,
            func.sum(signals.c.value).label("total"),
            func.count().label("signals"),
        )
        .join(signals, signals.c.family_id == served.c.family_id)
        .where(within)
        .group_by(served.c.family_id, served.c.arm, signals.c.kind)
        .subquery()
    )
    query = select(
        of_family.c.arm, of_family.c.kind, of_family.c.total, func.count(), func.sum(of_family.c.signals)
    ).group_by(of_family.c.arm, of_family.c.kind, of_family.c.total)
    return [ToldTotals(row[0], row[1], float(row[2]), row[3], int(row[4])) for row in connection.execute(query)]


def _served(month: Month, now: datetime) -> Subquery:
    """Each family of the month with its arm's name, or SEVERAL if that changed within the month.

    A family that registers within the month counts from then on.
    """
    end = min(month.next().start(), now)
    first, last = (
        _arm_at(moment) for moment in (func.greatest(families.c.created_at, month.start()), literal(end - _INSTANT))
    )
    there = select(families.c.family_id, first.label("first"), last.label("last")).where(families.c.created_at < end)
    seen = there.subquery()
    name = case((seen.c.first == seen.c.last, seen.c.first), else_=SEVERAL)
    return select(seen.c.family_id, name.label("arm")).subquery()


def _arm_at(moment: ColumnElement[Any]) -> ColumnElement[str]:
    """The name of the arm that the family was shown at the moment: by an experiment, else as promoted last."""
    mine = (serving.c.family_id == families.c.family_id) & (
        serving.c.experiment_id == experiment_families.c.experiment_id
    )
    held_still = (
        (experiments.c.status == "concluded") & experiment_families.c.arm_id.is_(None) & serving.c.arm_id.is_not(None)
    )
    tried = (
        select(arms.c.name)
        .select_from(experiment_families)
        .join(experiments, experiments.c.experiment_id == experiment_families.c.experiment_id)
        .join(
            experiment_arms,
            (experiment_arms.c.experiment_id == experiments.c.experiment_id) & experiment_arms.c.control,
        )
        .join(arms, arms.c.arm_id == func.coalesce(experiment_families.c.arm_id, experiment_arms.c.arm_id))
        .outerjoin(serving, mine)
        .where(
            experiment_families.c.family_id == families.c.family_id,
            experiments.c.mode == "served",
            experiment_families.c.assigned_at <= moment,
            or_(experiments.c.ended_at.is_(None), experiments.c.ended_at > moment, held_still),
        )
        .order_by(experiments.c.started_at.desc())
        .limit(1)
        .correlate(families)
        .scalar_subquery()
    )
    promoted = (
        select(arms.c.name)
        .join(promotions, promotions.c.arm_id == arms.c.arm_id)
        .where(promotions.c.at <= moment)
        .order_by(promotions.c.number.desc())
        .limit(1)
        .correlate(families)
        .scalar_subquery()
    )
    return func.coalesce(tried, promoted, literal(DEFAULT_ARM))
