"""`facealbum sample`: truth from people."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, count_of, finish, open_world, say_result

if TYPE_CHECKING:
    from eval.annotation import Agreement, AnnotationEstimate
    from facealbum.storage.samples import SampleRow

app = typer.Typer(
    name="sample", help="Draw samples for people to label, and say what the labels tell.", no_args_is_help=True
)
label = typer.Typer(help="Take labels in.", no_args_is_help=True)
app.add_typer(label, name="label")

Name = Annotated[str, typer.Argument(help="The sample.")]
Arbiter = Annotated[str | None, typer.Option("--arbiter", help="The annotator whose word settles differences.")]


@app.command("draw")
def sample_draw(  # noqa: PLR0913, PLR0917 - an option for each part of the design
    name: Annotated[str, typer.Argument(help="What the sample is called from now on.")],
    kind: Annotated[str, typer.Option("--kind", help="faces, pairs or clusters; see docs/annotation.md.")],
    size: Annotated[int, typer.Option("--size", help="Items to label.", min=1)] = 400,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same sample.", min=0)] = 0,
    arm: Annotated[list[str] | None, typer.Option("--arm", help="One arm, or twice two to compare.")] = None,
    strata: Annotated[
        str, typer.Option("--strata", help="Some of band,age,gender,arm,disagreement with commas between.")
    ] = "",
    month: Annotated[str | None, typer.Option("--month", help="Only photos of this month, as 2026-10.")] = None,
    as_json: Json = False,
) -> None:
    """Draw a stratified sample over all families."""
    from eval.annotation import Kind
    from facealbum.domain.months import Month
    from facealbum.errors import InvalidValueError
    from facealbum.steps.annotation import Wanted, draw_sample

    if kind not in set(Kind):
        raise InvalidValueError(f"--kind must be one of {', '.join(Kind)}, got {kind!r}")
    parts = tuple(part.strip() for part in strata.split(",") if part.strip())
    wanted = Wanted(name, Kind(kind), size, seed, tuple(arm or ()), parts, Month.parse(month) if month else None)
    with open_world() as context:
        drawn = draw_sample(context, wanted)
    if as_json:
        console.say_json(_plain(drawn))
        return
    console.say(f"{count_of(drawn.items, 'item')} of {count_of(drawn.families, 'family', 'families')}")
    rows = [(one.stratum, f"{one.population:.0f}", one.drawn) for one in drawn.strata]
    console.table("", ("stratum", "there are", "drawn"), rows)


@app.command("list")
def sample_list(as_json: Json = False) -> None:
    """Every sample, the newest first."""
    from facealbum.steps.annotation import list_samples

    with open_world() as context:
        found = list_samples(context)
    if as_json:
        console.say_json([_plain(one) for one in found])
        return
    rows = [
        (
            one.design.name,
            one.design.kind.value,
            ", ".join(one.design.arms),
            str(one.design.month or ""),
            f"{one.drawn_at:%Y-%m-%d}",
            one.items,
            one.labelled,
            "concluded" if one.concluded_at else "",
        )
        for one in found
    ]
    console.table("", ("sample", "kind", "arms", "month", "drawn", "items", "labelled", ""), rows)


@app.command("export")
def sample_export(
    name: Name,
    out: Annotated[Path, typer.Argument(help="The CSV to write, for annotators to fill in.")],
    crops: Annotated[
        Path | None, typer.Option("--crops", help="Also write the faces and a page that shows them to this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the items to label. They tell neither arm nor stratum, so that annotators can't guess the answer."""
    from facealbum.steps.annotation_export import export_sample

    with open_world() as context:
        done = export_sample(context, name, out, crops=crops)
    gone = f"; {count_of(done.unseen, 'face')} can't be shown any more" if done.unseen else ""
    say_result(asdict(done), f"{count_of(done.items, 'item')} in {out}{gone}", as_json=as_json)
    finish(problems=bool(done.unseen))


@label.command("import")
def sample_label_import(
    path: Annotated[Path, typer.Argument(metavar="CSV", help="An exported file with answers.")],
    annotator: Annotated[str, typer.Option("--annotator", help="Who answered.")],
    as_json: Json = False,
) -> None:
    """Take an annotator's answers in, all of them or none."""
    from facealbum.steps.annotation import import_labels

    with open_world() as context:
        changed = import_labels(context, path, annotator=annotator)
    say_result({"changed": changed}, f"{count_of(changed, 'label')} new or changed", as_json=as_json)


@app.command("estimate")
def sample_estimate(
    name: Name,
    arbiter: Arbiter = None,
    min_response: Annotated[
        float, typer.Option("--min-response", help="The least share of items that must be answered.", min=0, max=1)
    ] = 0.8,
    conclude: Annotated[bool, typer.Option("--conclude", help="Keep the estimate for good.")] = False,
    as_json: Json = False,
) -> None:
    """Precision and recall with intervals, and how far annotators agree."""
    from facealbum.steps.annotation import estimate

    with open_world() as context:
        found = estimate(context, name, arbiter=arbiter, min_response=min_response, conclude=conclude)
    if as_json:
        console.say_json(found.to_dict())
        return
    _say_estimate(found)


@app.command("decide")
def sample_decide(
    name: Name,
    author: Annotated[str, typer.Option("--author", help="Who decides this.")],
    arbiter: Arbiter = None,
    as_json: Json = False,
) -> None:
    """Make decisions of the settled answers; each is told, and can be undone by `facealbum decisions undo`."""
    from facealbum.steps.annotation_decisions import decide_sample

    with open_world() as context:
        outcomes = decide_sample(context, name, author=author, arbiter=arbiter)
    refused = [one for one in outcomes if one.reason]
    if as_json:
        console.say_json([asdict(one) for one in outcomes])
    else:
        made = [one for one in outcomes if not one.reason]
        for one in made:
            console.say(f"{one.family}: decision {one.number}, {one.kind}")
        counts = ", ".join(f"{number} {kind}" for kind, number in Counter(one.kind for one in made).most_common())
        console.say(f"{count_of(len(made), 'decision')}{f': {counts}' if counts else ''}")
        console.show_problems([f"{one.family}: {one.kind} refused: {one.reason}" for one in refused])
    finish(problems=bool(refused))


@app.command("delete")
def sample_delete(name: Name, as_json: Json = False) -> None:
    """Delete a sample with its labels and estimate; decisions made of it stay."""
    from facealbum.steps.annotation import remove_sample

    with open_world() as context:
        remove_sample(context, name)
    say_result({"deleted": name}, f"{name} is deleted", as_json=as_json)


def _plain(row: "SampleRow") -> dict[str, object]:
    return asdict(row) | {"design": asdict(row.design) | {"month": row.design.month and str(row.design.month)}}


def _say_estimate(found: "AnnotationEstimate") -> None:
    console.say(
        f"{found.answered} of {count_of(found.drawn, 'item')} answered, {found.unsure} unsure, {found.disputed} in"
        f" dispute, settled by {found.settled_by}; {found.unsettled} unsettled"
    )
    rows = [
        (
            one.measure.replace("_", " "),
            one.arm,
            f"{one.estimate.value:.3f}" if one.estimate.value is not None else "",
            f"{one.estimate.low:.3f} to {one.estimate.high:.3f}",
            one.items,
            one.estimate.families,
            f"{one.if_unsure_wrong:.3f} to {one.if_unsure_right:.3f}" if one.if_unsure_wrong is not None else "",
        )
        for one in found.figures
    ]
    console.table("", ("", "arm", "estimate", "95% interval", "items", "families", "if unsure"), rows)
    kappas = [
        (one.measure.replace("_", " "), one.stratum or "all", one.items, one.annotators, *map(_two_digits, _ends(one)))
        for one in found.agreement
    ]
    if kappas:
        console.table("", ("agreement", "stratum", "items", "annotators", "same", "value", "low", "high"), kappas)


def _ends(one: "Agreement") -> tuple[float | None, ...]:
    return one.observed, one.value, one.low, one.high


def _two_digits(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
