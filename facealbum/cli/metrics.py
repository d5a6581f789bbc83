"""`facealbum metrics`: what was measured, whether it left its limits, and which families and faces are behind it."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, finish, open_world
from facealbum.errors import InvalidValueError

if TYPE_CHECKING:
    from eval.metrics import Estimate
    from eval.metrics.control import TrackedMonth
    from facealbum.steps.metrics import MonthSummary

app = typer.Typer(
    name="metrics", help="Measure albums without labels, and follow each rate to its faces.", no_args_is_help=True
)
slices = typer.Typer(help="Parts of all families that you name yourself.", no_args_is_help=True)
app.add_typer(slices, name="slices")

Name = Annotated[str, typer.Argument(help="The metric, as docs/metrics.md names it.", metavar="METRIC")]
OfArm = Annotated[str | None, typer.Option("--arm", help="The arm; without it the installation's.")]
OfMonth = Annotated[str, typer.Option("--month", help="The month, as 2026-10.")]
Part = Annotated[str, typer.Option("--slice", help="One slice, as age:0-2 or given:region=north.")]


@app.command("show")
def metrics_show(
    month: Annotated[str | None, typer.Option("--month", help="The month; without it the newest.")] = None,
    arm: OfArm = None,
    part: Annotated[str, typer.Option("--slice", help="The slices that begin so: age, gender, size, given.")] = "",
    as_json: Json = False,
) -> None:
    """Every metric of a month with its counts and 95% interval."""
    from eval.metrics import METRICS
    from facealbum.domain.months import Month
    from facealbum.steps.metrics import summarize_month

    with open_world() as context:
        summary = summarize_month(context, Month.parse(month) if month else None, arm=arm)
    if part:
        summary = _only(summary, part)
    if as_json:
        console.say_json(summary.to_dict())
        return
    rows = [
        (metric, name if part else METRICS[metric].better.value, *_cells(one, share=METRICS[metric].share))
        for (metric, name), one in summary.estimates.items()
        if part or not name
    ]
    columns = ("metric", "slice" if part else "better", "value", "95% interval", "total", "of", "families")
    console.table(f"{summary.month} under the arm {summary.arm}", columns, rows)


def _only(summary: "MonthSummary", part: str) -> "MonthSummary":
    """Of the slices that begin so, or of the one that is called so."""
    found = {key: one for key, one in summary.estimates.items() if part in {key[1], key[1].partition(":")[0]}}
    if not found:
        kinds = sorted({name.partition(":")[0] for _, name in summary.estimates if name})
        raise InvalidValueError(f"no slice of {summary.month} begins with {part!r}; there are {', '.join(kinds)}")
    return replace(summary, estimates=found)


@app.command("tracking")
def metrics_tracking(metric: Name = "breakage", arm: OfArm = None, part: Part = "", as_json: Json = False) -> None:
    """A metric month by month beside its control limits; the exit code is 3 if the newest month left them for worse."""
    from facealbum.steps.metrics import track_metric

    with open_world() as context:
        months = track_metric(context, metric, arm=arm, part=part)
    if not months:
        raise _nothing_measured(metric, part)
    if as_json:
        console.say_json([month.to_dict() for month in months])
    else:
        _say_months(metric, months)
    finish(problems=months[-1].worse)


def _say_months(metric: str, months: "Sequence[TrackedMonth]") -> None:
    """A row a month; the embedding models stand in the rows only if they changed."""
    from eval.metrics import METRICS

    share = METRICS[metric].share
    models = [" and ".join(one.point.models) for one in months]
    changed = len({*models}) > 1
    rows = [
        (str(one.point.month), *_cells(one.point.estimate, share=share), *_limits(one), *([model] if changed else []))
        for one, model in zip(months, models, strict=True)
    ]
    columns = (
        "month",
        "value",
        "95% interval",
        "total",
        "of",
        "families",
        "limits",
        "",
        *(["model"] if changed else []),
    )
    console.table(f"{METRICS[metric].title}: {METRICS[metric].formula}", columns, rows)
    if not changed:
        console.say(f"all by the embedding model {models[0]}")


def _nothing_measured(metric: str, part: str) -> InvalidValueError:
    of = f"{metric} in the slice {part}" if part else metric
    return InvalidValueError(f"nothing was measured of {of} there; `facealbum metrics show` tells what was")


@app.command("compare")
def metrics_compare(
    metric: Name,
    before: Annotated[str, typer.Option("--before", help="The month before the change, as 2026-09.")],
    after: Annotated[str, typer.Option("--after", help="The month after it; the same one to compare two arms.")],
    arm: OfArm = None,
    other: Annotated[str | None, typer.Option("--other-arm", help="The arm of the month after.")] = None,
    as_json: Json = False,
) -> None:
    """What a change of model or arm did to a metric, within the same families."""
    from eval.metrics import METRICS
    from facealbum.domain.months import Month
    from facealbum.steps.metrics import compare_months

    with open_world() as context:
        change = compare_months(
            context, metric, before=Month.parse(before), after=Month.parse(after), arm=arm, other=other
        )
    if as_json:
        console.say_json(change.to_dict())
        return
    share = METRICS[metric].share
    if change.before is None or change.after is None or change.value is None:
        console.say(f"{METRICS[metric].title} has no case in {before if change.before is None else after}")
        return
    ends = (
        " to ".join(_difference(end, share=share) for end in (change.low, change.high) if isfinite(end)) or "not known"
    )
    console.say(
        f"{METRICS[metric].title} went from {_written(change.before, share=share)} to"
        f" {_written(change.after, share=share)}, by {_difference(change.value, share=share)}"
        f" ({ends}) in {count_of(change.families, 'family', 'families')}"
    )


@app.command("families")
def metrics_families(
    metric: Name,
    month: OfMonth,
    arm: OfArm = None,
    part: Part = "",
    limit: Annotated[int, typer.Option("--limit", help="How many to show.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """The families behind a month's value, by id; those first that add most to what is not wanted."""
    from facealbum.domain.months import Month
    from facealbum.steps.metric_cases import list_families

    with open_world() as context:
        found = list_families(context, metric, Month.parse(month), arm=arm, part=part, limit=limit)
    if not found:
        raise _nothing_measured(metric, part)
    if as_json:
        console.say_json([{"family": str(one.family), "total": one.total, "cases": one.cases} for one in found])
        return
    console.table("", ("family", "total", "of"), [(one.family, _whole(one.total), _whole(one.cases)) for one in found])


@app.command("faces")
def metrics_faces(
    metric: Name,
    month: OfMonth,
    family: Annotated[str, typer.Option("--family-id", help="The family's id, as `metrics families` shows it.")],
    arm: OfArm = None,
    as_json: Json = False,
) -> None:
    """The persons and faces behind a family's count, by id, as the album is today."""
    from facealbum.domain.ids import FamilyId
    from facealbum.domain.months import Month
    from facealbum.steps.metric_cases import list_cases

    with open_world() as context:
        cases = list_cases(context, metric, Month.parse(month), FamilyId(_uuid(family)), arm=arm)
    if as_json:
        console.say_json([{"person": case.person_id, "faces": list(case.faces)} for case in cases])
        return
    rows = [(case.person_id or "nobody", face) for case in cases for face in case.faces]
    console.table("", ("person", "face"), rows)


@slices.command("import")
def slices_import(
    file: Annotated[Path, typer.Argument(help="A CSV with the columns family, name, value.", metavar="FILE")],
    as_json: Json = False,
) -> None:
    """Say to which parts families belong; every metric is then also told for each `given:name=value`."""
    from facealbum.steps.metric_cases import import_slices

    with open_world() as context:
        result = import_slices(context, file)
    if as_json:
        console.say_json({"rows": result.rows, "problems": list(result.problems)})
    else:
        console.say(f"{count_of(result.rows, 'row')} taken")
        console.show_problems(result.problems)
    finish(problems=bool(result.problems))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidValueError(f"a family's id must be a UUID, as `metrics families` shows it; got {text!r}") from None


def _cells(one: "Estimate", *, share: bool) -> tuple[object, ...]:
    value = "" if one.value is None else _written(one.value, share=share)
    return value, _range(one.low, one.high, share=share), _whole(one.total), _whole(one.cases), one.families


def _whole(count: float) -> float:
    """A count as it is read: 4, not 4.0."""
    return int(count) if count.is_integer() else round(count, 1)


def _limits(month: "TrackedMonth") -> tuple[str, str]:
    from eval.metrics import METRICS

    limits = ""
    if month.low is not None and month.high is not None:
        limits = _range(month.low, month.high, share=METRICS[month.metric].share)
    return limits, "ALARM" if month.worse else month.side.value


def _range(low: float, high: float, *, share: bool) -> str:
    if not isfinite(low) or not isfinite(high):
        return "not known"
    return f"{_written(low, share=share)} to {_written(high, share=share)}"


def _written(value: float, *, share: bool) -> str:
    return f"{value:.1%}" if share else f"{value:.2f}"


def _difference(value: float, *, share: bool) -> str:
    return f"{100 * value:+.1f} points" if share else f"{value:+.2f}"
