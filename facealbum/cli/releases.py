"""`facealbum models versions`, `show`, `diff`, `promote`, `rollback`, `retire`, `history`: the registry of models."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, open_world, say_result
from facealbum.domain.model_versions import ModelKind, Stage

if TYPE_CHECKING:
    from facealbum.domain.model_versions import Change, ModelVersion

app = typer.Typer()

Address = Annotated[str, typer.Argument(help="Its id, NAME@VERSION, or NAME for the newest of it.", metavar="MODEL")]
_TABLES = ("metrics", "slices", "gates")  # of a version, beside its other fields
_FIGURE = ("value", "baseline", "difference", "better", "n")
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@app.command("versions")
def models_versions(
    kind: Annotated[ModelKind | None, typer.Option(help="Only of this kind.")] = None,
    name: Annotated[str | None, typer.Option(help="Only of this name.")] = None,
    as_json: Json = False,
) -> None:
    """Every version of every model that was registered, with its stage."""
    from facealbum.steps.registry import list_versions

    with open_world() as context:
        found = list_versions(context, kind=kind, name=name)
    if as_json:
        console.say_json([asdict(one) for one in found])
        return
    rows = [(one.model_id, one.label, one.kind, one.stage, one.sha256[:8], one.made_at.date()) for one in found]
    console.table("", ("id", "model", "kind", "stage", "sha256", "registered"), rows)


@app.command("show")
def models_show(address: Address, as_json: Json = False) -> None:
    """One version: where it comes from, what it measured, what gates said, and what became of it."""
    from facealbum.steps.registry import find_model, list_changes

    with open_world() as context:
        model = find_model(context, address)
        changes = list_changes(context, model_id=model.model_id)
    if as_json:
        console.say_json({**asdict(model), "changes": [asdict(one) for one in changes]})
        return
    values = asdict(model)
    rows = [(name, value) for name, value in values.items() if name not in _TABLES and value is not None]
    console.table("", ("field", "value"), rows)
    if model.metrics:
        console.table("", ("metric", *_FIGURE), _metric_rows(model.metrics))
    if model.slices:
        told = {f"{name}: {one}": some[one] for name, some in model.slices.items() for one in _chosen(model, some)}
        console.table("", ("slice", *_FIGURE), _metric_rows(told))
    if model.gates:
        gates = [(name, one["outcome"], one["reason"]) for name, one in model.gates.items()]
        console.table("", ("gate", "says", "because"), gates)
    _show_changes(changes, {model.model_id: model})


@app.command("diff")
def models_diff(
    first: Annotated[str, typer.Argument(metavar="MODEL")],
    second: Annotated[str, typer.Argument(metavar="MODEL")],
    as_json: Json = False,
) -> None:
    """How two versions differ: every field, and their metrics side by side."""
    from facealbum.domain.model_gates import diff
    from facealbum.steps.registry import find_model

    with open_world() as context:
        sides = find_model(context, first), find_model(context, second)
    found = diff(*sides)
    if as_json:
        console.say_json(asdict(found))
        return
    labels = [one.label for one in sides]
    console.table("", ("field", *labels), [(name, *map(_plain, pair)) for name, pair in found.fields.items()])
    if found.metrics:
        rows = [(one.metric, _interval(one.first), _interval(one.second), one.difference) for one in found.metrics]
        console.table("", ("metric", *labels, "difference"), rows)


@app.command("promote")
def models_promote(  # noqa: PLR0913, PLR0917 - an option each
    address: Address,
    to: Annotated[Stage, typer.Option("--to", help="The stage that it comes to.")] = Stage.PRODUCTION,
    reason: Reason = "",
    accept: Annotated[
        bool, typer.Option("--accept-research-only", help="You use it for research and nothing else.")
    ] = False,
    override: Annotated[bool, typer.Option("--override", help="Past gates that may be passed over.")] = False,
    share: Annotated[float, typer.Option(help="Of the families that a canary is shown to.", min=0, max=1)] = 0.05,
    as_json: Json = False,
) -> None:
    """Bring a version to shadow, canary or production, through every gate before it."""
    from facealbum.steps.context import OPERATOR
    from facealbum.steps.releases import Wish, promote_model

    with open_world() as context:
        release = promote_model(context, address, to, Wish(OPERATOR, reason, accept, override, share))
    if release.waits:
        text = f"{release.model.label} waits for another user to ask for the same"
    elif release.experiment:
        text = f"{release.model.label} is in the stage {to}; see facealbum experiment show {release.experiment}"
    else:
        text = f"{release.model.label} is in production; back again: facealbum models rollback {release.model.slot}"
    if release.lacking:
        text += f"\n{count_of(release.lacking, 'face')} left to embed: facealbum reembed start {release.model.name}"
    say_result(asdict(release), text, as_json=as_json)


@app.command("rollback")
def models_rollback(
    slot: Annotated[
        str, typer.Argument(help="embedder, calibrator, quality, thresholds or adapter/OLD-NEW.", metavar="KIND")
    ],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Put back what served before the newest promotion, at once."""
    from facealbum.steps.context import OPERATOR
    from facealbum.steps.releases import rollback_model

    with open_world() as context:
        serving = rollback_model(context, slot, author=OPERATOR, reason=reason)
    text = f"{serving.label} is in production again" if serving else f"no {slot} of the registry is in production"
    say_result(None if serving is None else asdict(serving), text, as_json=as_json)


@app.command("retire")
def models_retire(address: Address, reason: Reason = "", as_json: Json = False) -> None:
    """Take a version out that doesn't serve, and end what tries it."""
    from facealbum.steps.context import OPERATOR
    from facealbum.steps.releases import retire_model

    with open_world() as context:
        model = retire_model(context, address, author=OPERATOR, reason=reason)
    say_result(asdict(model), f"{model.label} is retired", as_json=as_json)


@app.command("history")
def models_history(
    address: Annotated[str | None, typer.Argument(help="Only of this version.", metavar="MODEL")] = None,
    as_json: Json = False,
) -> None:
    """Who brought which version to which stage, when and why; the newest first."""
    from facealbum.steps.registry import find_model, list_changes, list_versions

    with open_world() as context:
        only = None if address is None else find_model(context, address).model_id
        changes = list_changes(context, model_id=only)
        models = {one.model_id: one for one in list_versions(context)}
    if as_json:
        console.say_json([asdict(one) for one in changes])
        return
    _show_changes(changes, models)


@app.command("register-arm")
def models_register_arm(arm: Annotated[str, typer.Argument(metavar="ARM")], as_json: Json = False) -> None:
    """Put an arm's algorithm and numbers into the registry, as a version of thresholds to be promoted in stages."""
    from facealbum.steps.context import OPERATOR
    from facealbum.steps.releases import register_arm

    with open_world() as context:
        model = register_arm(context, arm, author=OPERATOR)
    say_result(asdict(model), f"{model.label} is registered, with the id {model.model_id}", as_json=as_json)


def _show_changes(changes: "list[Change]", models: "Mapping[int, ModelVersion]") -> None:
    rows = [
        (
            one.number,
            f"{one.at:%Y-%m-%d %H:%M}",
            models[one.model_id].label,
            f"{one.before or 'new'} -> {one.after}",
            one.author,
            one.approver or "",
            one.reason + (f" (past: {', '.join(one.overridden)})" if one.overridden else ""),
        )
        for one in changes
    ]
    console.table("", ("number", "when", "model", "stages", "author", "approver", "why"), rows)


def _chosen(model: "ModelVersion", metrics: Mapping[str, Any]) -> list[str]:
    """Of a slice's metrics the one that decides, all if none does."""
    return [model.primary] if model.primary is not None and model.primary in metrics else list(metrics)


def _metric_rows(metrics: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [
        (
            name,
            *(_interval(part) for part in (one, one.get("baseline"), one.get("difference"))),
            one.get("better"),
            one.get("n"),
        )
        for name, one in metrics.items()
    ]


def _interval(figure: Mapping[str, Any] | None) -> str:
    """As `0.62 [0.57, 0.66]`."""
    if figure is None or figure.get("value") is None:
        return ""
    low, high = figure.get("low"), figure.get("high")
    between = "" if None in {low, high} else f" [{low:.4g}, {high:.4g}]"
    return f"{figure['value']:.4g}{between}"


def _plain(value: object) -> str:
    return "" if value is None else str(value)
