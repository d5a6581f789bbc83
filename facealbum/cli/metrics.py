"""`facealbum metrics`: what was measured, whether it left its limits, and which families and faces are behind it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, finish, open_world

if TYPE_CHECKING:
    from eval.metrics import Estimate
    from eval.metrics.control import TrackedMonth

app = typer.Typer(help="Measure albums without labels, and follow each rate to its faces.", no_args_is_help=True)
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
    if as_json:
        console.say_json(summary.to_dict())
        return
    chosen = [
        (key, one)
        for key, one in summary.estimates.items()
        if (key[1].startswith(f"{part}:") or key[1] == part if part else not key[1])
    ]
    rows = [
        (metric, *([name] if part else []), *_cells(one, share=METRICS[metric].share), METRICS[metric].better.value)
        for (metric, name), one in chosen
    ]
    columns = ("metric", *(["slice"] if part else []), "value", "95% interval", "total", "of", "families", "better")
    console.table(f"{summary.month} under the arm {summary.arm}", columns, rows)


@app.command("tracking")
def metrics_tracking(metric: Name = "breakage", arm: OfArm = None, part: Part = "", as_json: Json = False) -> None:
    """A metric month by month beside its control limits; the exit code is 3 if the newest month left them for worse."""
    from eval.metrics import METRICS
    from facealbum.steps.metrics import track_metric

    with open_world() as context:
        months = track_metric(context, metric, arm=arm, part=part)
    if as_json:
        console.say_json([month.to_dict() for month in months])
    else:
        share = METRICS[metric].share
        rows = [(str(one.point.month), *_cells(one.point.estimate, share=share), *_limits(one)) for one in months]
        columns = ("month", "value", "95% interval", "total", "of", "families", "limits", "", "model")
        console.table(f"{METRICS[metric].title}: {METRICS[metric].formula}", columns, rows)
    finish(problems=bool(months) and months[-1].worse)


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
    console.say(
        f"{METRICS[metric].title} went from {_written(change.before, share=share)} to"
        f" {_written(change.after, share=share)}, a change of {_written(change.value, share=share)}"
        f" ({_range(change.low, change.high, share=share)}) in {count_of(change.families, 'family', 'families')}"
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
    if as_json:
        console.say_json([{"family": str(one.family), "total": one.total, "cases": one.cases} for one in found])
        return
    console.table("", ("family", "total", "of"), [(one.family, one.total, one.cases) for one in found])


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
    from facealbum.errors import InvalidValueError

    try:
        return UUID(text)
    except ValueError:
        raise InvalidValueError(f"a family's id must be a UUID, as `metrics families` shows it; got {text!r}") from None


def _cells(one: "Estimate", *, share: bool) -> tuple[object, ...]:
    value = "" if one.value is None else _written(one.value, share=share)
    return value, _range(one.low, one.high, share=share), round(one.total, 1), round(one.cases, 1), one.families


def _limits(month: "TrackedMonth") -> tuple[str, str, str]:
    from eval.metrics import METRICS

    limits = ""
    if month.low is not None and month.high is not None:
        limits = _range(month.low, month.high, share=METRICS[month.metric].share)
    return limits, "ALARM" if month.worse else month.side.value, " and ".join(month.point.models)


def _range(low: float, high: float, *, share: bool) -> str:
    return f"{_written(low, share=share)} to {_written(high, share=share)}"


def _written(value: float, *, share: bool) -> str:
    return f"{value:.1%}" if share else f"{value:.2f}"
