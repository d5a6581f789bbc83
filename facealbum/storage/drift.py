"""What was counted for drift, what it is compared with, and what came of it; all under today's bins."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from eval.drift.attribution import Contribution
from eval.drift.counts import Counts, MonthCounts
from eval.drift.distributions import BINNING, DISTRIBUTIONS
from eval.drift.report import Change, DriftReport
from facealbum.domain.months import Month
from facealbum.storage.drift_schema import drift_baselines, drift_histograms, drift_results
from facealbum.storage.schema import analyzers

_ORDER = list(DISTRIBUTIONS)
_OF_TODAY = drift_histograms.c.binning == BINNING


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What an analyzer is compared with: quiet months, or the histograms int64[bins] of a training set."""

    number: int
    analyzer_id: int
    kind: str
    months: tuple[Month, ...]
    training: Mapping[str, Counts]
    created_at: datetime


def save_counts(connection: Connection, analyzer_id: int, counts: MonthCounts, *, now: datetime) -> None:
    """Put these in the place of what was counted before of the month and analyzer."""
    key = {"month": _day(counts.month), "analyzer_id": analyzer_id, "binning": BINNING}
    connection.execute(delete(drift_histograms).filter_by(**key))
    histograms = [(name, "", found) for name, found in counts.by_bucket.items()]
    histograms += [
        (name, group, found[None]) for name, groups in counts.by_group.items() for group, found in groups.items()
    ]
    rows = [
        {**key, "distribution": name, "group_name": group, "counts": found.tolist(), "counted_at": now}
        for name, group, found in histograms
    ]
    if rows:
        connection.execute(insert(drift_histograms), rows)


def load_counts(connection: Connection, analyzer_id: int, months: Iterable[Month]) -> list[MonthCounts]:
    """What was counted in these months, oldest first, without those that were not counted."""
    query = select(drift_histograms).where(
        drift_histograms.c.analyzer_id == analyzer_id,
        drift_histograms.c.month.in_([_day(month) for month in months]),
        _OF_TODAY,
    )
    by_bucket: dict[Month, dict[str, Counts]] = defaultdict(dict)
    by_group: dict[Month, dict[str, dict[str, Counts]]] = defaultdict(lambda: defaultdict(dict))
    for row in connection.execute(query):
        month, counts = _month(row.month), np.array(row.counts, np.int64)
        if row.group_name:
            by_group[month][row.distribution][row.group_name] = counts[0]
        else:
            by_bucket[month][row.distribution] = counts
    return [MonthCounts(month, by_bucket[month], by_group[month]) for month in sorted(by_bucket)]


def load_counted_months(connection: Connection, analyzer_id: int) -> list[Month]:
    """The months that were counted, oldest first."""
    query = select(drift_histograms.c.month).distinct().where(drift_histograms.c.analyzer_id == analyzer_id, _OF_TODAY)
    return [_month(one) for one in connection.execute(query.order_by(drift_histograms.c.month)).scalars()]


def load_counted_analyzers(connection: Connection, month: Month) -> list[int]:
    """The analyzers of which something was counted in the month."""
    query = select(drift_histograms.c.analyzer_id).distinct().where(drift_histograms.c.month == _day(month), _OF_TODAY)
    return list(connection.execute(query.order_by(drift_histograms.c.analyzer_id)).scalars())


def load_analyzer(connection: Connection, analyzer_id: int) -> tuple[str, dict[str, str]]:
    """Its digest, and its model versions by role."""
    row = connection.execute(select(analyzers).where(analyzers.c.analyzer_id == analyzer_id)).one()
    return row.digest, dict(row.models)


def save_baseline(
    connection: Connection,
    analyzer_id: int,
    kind: str,
    *,
    months: Sequence[Month] = (),
    training: Mapping[str, Counts] | None = None,
    now: datetime,
) -> Baseline:
    """The newest baseline of its kind from now on."""
    values = {
        "analyzer_id": analyzer_id,
        "kind": kind,
        "months": [_day(month) for month in months],
        "binning": BINNING,
        "histograms": {key: counts.tolist() for key, counts in training.items()} if training else None,
        "created_at": now,
    }
    statement = insert(drift_baselines).values(**values).returning(drift_baselines)
    return _baseline(connection.execute(statement).one())


def load_baselines(connection: Connection) -> list[Baseline]:
    """All of them, the newest first."""
    query = select(drift_baselines).where(drift_baselines.c.binning == BINNING)
    return [_baseline(row) for row in connection.execute(query.order_by(drift_baselines.c.number.desc()))]


def save_report(
    connection: Connection, analyzer_id: int, report: DriftReport, *, baseline: int | None, now: datetime
) -> None:
    """Put it in the place of an earlier one of the same month, analyzer and comparison."""
    key = {"month": _day(report.month), "analyzer_id": analyzer_id, "against": report.against}
    connection.execute(delete(drift_results).filter_by(**key))
    rows = [
        {
            **key,
            "distribution": one.distribution,
            "baseline": baseline,
            "distance": one.distance,
            "threshold": one.threshold,
            "alarm": one.alarm,
            "false_alarms": report.false_alarms,
            "counts": list(one.counts),
            "counts_before": list(one.counts_before),
            "groups": [group.to_dict() for group in one.groups],
            "unjudged": one.unjudged,
            "checked_at": now,
        }
        for one in report.changes
    ]
    if rows:
        connection.execute(insert(drift_results), rows)


def load_reports(connection: Connection, month: Month | None = None) -> list[DriftReport]:
    """Those of the month, or of the newest month that was checked."""
    newest = select(drift_results.c.month).order_by(drift_results.c.month.desc()).limit(1).scalar_subquery()
    query = (
        select(drift_results, analyzers.c.digest, analyzers.c.models, drift_baselines.c.months)
        .join(analyzers, analyzers.c.analyzer_id == drift_results.c.analyzer_id)
        .outerjoin(drift_baselines, drift_baselines.c.number == drift_results.c.baseline)
        .where(drift_results.c.month == (newest if month is None else _day(month)))
        .order_by(drift_results.c.analyzer_id, drift_results.c.against)
    )
    found: dict[tuple[int, str], list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.analyzer_id, row.against].append(row)
    return [_report(rows) for rows in found.values()]


def load_loud_months(connection: Connection, analyzer_id: int) -> set[Month]:
    """The months in which an alarm was raised against other months."""
    query = select(drift_results.c.month).where(
        drift_results.c.analyzer_id == analyzer_id, drift_results.c.alarm, drift_results.c.against != "training"
    )
    return {_month(one) for one in connection.execute(query).scalars()}


def _report(rows: Sequence[Any]) -> DriftReport:
    first = rows[0]
    month = _month(first.month)
    before = (month.before(),) if first.against == "before" else tuple(map(_month, first.months or ()))
    changes = tuple(
        Change(
            row.distribution,
            row.distance,
            row.threshold,
            tuple(row.counts),
            tuple(row.counts_before),
            tuple(Contribution.from_dict(group) for group in row.groups),
            row.unjudged,
        )
        for row in sorted(rows, key=lambda row: _ORDER.index(row.distribution))
    )
    return DriftReport(month, first.digest, dict(first.models), first.against, before, first.false_alarms, changes)


def _baseline(row: Any) -> Baseline:  # noqa: ANN401 - a row
    training = {key: np.array(counts, np.int64) for key, counts in (row.histograms or {}).items()}
    return Baseline(row.number, row.analyzer_id, row.kind, tuple(map(_month, row.months)), training, row.created_at)


def _day(month: Month) -> date:
    return month.start().date()


def _month(day: date) -> Month:
    return Month(day.year, day.month)
