"""`facealbum drift`: whether what analysis finds still looks like what it used to find."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, finish, open_world
from facealbum.errors import InvalidValueError

if TYPE_CHECKING:
    from eval.drift.report import DriftReport
    from facealbum.storage.drift import Baseline

app = typer.Typer(
    name="drift", help="See whether what analysis finds has changed, and which photos did it.", no_args_is_help=True
)

_COLUMNS = ("distribution", "n", "n before", "distance", "threshold", "")


@app.command("check")
def drift_check(
    month: Annotated[str, typer.Option("--month", help="The month to count and compare, as 2026-10.")],
    as_json: Json = False,
) -> None:
    """Count a month again and compare it; the exit code is 3 after an alarm."""
    from facealbum.domain.months import Month
    from facealbum.steps.drift import watch_month

    with open_world() as context:
        reports = watch_month(context, Month.parse(month))
    _say(reports, as_json=as_json)
    finish(problems=any(report.alarms for report in reports))


@app.command("show")
def drift_show(
    month: Annotated[str | None, typer.Option("--month", help="As 2026-10; without it the newest.")] = None,
    as_json: Json = False,
) -> None:
    """What the last check of a month found."""
    from facealbum.domain.months import Month
    from facealbum.steps.drift import load_drift

    with open_world() as context:
        reports = load_drift(context, Month.parse(month) if month else None)
    _say(reports, as_json=as_json)


@app.command("baseline")
def drift_baseline(
    first: Annotated[str | None, typer.Option("--from", help="The first quiet month, as 2026-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last one.")] = None,
    training: Annotated[
        Path | None,
        typer.Option("--training", help="The faces.csv of a training set instead.", exists=True, dir_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose what months are compared with from now on; without options, show it."""
    from facealbum.domain.months import Month
    from facealbum.steps.drift import choose_baseline, list_baselines
    from facealbum.steps.drift_training import choose_training

    if (first is None) != (last is None) or (first and training):
        raise InvalidValueError("give --from and --to, or --training alone, or nothing to see what there is")
    with open_world() as context:
        if first and last:
            found = choose_baseline(context, Month.parse(first), Month.parse(last))
        elif training:
            found = [choose_training(context, training)]
        else:
            found = list_baselines(context)
    if as_json:
        console.say_json([_value(one) for one in found])
        return
    rows = [(one.number, one.kind, one.analyzer_id, ", ".join(map(str, one.months))) for one in found]
    console.table("", ("baseline", "kind", "analyzer", "months"), rows)


def _value(one: "Baseline") -> dict[str, object]:
    return {
        "number": one.number,
        "analyzer": one.analyzer_id,
        "kind": one.kind,
        "months": [str(month) for month in one.months],
        "training": {key: counts.tolist() for key, counts in one.training.items()},
        "created_at": one.created_at,
    }


def _say(reports: "list[DriftReport]", *, as_json: bool) -> None:
    if as_json:
        console.say_json([report.to_dict() for report in reports])
        return
    if not reports:
        console.say("Nothing to compare: `facealbum drift check` needs a month with faces, and one before it")
    for report in reports:
        rows = [
            (
                one.distribution,
                sum(one.counts),
                sum(one.counts_before),
                f"{one.distance:.3f}",
                "" if one.threshold is None else f"{one.threshold:.3f}",
                "ALARM" if one.alarm else "not judged" if one.unjudged else "",
            )
            for one in report.changes
        ]
        console.table(f"{report.month} beside {report.what}", _COLUMNS, rows)
        for reason in sorted({one.unjudged for one in report.changes if one.unjudged}):
            console.say(f"not judged: {reason}")
        console.show_problems([f"ALARM: {alarm}" for alarm in report.alarms])
