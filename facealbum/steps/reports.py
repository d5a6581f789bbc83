"""Reports of figures: what is kept of an area becomes one HTML page and, if asked for, JSON of the same numbers.

The page of albums, with its faces, is `facealbum.steps.report`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from eval.metrics import METRICS
from eval.report.kinds.annotation import write_annotation
from eval.report.kinds.comparison import Comparison, Difference, Side, write_comparison
from eval.report.kinds.month import MonthHistory, SliceValue, write_month
from eval.report.paper import Paper
from eval.report.render_paper import render_paper
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps.annotation import estimate
from facealbum.steps.context import Context
from facealbum.steps.metrics import MonthSummary, compare_months, summarize_month, track_metric
from facealbum.steps.whole_file import check_place, whole_file


class Kind(StrEnum):
    """What a report is about."""

    MONTH = "month"
    COMPARISON = "comparison"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Subject:
    """What exactly; each kind needs some of these and takes no others."""

    months: tuple[Month, ...] = ()
    arms: tuple[str, ...] = ()
    sample: str | None = None


_TAKES: Mapping[Kind, Mapping[str, str]] = {
    Kind.MONTH: {"months": "at most one --month", "arms": "at most one --arm"},
    Kind.COMPARISON: {"months": "one --month or two", "arms": "one --arm or two"},
    Kind.ANNOTATION: {"sample": "--sample NAME"},
}
_NEEDED = {"sample"}


def write_figures(context: Context, out: Path, kind: Kind, subject: Subject, *, figures: Path | None = None) -> Paper:
    """Write the page to `out`, and its numbers to `figures`.

    Raises InvalidValueError for a subject that is missing, not of this kind or not there, and what the area's own step
    raises.
    """
    for path in (out, figures):
        if path is not None:
            check_place(path)
    _expect(kind, subject)
    paper = _WRITERS[kind](context, subject)
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
    every = (track_metric(context, metric, arm=summary.arm) for metric in METRICS)
    known = (tuple(month for month in months if month.point.month <= summary.month) for months in every)
    slices = (SliceValue(part, metric, one) for (metric, part), one in sorted(summary.estimates.items()) if part)
    families = max(one.families for one in summary.estimates.values())
    history = MonthHistory(summary.month, summary.arm, families, tuple(filter(None, known)), tuple(slices))
    return write_month(history, now=context.clock())


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
    models = {part.removeprefix("model:") for _, part in summary.estimates if part.startswith("model:")}
    return Side(summary.arm, summary.month, tuple(sorted(models)))


def _write_annotation(context: Context, subject: Subject) -> Paper:
    assert subject.sample is not None, "it was expected"  # noqa: S101
    return write_annotation(estimate(context, subject.sample), now=context.clock())


_WRITERS: Mapping[Kind, Callable[[Context, Subject], Paper]] = {
    Kind.MONTH: _write_month,
    Kind.COMPARISON: _write_comparison,
    Kind.ANNOTATION: _write_annotation,
}
