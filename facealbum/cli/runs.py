"""`facealbum run`: the monthly job over all families."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, finish, open_world

if TYPE_CHECKING:
    from facealbum.steps.batch_progress import BatchProgress
    from facealbum.steps.context import Context
    from facealbum.storage.batches import Batch

app = typer.Typer(name="run", help="Start, watch and steer the monthly job over all families.", no_args_is_help=True)

Number = Annotated[int | None, typer.Argument(help="The run's number; without it the newest.", min=1)]

_WATCH_SECONDS = 2


@app.command("start")
def run_start(
    month: Annotated[str, typer.Option("--month", help="The last month to run, as 2026-10.")],
    arm: Annotated[str | None, typer.Option("--arm", help="Only this arm, or algorithm: constrained, hdbscan.")] = None,
    as_json: Json = False,
) -> None:
    """Run every month up to this one in all families; where that was begun already, go on with it."""
    from facealbum.domain.months import Month
    from facealbum.steps.batches import start_batch

    through = Month.parse(month)
    with open_world() as context:
        _go_on(context, start_batch(context, through, arm), as_json=as_json)


@app.command("list")
def run_list(as_json: Json = False) -> None:
    """Every run, the newest first."""
    from facealbum.steps.batch_progress import list_batches

    with open_world() as context:
        found = list_batches(context)
    if as_json:
        console.say_json([one.to_dict() for one in found])
        return
    rows = [
        (
            one.batch.number,
            str(one.batch.through),
            one.batch.arm,
            "ALARM" if one.alarms else one.batch.status,
            f"{one.batch.created_at:%Y-%m-%d}",
            one.done,
            one.failed,
            one.left,
            one.assigned,
            one.assigned + one.unassigned + one.failed_faces,
        )
        for one in found
    ]
    columns = ("run", "month", "arm", "status", "started", "done", "failed", "left", "assigned", "faces")
    console.table("", columns, rows)


@app.command("show")
def run_show(
    number: Number = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every 2 s until it ends.")] = False,
    as_json: Json = False,
) -> None:
    """How far a run is, what failed and why; the exit code is 3 if families failed or an alarm was raised."""
    from facealbum.steps.batch_progress import show_batch

    with open_world() as context:
        shown = show_batch(context, number)
        while watch and shown.batch.open:
            _say(shown, as_json=as_json)
            time.sleep(_WATCH_SECONDS)
            shown = show_batch(context, shown.batch.number)
    _say(shown, as_json=as_json)
    finish(problems=shown.has_problems)


@app.command("pause")
def run_pause(number: Number = None, as_json: Json = False) -> None:
    """Hand out no more families; what is being worked on is finished."""
    from facealbum.steps.batches import pause_batch

    _steer(pause_batch, number, as_json=as_json)


@app.command("cancel")
def run_cancel(number: Number = None, as_json: Json = False) -> None:
    """End a run where it is; what it did stays."""
    from facealbum.steps.batches import cancel_batch

    _steer(cancel_batch, number, as_json=as_json)


@app.command("resume")
def run_resume(number: Number = None, as_json: Json = False) -> None:
    """Go on with a paused run."""
    from facealbum.steps.batches import resume_batch

    with open_world() as context:
        _go_on(context, resume_batch(context, number), as_json=as_json)


@app.command("retry")
def run_retry(number: Number = None, as_json: Json = False) -> None:
    """Do the families again that failed."""
    from facealbum.steps.batches import retry_batch

    with open_world() as context:
        _go_on(context, retry_batch(context, number), as_json=as_json)


def _steer(change: "Callable[[Context, int | None], Batch]", number: int | None, *, as_json: bool) -> None:
    from facealbum.steps.batch_progress import show_batch

    with open_world() as context:
        shown = show_batch(context, change(context, number).number)
    _say(shown, as_json=as_json)


def _go_on(context: "Context", batch: "Batch", *, as_json: bool) -> None:
    """Give the run to the workers, or without a broker do it here; show how far it is."""
    from facealbum.steps.batch_progress import show_batch
    from facealbum.steps.batches import advance, work_through

    if context.settings.broker_url:
        advance(context)
    else:
        work_through(context, batch)
    shown = show_batch(context, batch.number)
    _say(shown, as_json=as_json)
    if shown.batch.open and context.settings.broker_url and not as_json:
        console.say("Workers go on with it; `facealbum run show --watch` tells how far they are")
    finish(problems=shown.has_problems)


def _say(shown: "BatchProgress", *, as_json: bool) -> None:
    if as_json:
        console.say_json(shown.to_dict())
        return
    batch = shown.batch
    console.say(f"Run {batch.number}, {batch.arm} arm through {batch.through}: {batch.status}")
    families = f"{count_of(shown.done, 'family', 'families')} done, {shown.failed} failed, {shown.left} left"
    pace = f"; {shown.per_minute:.0f} a minute" if shown.per_minute else ""
    left = f", {shown.minutes_left:.0f} minutes to go" if shown.left and shown.minutes_left is not None else ""
    console.say(f"{families}{pace}{left}")
    console.say(
        f"{count_of(shown.assigned, 'face')} with a person, {shown.unassigned} without,"
        f" {shown.failed_faces} in families that failed"
    )
    if batch.summary:
        _say_summary(batch.summary)
    console.show_problems(
        [
            *(f"ALARM: {alarm}" for alarm in shown.alarms),
            *(f"{count_of(one.families, 'family', 'families')}: {one.code}, {one.detail}" for one in shown.failures),
        ]
    )
    if shown.failed:
        console.say(f"When the reason is gone: facealbum run retry {batch.number}")


def _say_summary(summary: Mapping[str, Any]) -> None:
    coverage, broken = _share(summary["coverage"]), _share(summary["breakage"]["broken"])
    people = count_of(summary["persons_created"], "new person", "new people")
    done = f"{count_of(summary['runs'], 'month')} run, {people}, {count_of(summary['links'], 'link')}"
    idle = count_of(summary["families"]["up_to_date"], "family", "families")
    console.say(f"{coverage} of faces have a person, {broken} of labels broke; {done}; nothing new in {idle}")


def _share(rate: Mapping[str, Any]) -> str:
    if not rate["cases"]:
        return "0 of 0"
    return f"{rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%} of {rate['cases']})"
