"""`facealbum eval compat` and `facealbum reembed`: measuring a change of embedding space, and making it possible."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, finish, open_world

if TYPE_CHECKING:
    from eval.compat import Check
    from facealbum.steps.compat import NumberedReport
    from facealbum.steps.context import Context
    from facealbum.steps.reembed import ReembeddingStatus

app = typer.Typer()
evaluation = typer.Typer(name="eval", help="Measure before a change.", no_args_is_help=True)
reembedding = typer.Typer(name="reembed", help="Embed every face again for another space.", no_args_is_help=True)
app.add_typer(evaluation)
app.add_typer(reembedding)

Space = Annotated[str, typer.Argument(help="A name that `facealbum models list` shows.", metavar="SPACE")]

_MEANS = {
    "hit_rate": "true pairs found at FAR 1 %, new against stored, less than old against old",
    "neighbours": "nearest faces kept, new among stored, less than among new",
    "centroids": "persons that stay nearest to themselves",
    "broken": "labels broken after the change, more than before",
}


@evaluation.callback()
def evaluation_options() -> None:
    """Measure before a change."""


@evaluation.command("compat")
def eval_compat(
    old: Space,
    new: Space,
    adapter: Annotated[str | None, typer.Option(help="Judge what this adapter makes of old vectors.")] = None,
    families: Annotated[int, typer.Option(help="Look at so many families at most.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Another seed draws other families.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """What albums would lose in another embedding space; the exit code is 3 if that is too much."""
    from facealbum.steps.compat import evaluate_change

    with open_world() as context:
        found = evaluate_change(context, old, new, adapter=adapter, families=families, seed=seed)
    if as_json:
        console.say_json(found.to_dict())
    else:
        _say_report(found)
    finish(problems=not found.report.passed)


def _say_report(found: "NumberedReport") -> None:
    report = found.report
    console.say(
        f"Report {found.number}, {report.source} to {report.target} by {report.remedy}:"
        f" {'passed' if report.passed else 'FAILED'}"
    )
    console.say(
        f"{count_of(report.faces, 'face')} of {count_of(report.persons, 'person')} in"
        f" {count_of(report.families, 'family', 'families')};"
        f" {report.true_pairs} true and {report.false_pairs} false pairs"
    )
    console.table("", ("check", "value", "95% interval", "limit", "cases", "", "what it is"), map(_row, report.checks))


def _row(check: "Check") -> Sequence[object]:
    interval = "" if check.low is None else f"{_number(check.low)} to {_number(check.high)}"
    limit = f"{'at least' if check.at_least else 'at most'} {check.limit:g}"
    verdict = "ok" if check.passed else "FAILED"
    return check.key, _number(check.value), interval, limit, check.cases, verdict, _MEANS[check.key]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


@reembedding.command("start")
def reembed_start(
    space: Space,
    rate: Annotated[float | None, typer.Option(help="At most so many faces a second, in each process.")] = None,
    families: Annotated[int | None, typer.Option(help="Pause after so many families.", min=1)] = None,
    accept: Annotated[
        bool, typer.Option("--accept-research-only", help="You use it for research and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give every face a vector of this space, from its stored original; where that was begun already, go on with it."""
    from facealbum.steps.reembed import start

    with open_world() as context:
        start(context, space, rate=rate, families=families, accept_research_only=accept)
        _go_on(context, as_json=as_json)


@reembedding.command("resume")
def reembed_resume(as_json: Json = False) -> None:
    """Go on with what was paused."""
    from facealbum.steps.reembed import resume

    with open_world() as context:
        resume(context)
        _go_on(context, as_json=as_json)


@reembedding.command("pause")
def reembed_pause(as_json: Json = False) -> None:
    """Begin no more photos."""
    from facealbum.steps.reembed import pause, show

    with open_world() as context:
        pause(context)
        _say(show(context), as_json=as_json)


@reembedding.command("status")
def reembed_status(as_json: Json = False) -> None:
    """How far it is; the exit code is 3 if faces can't be embedded again."""
    from facealbum.steps.reembed import show

    with open_world() as context:
        shown = show(context)
    _say(shown, as_json=as_json)
    finish(problems=bool(shown.left.lost))


def _go_on(context: "Context", *, as_json: bool) -> None:
    """Leave it to the workers, or without a broker do it here; show how far it is."""
    from facealbum.steps.reembed import show, work_through

    if not context.settings.broker_url:
        work_through(context)
    shown = show(context)
    _say(shown, as_json=as_json)
    finish(problems=bool(shown.left.lost))


def _say(shown: "ReembeddingStatus", *, as_json: bool) -> None:
    if as_json:
        console.say_json(shown.to_dict())
        return
    left, job = shown.left, shown.job
    pace = f"; {shown.per_second:.1f} faces a second" if shown.per_second else ""
    to_go = f", {shown.minutes_left:.0f} minutes to go" if left.incomplete and shown.minutes_left is not None else ""
    console.say(f"Embedding for {job.target}: {job.status}{pace}{to_go}")
    adapted = f", of which {left.adapted} have an adapter's meanwhile" if left.adapted else ""
    console.say(f"{count_of(left.true, 'face')} done, {left.incomplete} left{adapted}, {left.lost} impossible")
    console.show_problems([f"{count_of(faces, 'face')}: {code}, {detail}" for code, detail, faces in shown.reasons])
