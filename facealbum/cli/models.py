"""`facealbum models`: what there is, and installing, choosing, checking and removing an embedder."""

from dataclasses import asdict
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli import releases
from facealbum.cli.command import Exit, Json, open_world, say_result
from facealbum.settings import load_settings

app = typer.Typer(
    name="models", help="List embedders, install others, choose the one to work with.", no_args_is_help=True
)
app.add_typer(releases.app)

Name = Annotated[str, typer.Argument(help="A name that `facealbum models list` shows.", metavar="NAME")]

_MEGABYTE = 1_000_000
_WIDE = 100  # columns of a terminal that has room for what a model is


@app.command("list")
def models_list(as_json: Json = False) -> None:
    """Every embedder that is packaged or can be installed, with its licence."""
    from facealbum.steps.models import list_models

    with open_world() as context:
        found = list_models(context)
    if as_json:
        console.say_json([asdict(model) for model in found])
        return
    wide = console.out.width >= _WIDE
    rows = [
        (
            model.name,
            model.state,
            model.stage or "",
            "" if model.bytes is None else round(model.bytes / _MEGABYTE),
            "research only" if model.research_only else "any use",
            model.licence,
            model.about,
        )
        for model in found
    ]
    columns = ("name", "state", "stage", "MB", "for", "licence", "what it is")
    console.table("", columns if wide else columns[:-1], rows if wide else [row[:-1] for row in rows])


@app.command("install")
def models_install(
    name: Name,
    place: Annotated[
        str | None, typer.Option("--from", help="Fetch it from this file or URL.", metavar="FILE|URL")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="The checksum of a file that the catalogue can't pin.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch an embedder, check it, and keep it in the data folder; a fetch cut short goes on where it stopped."""
    from facealbum.steps.models import install_model

    with console.transfer_bar(name) as report:
        spec = install_model(load_settings(), name, report=report, place=place, sha256=sha256)
    file = spec.backbones[0].model.file
    result = {"name": name, "file": file, "licence": spec.licence, "research_only": spec.research_only}
    only = ", for research only" if spec.research_only else ""
    text = (
        f"{name} is installed as {file}; its licence is {spec.licence}{only}\nWork with it: facealbum models use {name}"
    )
    say_result(result, text, as_json=as_json)


@app.command("use")
def models_use(
    name: Name,
    accept: Annotated[
        bool, typer.Option("--accept-research-only", help="You use it for research and nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Choose the embedder that this database works with."""
    from facealbum.steps.releases import use_model

    with open_world() as context:
        choice = use_model(context, name, accept_research_only=accept)
    text = f"this database works with {choice.name} from now on; its licence is {choice.licence}"
    if choice.waits:
        text = f"{choice.name} waits for another user to ask for the same: facealbum models promote {choice.name}"
    elif choice.lacking:
        text += f"\n{choice.lacking} faces are left for it to embed itself: facealbum reembed start {name}"
    else:
        text += "\nevery face is in its space already: facealbum cluster goes on from there"
    say_result(asdict(choice), text, as_json=as_json)


@app.command("verify")
def models_verify(
    name: Annotated[str | None, typer.Argument(help="Only this one.", metavar="NAME")] = None, as_json: Json = False
) -> None:
    """Read every model file that is here and hold it against its checksum."""
    from facealbum.steps.models import check_models

    checks = check_models(load_settings(), name)
    if as_json:
        console.say_json([asdict(check) for check in checks])
    for check in checks if not as_json else ():
        console.say(f"{'ok   ' if check.fine else 'WRONG'} {check.name:24} {check.detail}")
    if not all(check.fine for check in checks):
        raise typer.Exit(Exit.FAILED)


@app.command("train-head")
def models_train_head(
    name: Annotated[str, typer.Argument(help="The new space's name, as `ours-1`.", metavar="NAME")],
    epochs: Annotated[int | None, typer.Option(help="How often every face is seen.", min=0)] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another head.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Train a space of your own on what was confirmed, so correct it first: `pipelines run embedding_head`, to use."""
    from facealbum.pipelines.own_head import train_own_head

    with open_world() as context:
        head = train_own_head(context, name, epochs=epochs, seed=seed)
    text = (
        f"{name} is trained on {head.faces} faces of {head.persons} people in {head.families} families\n"
        f"What it measured: facealbum models show {head.model}\n"
        f"Work with it: facealbum models use {name}"
    )
    say_result(asdict(head), text, as_json=as_json)


@app.command("train-adapter")
def models_train_adapter(
    name: Annotated[str, typer.Argument(help="The new adapter's name, as `fused-to-ours-1`.", metavar="NAME")],
    source: Annotated[str, typer.Option("--from", help="The space that faces are in.", metavar="OLD")],
    target: Annotated[str, typer.Option("--to", help="The space that it leads to.", metavar="NEW")],
    kind: Annotated[str, typer.Option(help="orthogonal, linear or mlp (a small network).")] = "linear",
    seed: Annotated[int, typer.Option(help="Of the network's training.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Learn a map from one space into another, from confirmed faces that have vectors in both; on record as a run."""
    from facealbum.pipelines.run import run_training
    from facealbum.pipelines.training import load_training

    chosen: dict[str, int | float | str] = {
        "name": name,
        "collect_from": source,
        "collect_to": target,
        "form": kind,
        "held_out": 0.2,
    }
    with open_world() as context:
        done = run_training(context, load_training("space_adapter"), source="confirmed", chosen=chosen, seed=seed)
    model = done.model
    kept = model.metrics["neighbours_kept"]
    text = (
        f"{model.label} is learnt; of nearest faces {kept['value']:.3f} are kept in families that it does not know\n"
        f"Measure it: facealbum eval compat {source} {target} --adapter {model.label}\n"
        f"Let {target} be filled by it: facealbum models promote {model.label}"
    )
    say_result({"run": done.run, **asdict(model)}, text, as_json=as_json)


@app.command("remove")
def models_remove(name: Name, as_json: Json = False) -> None:
    """Delete an installed embedder; the one in use is kept."""
    from facealbum.steps.models import remove_model

    with open_world() as context:
        freed = remove_model(context, name)
    text = f"{name} is removed, {freed / _MEGABYTE:.0f} MB are free again" if freed else f"{name} was not installed"
    say_result({"name": name, "freed": freed}, text, as_json=as_json)
