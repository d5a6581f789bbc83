"""Reports of figures: what is kept of an area becomes one HTML page and, if asked for, JSON of the same numbers.

The page of albums, with its faces, is `facealbum.steps.report`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path

from eval.compat import CompatReport
from eval.experiments import Plan, Verdict
from eval.metrics import METRICS
from eval.metrics.control import MonthPoint, TrackedMonth
from eval.metrics.control import Side as Where
from eval.report.charts import Faces
from eval.report.kinds.annotation import write_annotation
from eval.report.kinds.comparison import Comparison, Difference, Side, write_comparison
from eval.report.kinds.compatibility import write_compatibility
from eval.report.kinds.drift import write_drift
from eval.report.kinds.experiment import ExperimentFigures, LookBack, write_experiment
from eval.report.kinds.month import MonthHistory, SliceValue, write_month
from eval.report.paper import Paper, Section
from eval.report.render_paper import render_paper
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps.annotation import estimate
from facealbum.steps.context import Context
from facealbum.steps.drift import load_drift
from facealbum.steps.experiment_results import show_experiment
from facealbum.steps.metrics import MonthSummary, compare_months, summarize_month, track_metric
from facealbum.steps.report_faces import load_month_faces, load_wrong_items
from facealbum.steps.whole_file import check_place, whole_file
from facealbum.storage.compat_reports import load_compat_reports


class Kind(StrEnum):
    """What a report is about."""

    MONTH = "month"
    COMPARISON = "comparison"
    EXPERIMENT = "experiment"
    COMPATIBILITY = "compatibility"
    DRIFT = "drift"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Subject:
    """What exactly; each kind needs some of these and takes no others."""

    months: tuple[Month, ...] = ()
    arms: tuple[str, ...] = ()
    experiment: str = ""
    spaces: tuple[str, ...] = ()
    sample: str = ""


_TAKES: Mapping[Kind, Mapping[str, str]] = {
    Kind.MONTH: {"months": "at most one --month", "arms": "at most one --arm"},
    Kind.COMPARISON: {"months": "one --month or two", "arms": "one --arm or two"},
    Kind.EXPERIMENT: {"experiment": "--experiment NAME"},
    Kind.COMPATIBILITY: {"spaces": "--spaces OLD NEW"},
    Kind.DRIFT: {"months": "at most one --month"},
    Kind.ANNOTATION: {"sample": "--sample NAME"},
}
_NEEDED = {"experiment", "spaces", "sample"}


def write_figures(
    context: Context, out: Path, kind: Kind, subject: Subject, *, figures: Path | None = None, crops: bool = False
) -> Paper:
    """Write the page to `out`, and its numbers to `figures`; crops: with the faces behind a month or a sample.

    Raises InvalidValueError for a subject that is missing, not of this kind or not there, and what the area's own step
    raises.
    """
    for path in (out, figures):
        if path is not None:
            check_place(path)
    _expect(kind, subject)
    if crops and kind not in _FACES:
        raise InvalidValueError(f"faces can be shown of {' and '.join(_FACES)}, not of {kind}; leave --crops out")
    paper = _WRITERS[kind](context, subject)
    if crops:
        faces = Section("Faces", ("As the albums are today.",), tuple(_FACES[kind](context, subject)))
        paper = replace(paper, sections=(*paper.sections, faces))
    files = {out: render_paper(paper)}
    if figures is not None:
        files[figures] = json.dumps(paper.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    for path, text in files.items():
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
    return paper


def _expect(kind: Kind, subject: Subject) -> None:
    takes, given = _TAKES[kind], {field.name for field in fields(subject) if getattr(subject, field.name)}
    most = 2 if kind is Kind.COMPARISON else 1
    too_many = max(len(subject.months), len(subject.arms)) > most
    if given - takes.keys() or takes.keys() & _NEEDED - given or too_many:
        raise InvalidValueError(f"a report of kind {kind} takes {' and '.join(takes.values())}, and nothing else")


def _write_month(context: Context, subject: Subject) -> Paper:
    summary = _summarize(context, subject, 0)
    tracked = (_track(context, summary, metric) for metric in METRICS)
    slices = (SliceValue(part, metric, one) for (metric, part), one in sorted(summary.estimates.items()) if part)
    families = max(one.families for one in summary.estimates.values())
    history = MonthHistory(summary.month, summary.arm, families, tuple(filter(None, tracked)), tuple(slices))
    return write_month(history, now=context.clock())


def _track(context: Context, summary: MonthSummary, metric: str) -> tuple[TrackedMonth, ...]:
    """The metric up to the month, and the month itself even if too little is known of it to be tracked."""
    months = track_metric(context, metric, arm=summary.arm)
    known = tuple(one for one in months if one.point.month <= summary.month)
    if (metric, "") not in summary.estimates or (known and known[-1].point.month == summary.month):
        return known
    point = MonthPoint(summary.month, summary.estimates[metric, ""], _models(summary))
    return (*known, TrackedMonth(metric, point, Where.UNKNOWN, len(known)))


def _write_comparison(context: Context, subject: Subject) -> Paper:
    first, second = (_summarize(context, subject, place) for place in (0, 1))
    if (first.arm, first.month) == (second.arm, second.month):
        raise InvalidValueError(
            f"a comparison must be of two arms or two months, got {first.arm} in {first.month} twice;"
            " name another with --arm or --month"
        )
    differences = tuple(
        Difference(
            metric,
            first.estimates[metric, ""],
            second.estimates[metric, ""],
            compare_months(context, metric, before=first.month, after=second.month, arm=first.arm, other=second.arm),
        )
        for metric in METRICS
        if (metric, "") in first.estimates.keys() & second.estimates.keys()
    )
    return write_comparison(Comparison(_side(first), _side(second), differences), now=context.clock())


def _summarize(context: Context, subject: Subject, place: int) -> MonthSummary:
    """The month and arm at this place, or the last that was given."""
    month = subject.months[: place + 1][-1] if subject.months else None
    arm = subject.arms[: place + 1][-1] if subject.arms else None
    return summarize_month(context, month, arm=arm)


def _side(summary: MonthSummary) -> Side:
    return Side(summary.arm, summary.month, _models(summary))


def _models(summary: MonthSummary) -> tuple[str, ...]:
    """The embedding models that had a part in the month."""
    models = {part.removeprefix("model:") for _, part in summary.estimates if part.startswith("model:")}
    return tuple(sorted(models))


def _write_annotation(context: Context, subject: Subject) -> Paper:
    return write_annotation(estimate(context, subject.sample), now=context.clock())


def _write_experiment(context: Context, subject: Subject) -> Paper:
    shown = show_experiment(context, subject.experiment)
    found = shown.experiment
    figures = ExperimentFigures(
        name=found.name,
        mode=found.mode,
        status=found.status,
        control=found.control.name,
        plan=Plan.from_dict(found.plan),
        families=shown.assigned,
        verdicts={arm: Verdict.from_dict(verdict) for arm, verdict in shown.verdicts.items()},
        before=tuple(LookBack(one.arm, one.months, one.effect, one.p) for one in shown.before),
    )
    return write_experiment(figures, now=context.clock())


def _write_compatibility(context: Context, subject: Subject) -> Paper:
    old, new = subject.spaces
    with context.database.begin() as transaction:
        found = load_compat_reports(transaction, old, new)
    if not found:
        raise InvalidValueError(
            f"nobody has measured the change from {old} to {new}; do: facealbum eval compat {old} {new}"
        )
    return write_compatibility([CompatReport.from_dict(one.report) for one in found], now=context.clock())


def _write_drift(context: Context, subject: Subject) -> Paper:
    month = next(iter(subject.months), None)
    found = load_drift(context, month)
    if not found:
        raise InvalidValueError(f"drift was not checked{f' in {month}' if month else ''}; do: facealbum drift check")
    return write_drift(found, now=context.clock())


_WRITERS: Mapping[Kind, Callable[[Context, Subject], Paper]] = {
    Kind.MONTH: _write_month,
    Kind.COMPARISON: _write_comparison,
    Kind.EXPERIMENT: _write_experiment,
    Kind.COMPATIBILITY: _write_compatibility,
    Kind.DRIFT: _write_drift,
    Kind.ANNOTATION: _write_annotation,
}

_FACES: Mapping[Kind, Callable[[Context, Subject], Iterator[Faces]]] = {
    Kind.MONTH: lambda context, subject: load_month_faces(context, _summarize(context, subject, 0)),
    Kind.ANNOTATION: lambda context, subject: load_wrong_items(context, subject.sample),
}
