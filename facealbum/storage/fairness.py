"""How slices stand, the counts of families under two arms, and the mix of what drove links.

Nothing here names a family but `load_last_link`, which reads one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import ARRAY, Connection, Integer, Uuid, bindparam, cast, delete, func, insert, select, text

from eval.drift.counts import BUCKETS
from eval.fairness.gate import PairedSums
from eval.fairness.mix import EDGES, InputChange, MonthMix
from eval.fairness.slices import SliceStanding, Standing
from eval.metrics.estimates import Estimate
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.domain.months import Month
from facealbum.linking import Link, LinkPlan
from facealbum.storage.fairness_schema import fairness_slices, link_mixes
from facealbum.storage.metric_totals import ArmMonth, counts_by_slice
from facealbum.storage.schema import links, plans, runs


class InputMonth(NamedTuple):
    """An input in a month: the mean of what it adds to log odds, how many links, and what the check found."""

    month: Month
    input: str
    links: int
    mean: float
    distance: float | None
    threshold: float | None
    alarm: bool
    baseline: tuple[Month, ...]


def save_slices(connection: Connection, month: ArmMonth, found: Iterable[SliceStanding], *, now: datetime) -> None:
    """Have exactly these of the month."""
    key = {"arm_id": month.arm_id, "month": _day(month.month)}
    connection.execute(delete(fairness_slices).filter_by(**key))
    rows = [
        key
        | {"metric": one.metric, "slice": one.slice, "standing": one.standing.value, "computed_at": now}
        | {name: getattr(one.estimate, name) for name in ("families", "total", "cases", "low", "high", "level")}
        for one in found
    ]
    if rows:
        connection.execute(insert(fairness_slices), rows)


def load_slices(connection: Connection, arm_id: int, first: Month, last: Month) -> dict[Month, list[SliceStanding]]:
    """How slices stood in each of these months, by metric and slice."""
    columns = fairness_slices.c
    query = (
        select(fairness_slices)
        .where(columns.arm_id == arm_id, columns.month.between(_day(first), _day(last)))
        .order_by(columns.month, columns.metric, columns.slice)
    )
    found: dict[Month, list[SliceStanding]] = defaultdict(list)
    for row in connection.execute(query):
        value = row.total / row.cases if row.cases else None
        estimate = Estimate(value, row.low, row.high, row.total, row.cases, row.families, row.level)
        found[_month(row.month)].append(SliceStanding(row.metric, row.slice, estimate, Standing(row.standing)))
    return dict(found)


def load_newest_month(connection: Connection, arm_id: int) -> Month | None:
    """The newest month that has slices under the arm."""
    day = connection.execute(
        select(func.max(fairness_slices.c.month)).where(fairness_slices.c.arm_id == arm_id)
    ).scalar_one()
    return _month(day) if day else None


def sum_slices(connection: Connection, present: ArmMonth, candidate: ArmMonth, metric: str) -> dict[str, PairedSums]:
    """Of each slice, sums over the families that have cases under both arms; the database adds them up."""
    one, other = (counts_by_slice(month, metric).subquery() for month in (present, candidate))
    same = (one.c.family_id == other.c.family_id) & (one.c.slice == other.c.slice)
    columns = one.c.total, one.c.cases, other.c.total, other.c.cases
    pairs = [(i, j) for i in range(4) for j in range(i, 4)]
    changed = cast(one.c.total * other.c.cases != other.c.total * one.c.cases, Integer)
    query = select(
        one.c.slice,
        func.count(),
        func.sum(changed),
        *map(func.sum, columns),
        *(func.sum(columns[i] * columns[j]) for i, j in pairs),
    )
    found = {}
    for part, families, differ, *sums in connection.execute(query.join(other, same).group_by(one.c.slice)):
        squares = np.zeros((4, 4))
        for (i, j), value in zip(pairs, sums[4:], strict=True):
            squares[i, j] = squares[j, i] = value
        found[part] = PairedSums(np.array(sums[:4], np.float64), squares, families, differ)
    return found


def load_last_link(connection: Connection, family: FamilyId, arm_id: int, person: PersonId) -> Link | None:
    """The person's link as the family's newest run under the arm told it; None if it told none, or no run made it."""
    query = (
        select(plans.c.linking)
        .join(runs, (runs.c.family_id == plans.c.family_id) & (runs.c.run_id == plans.c.run_id))
        .join(links, links.c.family_id == runs.c.family_id)
        .where(runs.c.family_id == family, runs.c.arm_id == arm_id, runs.c.status == "done")
        .where(links.c.person_id == person, links.c.run_id.is_not(None))
        .order_by(runs.c.finished_at.desc(), runs.c.month.desc())
        .limit(1)
    )
    said = connection.execute(query).scalar_one_or_none()
    plan = LinkPlan.from_dict(said) if said else LinkPlan()
    return next((link for link in plan.links if link.person_id == person), None)


_MIX = text("""
    WITH newest AS (
        SELECT DISTINCT ON (r.family_id) r.family_id, p.linking
        FROM runs r JOIN plans p USING (family_id, run_id)
        WHERE r.family_id = ANY(:some) AND r.arm_id = :arm AND r.month = :month AND r.status = 'done'
        ORDER BY r.family_id, r.finished_at DESC, r.run_id DESC
    )
    SELECT input.key, get_byte(uuid_send(family_id), 0) >> :shift AS bucket,
           width_bucket(input.value::double precision, CAST(:edges AS double precision[])) AS bin,
           count(*), sum(input.value::double precision)
    FROM newest, jsonb_array_elements(linking->'links') link,
         jsonb_each_text(nullif(link->'inputs', 'null'::jsonb)) input
    WHERE input.key <> 'against'
    GROUP BY 1, 2, 3
""").bindparams(bindparam("some", type_=ARRAY(Uuid)))
_SHIFT = 8 - (BUCKETS.bit_length() - 1)  # what is left of an id's first byte is its family's bucket


def count_mix(connection: Connection, month: ArmMonth, some: Collection[FamilyId]) -> MonthMix:
    """What drove the links of these families, as the last run of the month told."""
    given = {"some": list(some), "arm": month.arm_id, "month": _day(month.month), "shift": _SHIFT, "edges": list(EDGES)}
    counts: dict[str, np.typing.NDArray[np.int64]] = defaultdict(lambda: np.zeros((BUCKETS, len(EDGES) + 1), np.int64))
    sums: dict[str, float] = defaultdict(float)
    for name, bucket, place, count, total in connection.execute(_MIX, given):
        counts[name][bucket, place] += count
        sums[name] += total
    return MonthMix(month.month, dict(counts), {name: sums[name] / int(counts[name].sum()) for name in counts})


def save_mix(
    connection: Connection,
    arm_id: int,
    mix: MonthMix,
    changes: Iterable[InputChange],
    *,
    baseline: Sequence[Month],
    now: datetime,
) -> None:
    """Have exactly this of the month, with what its comparison found."""
    key = {"arm_id": arm_id, "month": _day(mix.month)}
    connection.execute(delete(link_mixes).filter_by(**key))
    change_of = {one.input: one for one in changes}
    rows = []
    for name, counts in sorted(mix.counts.items()):
        change = change_of.get(name)
        rows.append(
            key
            | {"input": name, "counts": counts.tolist(), "links": int(counts.sum()), "mean": mix.means[name]}
            | {"distance": change.distance if change else None, "threshold": change.threshold if change else None}
            | {"alarm": change is not None and change.alarm, "baseline": [_day(one) for one in baseline]}
            | {"counted_at": now}
        )
    if rows:
        connection.execute(insert(link_mixes), rows)


def load_mixes(connection: Connection, arm_id: int, months: Iterable[Month]) -> list[MonthMix]:
    """What was counted in these months, oldest first, without those that were not."""
    query = select(link_mixes).where(
        link_mixes.c.arm_id == arm_id, link_mixes.c.month.in_([_day(month) for month in months])
    )
    rows: dict[Month, list[tuple[str, np.typing.NDArray[np.int64], float]]] = defaultdict(list)
    for row in connection.execute(query):
        rows[_month(row.month)].append((row.input, np.array(row.counts, np.int64), row.mean))
    return [
        MonthMix(month, {name: counts for name, counts, _ in of}, {name: mean for name, _, mean in of})
        for month, of in sorted(rows.items())
    ]


def load_input_months(connection: Connection, arm_id: int) -> list[InputMonth]:
    """Every month of every input, oldest first."""
    query = select(link_mixes).where(link_mixes.c.arm_id == arm_id).order_by(link_mixes.c.month, link_mixes.c.input)
    return [
        InputMonth(
            _month(row.month),
            row.input,
            row.links,
            row.mean,
            row.distance,
            row.threshold,
            row.alarm,
            tuple(map(_month, row.baseline)),
        )
        for row in connection.execute(query)
    ]


def _day(month: Month) -> date:
    return month.start().date()


def _month(day: date) -> Month:
    return Month(day.year, day.month)
