"""`facealbum signals`: what other systems tell of families."""

from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, open_world, say_result

app = typer.Typer(
    name="signals", help="Take in what other systems tell of families, and show it by arm.", no_args_is_help=True
)


@app.command("import")
def signals_import(
    path: Annotated[Path, typer.Argument(metavar="CSV", help="family,external_id,kind,happened_at[,value]")],
    source: Annotated[str, typer.Option("--source", help="The system that tells it; its ids are unique there.")],
    as_json: Json = False,
) -> None:
    """Take in the rows that are new: all of them, or none if one is wrong."""
    from facealbum.steps.signals import import_signals

    with open_world() as context:
        taken = import_signals(context, path, source=source)
    text = f"{taken.new} new, {taken.known} known before, {taken.of_unknown_families} of families that are not here"
    say_result(asdict(taken), text, as_json=as_json)


@app.command("show")
def signals_show(
    month: Annotated[str | None, typer.Option("--month", help="Only this month, as 2026-10.")] = None,
    as_json: Json = False,
) -> None:
    """Rates for each served family by arm and month, how late they come, and what to mind."""
    from facealbum.domain.months import Month
    from facealbum.steps.signals import show_signals

    with open_world() as context:
        figures = show_signals(context, month=Month.parse(month) if month else None)
    if as_json:
        console.say_json(figures.to_dict())
        return
    rows = [
        (
            one.month if one.complete else f"{one.month} (incomplete)",
            one.arm,
            one.kind,
            one.signals,
            one.families,
            f"{one.estimate.value:.4g}" if one.estimate.value is not None else "",
            f"{one.estimate.low:.4g} to {one.estimate.high:.4g}" if isfinite(one.estimate.high) else "not known",
        )
        for one in figures.rates
    ]
    console.table("", ("month", "arm", "kind", "signals", "families", "a family", "95% interval"), rows)
    lags = [
        (one.source, one.kind, one.signals, *(f"{h:.1f}" for h in (one.median, one.p90, one.p95)))
        for one in figures.lags
    ]
    console.table("", ("source", "kind", "signals", "median hours late", "90%", "95%"), lags)
    for caveat in figures.caveats:
        console.say(f"- {caveat}")
