"""`facealbum pipelines`: train models from data to the registry, look at runs, and export them for a cluster."""

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, open_world, say_result
from facealbum.errors import InvalidValueError
from facealbum.settings import load_settings

if TYPE_CHECKING:
    from facealbum.pipelines.run import Finished
    from facealbum.pipelines.runs import RunRecord

app = typer.Typer(
    name="pipelines", help="Train models from data to the registry; every run is on record.", no_args_is_help=True
)

Data = Annotated[
    str, typer.Option("--data", help="confirmed, the families' own albums, or bench:FOLDER.", metavar="SOURCE")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="A parameter of the training.", metavar="NAME=VALUE")]
Seed = Annotated[int, typer.Option("--seed", help="Another seed gives another model.", min=0)]
Name = Annotated[str, typer.Argument(help="A training.", metavar="NAME")]


@app.command("run")
def pipelines_run(
    names: Annotated[list[str], typer.Argument(help="Trainings, one after the other.", metavar="NAME...")],
    data: Data = "confirmed",
    chosen: Set = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Collect, split, train, evaluate, plot and register; a run that was cut short goes on, what is known is kept."""
    from facealbum.pipelines.run import run_training
    from facealbum.pipelines.training import load_training

    trainings = [load_training(name) for name in names]
    with open_world() as context:
        done = [run_training(context, one, source=data, chosen=_values(chosen), seed=seed) for one in trainings]
    if as_json:
        console.say_json([_plain(finished) for finished in done])
        return
    for finished in done:
        _say_finished(finished)


@app.command("list")
def pipelines_list(
    training: Annotated[str | None, typer.Option("--training", help="Only runs of this one.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """The runs on record, newest first."""
    from facealbum.pipelines.runs import list_runs

    found, _ = list_runs(load_settings(), training=training, limit=limit)
    if as_json:
        console.say_json([asdict(run) for run in found])
        return
    rows = [
        (run.run, run.training, run.status, f"{run.started_at:%Y-%m-%d %H:%M}", run.source, _model(run))
        for run in found
    ]
    console.table("", ("run", "training", "status", "started", "data", "model"), rows)


@app.command("show")
def pipelines_show(
    run: Annotated[str, typer.Argument(help="A run that `facealbum pipelines list` shows.", metavar="RUN")],
    as_json: Json = False,
) -> None:
    """What a run was given, did, measured and logged."""
    from facealbum.pipelines.runs import read_run

    whole = read_run(load_settings(), run)
    found = whole.record
    if as_json:
        known = {"figures": whole.figures, "plots": whole.plots, "log": whole.log, "mlflow": whole.mlflow}
        console.say_json({**asdict(found), **known})
        return
    console.say(f"{found.training}, {found.status}, code {found.code_version}, data {found.source} {found.data or ''}")
    if found.failure:
        console.say(f"ended by {found.failure}")
    console.table("", ("parameter", "value"), sorted(found.parameters.items()))
    console.table("", ("metric", "value"), [(name, f"{value:.4f}") for name, value in sorted(found.metrics.items())])
    rows = [(name, step["seconds"], "before" if step["cached"] else "") for name, step in found.steps.items()]
    console.table("", ("step", "seconds", "done"), rows)
    console.say(whole.log.rstrip("\n"))


@app.command("export")
def pipelines_export(
    name: Name,
    out: Annotated[Path, typer.Argument(help="The document to write.", metavar="OUT.yaml", dir_okay=False)],
    image: Annotated[str, typer.Option(help="The image that has facealbum in it.")] = "facealbum",
) -> None:
    """Write a training as a document of Kubeflow Pipelines 2, which runs the same steps on a cluster."""
    from facealbum.pipelines.export import export_pipeline
    from facealbum.pipelines.training import load_training

    export_pipeline(load_training(name), out, address=name, image=image)
    console.say(f"{name} is written to {out}")


@app.command("step")
def pipelines_step(  # noqa: PLR0913, PLR0917 - typer's options
    name: Name,
    step: Annotated[str, typer.Argument(help="collect, split, train, evaluate, plot or register.", metavar="STEP")],
    out: Annotated[Path, typer.Option("--out", help="A new folder for what there is behind it.", file_okay=False)],
    before: Annotated[
        Path | None, typer.Option("--before", help="What the step before gave.", exists=True, file_okay=False)
    ] = None,
    data: Data = "confirmed",
    chosen: Set = None,
    seed: Seed = 0,
) -> None:
    """Run one step alone, as a component of an exported pipeline does."""
    from facealbum.pipelines.single import Inputs, run_step
    from facealbum.pipelines.training import load_training

    inputs = Inputs(data, _values(chosen), seed, before)
    with open_world() as context:
        run_step(context, load_training(name), step, inputs=inputs, out=out, log=console.say)


@app.command("loop")
def pipelines_loop(
    out: Annotated[Path, typer.Argument(help="The folder for the reports.", metavar="OUT", file_okay=False)],
    data: Data = "confirmed",
    through: Annotated[str | None, typer.Option("--through", help="The last month, as 2026-10.")] = None,
    accept: Annotated[
        bool, typer.Option("--accept-research-only", help="You use it for research and nothing else.")
    ] = False,
    months: Annotated[int, typer.Option("--months", help="How many months the shadow compares.", min=1, max=36)] = 12,
    as_json: Json = False,
) -> None:
    """Train calibrator and embedding head, try them in the shadow, report, promote what may be, and take it back."""
    from facealbum.domain.months import Month
    from facealbum.pipelines.loop import run_loop
    from facealbum.steps.releases import Wish

    with open_world() as context:
        last = Month.parse(through) if through else Month.of(context.clock()).before()
        wish = Wish(reason="the model loop", accept=accept, months=months)
        tried = run_loop(context, wish, source=data, through=last, out=out)
    if as_json:
        console.say_json([asdict(one) for one in tried])
    for one in tried if not as_json else ():
        console.say(f"{one.model}: trained in run {one.run}, tried in {one.experiment}, report {one.report}")
        console.say(f"  refused: {one.refused}" if one.refused else f"  promoted and taken back; {one.serves} serves")


@app.command("prune")
def pipelines_prune(
    days: Annotated[int, typer.Option("--days", help="What nobody used for so long.", min=0)] = 30,
    as_json: Json = False,
) -> None:
    """Remove what steps left and no run has used for a while; models and records stay."""
    from facealbum.steps.snapshots import open_outputs, sweep_outputs

    with open_world() as context:
        removed = sweep_outputs(context)
        removed += open_outputs(context.settings).prune(context.clock() - timedelta(days=days))
    say_result({"removed": removed}, f"{count_of(removed, 'output')} removed", as_json=as_json)


def _values(words: list[str] | None) -> dict[str, str]:
    words = words or []
    found = dict(word.partition("=")[::2] for word in words)
    if not all("=" in word for word in words):
        raise InvalidValueError(f"a parameter is set as NAME=VALUE, got {', '.join(words)}")
    return found


def _plain(finished: "Finished") -> dict[str, object]:
    model = finished.model
    metrics = json.loads(Path(finished.outputs["evaluate"].folder, "metrics.json").read_bytes())
    known = {"run": finished.run, "model": model.model_id, "name": model.label, "kind": model.kind}
    return {**known, "sha256": model.sha256, "data": model.snapshot, "cached": finished.cached, "metrics": metrics}


def _say_finished(finished: "Finished") -> None:
    result = _plain(finished)
    console.say(f"{finished.model.kind} {finished.model.label} is registered; the run is {finished.run}")
    if finished.cached:
        console.say(f"done before: {', '.join(finished.cached)}")
    metrics = result["metrics"]
    assert isinstance(metrics, dict)  # noqa: S101 - as trainings write them
    rows = [
        (
            name,
            _interval(metric),
            _interval(metric["baseline"]),
            _interval(metric["difference"]),
            metric["n"],
            _word(metric),
        )
        for name, metric in metrics.items()
    ]
    console.table("", ("metric", "value", "baseline", "difference", "n", "better"), rows)


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _word(metric: dict[str, object]) -> str:
    words: dict[object, str] = {True: "yes", False: "no"}
    return words.get(metric["better"], "can't tell")


def _model(run: "RunRecord") -> str:
    return "" if run.model is None else str(run.model)
