"""Sums of a month's counts over all families, by slice, as the database adds them up, and the totals kept of them.

No family's row is read into memory, unless so few families are in a slice that they are to be drawn again one by one.
Totals name no family, and stay when families are deleted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    delete,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert

from eval.metrics.definitions import Better
from eval.metrics.estimates import Array, Estimate, FamilyCount, Sums
from eval.metrics.slices import (
    EVERYTHING,
    FAR_SIBLINGS,
    HISTORIES,
    HISTORY_MONTHS,
    NEAR_DAYS,
    NEAR_SIBLINGS,
    NO_SIBLINGS,
    size_slice,
)
from facealbum.domain.months import Month
from facealbum.storage.metric_schema import family_metrics, family_slices, metric_totals
from facealbum.storage.schema import arms, children, photos

_ROW = "family_id", "metric", "slice", "total", "cases"
_LOCK = 0x746F_7461  # "tota": any fixed number that nobody else takes an advisory lock on
_LARGE = 5  # children from which families are of one size

Key: TypeAlias = tuple[str, str]
"""Metric and slice."""


class ArmMonth(NamedTuple):
    """A month under an arm."""

    arm_id: int
    month: Month


@dataclass(frozen=True, slots=True)
class Total:
    """A metric over all families of a slice in one month."""

    month: Month
    metric: str
    slice: str
    estimate: Estimate


def lock_totals(connection: Connection) -> None:
    """Wait until nobody else adds months up; held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def load_fresh_months(connection: Connection, *, since: datetime, through: Month) -> list[ArmMonth]:
    """The months up to `through` in which any family was measured since then, by arm; one probe of the index each."""
    found = []
    for arm_id in connection.execute(select(arms.c.arm_id).order_by(arms.c.arm_id)).scalars().all():
        mine = family_metrics.c.arm_id == arm_id
        first = connection.execute(select(func.min(family_metrics.c.month)).where(mine)).scalar_one()
        for month in Month(first.year, first.month).through(through) if first else ():
            newest = select(func.max(family_metrics.c.computed_at)).where(mine, family_metrics.c.month == _day(month))
            computed = connection.execute(newest).scalar_one()
            if computed is not None and computed >= since:
                found.append(ArmMonth(arm_id, month))
    return found


def sum_month(connection: Connection, month: ArmMonth) -> dict[Key, Sums]:
    """The sums over all families that have a case or a total, by metric and slice."""
    return sum_counts(connection, _rows(month))


def sum_counts(connection: Connection, rows: FromClause) -> dict[Key, Sums]:
    """The same of any rows of metric, slice, total and cases, one for each family."""
    t, c = rows.c.total, rows.c.cases
    query = select(
        rows.c.metric,
        rows.c.slice,
        *(func.count(), func.sum(t), func.sum(c), func.sum(t * t), func.sum(t * c), func.sum(c * c)),
        *(func.bool_and(t <= c), func.sum(cast(t > 0, Integer)), func.sum(cast(t < c, Integer))),
    ).group_by(rows.c.metric, rows.c.slice)
    return {(metric, part): _sums(*sums) for metric, part, *sums in connection.execute(query)}


def counts_by_slice(month: ArmMonth, metric: str) -> Select[Any]:
    """family_id, slice, total and cases of each family under each of its slices."""
    rows = _rows(month)
    return select(rows.c.family_id, rows.c.slice, rows.c.total, rows.c.cases).where(rows.c.metric == metric)


def load_pairs(
    connection: Connection, month: ArmMonth, keys: Collection[Key]
) -> dict[Key, tuple[Array, NDArray[np.int64]]]:
    """The distinct totals and cases of these metrics and slices, float64[n, 2], and how many families have each."""
    if not keys:
        return {}
    rows = _rows(month)
    columns = (rows.c.metric, rows.c.slice, rows.c.total, rows.c.cases)
    query = select(*columns, func.count()).where(tuple_(rows.c.metric, rows.c.slice).in_(keys)).group_by(*columns)
    found: dict[Key, list[tuple[float, float, int]]] = defaultdict(list)
    for metric, part, *pair in connection.execute(query.order_by(*columns)):
        found[metric, part].append(tuple(pair))
    return {
        key: (np.array([pair[:2] for pair in pairs], np.float64), np.array([pair[2] for pair in pairs], np.int64))
        for key, pairs in found.items()
    }


def load_family_counts(  # noqa: PLR0913 - what is asked for, and which part of it
    connection: Connection,
    month: ArmMonth,
    metric: str,
    part: str,
    *,
    best: Better,
    after: tuple[float, UUID] | None = None,
    limit: int,
) -> list[FamilyCount]:
    """The families of a slice, those first that add most to what is not wanted of the metric, negated in `after`."""
    rows = _rows(month)
    bad = rows.c.cases - rows.c.total if best is Better.HIGHER else rows.c.total
    query = (
        select(rows.c.family_id, rows.c.total, rows.c.cases)
        .where(rows.c.metric == metric, rows.c.slice == part)
        .order_by(-bad, rows.c.family_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(-bad, rows.c.family_id) > tuple_(*after))
    return [FamilyCount(*row) for row in connection.execute(query)]


def save_totals(
    connection: Connection, batch: int, month: ArmMonth, totals: Iterable[tuple[Key, Estimate]], *, now: datetime
) -> None:
    """Have exactly these totals of the month, as this batch found them."""
    key = {"batch": batch, "arm_id": month.arm_id, "month": _day(month.month)}
    connection.execute(delete(metric_totals).where(*(metric_totals.c[name] == value for name, value in key.items())))
    rows = [
        key
        | {"metric": metric, "slice": part, "computed_at": now, "level": one.level, "families": one.families}
        | {"total": one.total, "cases": one.cases, "low": one.low, "high": one.high}
        for (metric, part), one in totals
    ]
    if rows:
        connection.execute(insert(metric_totals), rows)


def load_totals(
    connection: Connection,
    arm: str,
    *,
    month: Month | None = None,
    metric: str | None = None,
    part: str | None = None,
    first: bool = False,
) -> list[Total]:
    """The newest totals of each month, metric and slice under the arm, in this order; all, or those that are named.

    first: the oldest instead, before late photos made the month grow.
    """
    computed = metric_totals.c.computed_at
    wanted = {"month": _day(month) if month else None, "metric": metric, "slice": part}
    query = (
        select(metric_totals)
        .ext(distinct_on(metric_totals.c.month, metric_totals.c.metric, metric_totals.c.slice))
        .where(
            metric_totals.c.arm_id == select(arms.c.arm_id).where(arms.c.name == arm).scalar_subquery(),
            *(metric_totals.c[name] == value for name, value in wanted.items() if value is not None),
        )
        .order_by(
            *(metric_totals.c[name] for name in ("month", "metric", "slice")), computed if first else computed.desc()
        )
    )
    return [
        Total(
            Month(row.month.year, row.month.month),
            row.metric,
            row.slice,
            Estimate(
                row.total / row.cases if row.cases else None,
                *(row.low, row.high, row.total, row.cases, row.families, row.level),
            ),
        )
        for row in connection.execute(query)
    ]


def load_newest_month(connection: Connection, arm: str) -> Month | None:
    """The newest month that has totals under the arm."""
    query = select(func.max(metric_totals.c.month)).join(arms, arms.c.arm_id == metric_totals.c.arm_id)
    day = connection.execute(query.where(arms.c.name == arm)).scalar_one()
    return Month(day.year, day.month) if day else None


def sum_change(connection: Connection, before: ArmMonth, after: ArmMonth, metric: str) -> tuple[Array, Array, int]:
    """What `eval.metrics.change.estimate_change` needs of the families in either month: sums, squares, families."""
    sides = [
        select(family_metrics.c.family_id, family_metrics.c.total, family_metrics.c.cases)
        .where(_in_month(one), family_metrics.c.metric == metric, family_metrics.c.slice == EVERYTHING)
        .subquery()
        for one in (before, after)
    ]
    joined = sides[0].join(sides[1], sides[0].c.family_id == sides[1].c.family_id, full=True)
    columns = [func.coalesce(side.c[name], 0.0) for side in sides for name in ("total", "cases")]
    pairs = [(i, j) for i in range(4) for j in range(i, 4)]
    query = select(
        func.count(), *map(_total, columns), *(_total(columns[i] * columns[j]) for i, j in pairs)
    ).select_from(joined)
    families, *sums = connection.execute(query).one()
    squares = np.zeros((4, 4))
    for (i, j), value in zip(pairs, sums[4:], strict=True):
        squares[i, j] = squares[j, i] = value
    return np.array(sums[:4]), squares, families


def _sums(families: int, *sums: Any) -> Sums:  # noqa: ANN401 - numbers and a truth value
    t, c, tt, tc, cc, share, touched, spared = sums
    if not share:  # hits and misses say nothing of a mean
        touched = spared = families
    return Sums(families, t, c, tt, tc, cc, share, touched, spared)


def _rows(month: ArmMonth) -> CTE:
    """family_id, metric, slice, total and cases of each family's month, under each slice that it belongs to."""
    counts = family_metrics.c
    own = select(counts.family_id, counts.metric, counts.slice, counts.total, counts.cases, counts.model)
    whole = own.where(_in_month(month), counts.slice == EVERYTHING).cte()
    families = _families(whole, month.month)
    given = "given:" + family_slices.c.name + "=" + family_slices.c.value
    parts = [
        select(*(counts[name] for name in _ROW)).where(_in_month(month)),
        _as(whole, "model:" + whole.c.model),
        *(
            _as(whole, families.c[part]).join(families, families.c.family_id == whole.c.family_id)
            for part in ("size", "siblings", "history")
        ),
        _as(whole, given).select_from(whole.join(family_slices, family_slices.c.family_id == whole.c.family_id)),
    ]
    every = union_all(*parts).subquery()
    return select(every).where((every.c.total != 0) | (every.c.cases != 0)).cte()


def _families(whole: CTE, month: Month) -> CTE:
    """family_id and its slices by number and births of its children, and by its months since its first photo."""
    before = func.lag(children.c.birth_date).over(partition_by=children.c.family_id, order_by=children.c.birth_date)
    births = select(children.c.family_id, (children.c.birth_date - before).label("gap")).subquery()
    registered = (
        select(births.c.family_id, func.count().label("children"), func.min(births.c.gap).label("gap"))
        .group_by(births.c.family_id)
        .cte()
    )
    number = func.coalesce(registered.c.children, 0)
    mine = select(whole.c.family_id).distinct().subquery()
    first = select(func.min(photos.c.taken_at)).where(photos.c.family_id == mine.c.family_id).scalar_subquery()
    since = func.age(month.next().start(), first)
    months = func.coalesce(func.extract("year", since) * 12 + func.extract("month", since), 0)
    return (
        select(
            mine.c.family_id,
            case(*((number == one, size_slice(one)) for one in range(_LARGE)), else_=size_slice(_LARGE)).label("size"),
            case(
                (registered.c.gap.is_(None), NO_SIBLINGS),
                (registered.c.gap < NEAR_DAYS, NEAR_SIBLINGS),
                else_=FAR_SIBLINGS,
            ).label("siblings"),
            case(
                *((months < last, name) for last, name in zip(HISTORY_MONTHS, HISTORIES, strict=False)),
                else_=HISTORIES[-1],
            ).label("history"),
        )
        .outerjoin(registered, registered.c.family_id == mine.c.family_id)
        .cte()
    )


def _as(rows: CTE, part: ColumnElement[str]) -> Select[Any]:
    return select(rows.c.family_id, rows.c.metric, part.label("slice"), rows.c.total, rows.c.cases)


def _in_month(month: ArmMonth) -> ColumnElement[bool]:
    return and_(family_metrics.c.arm_id == month.arm_id, family_metrics.c.month == _day(month.month))


def _total(column: ColumnElement[float]) -> ColumnElement[float]:
    return func.coalesce(func.sum(cast(column, Float(53))), literal(0.0))


def _day(month: Month) -> date:
    return month.start().date()
