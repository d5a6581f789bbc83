"""The main job: import, analyze, cluster, export, report."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, OneFamily, count_of, finish, open_world, say_result

app = typer.Typer()
export = typer.Typer(help="Write faces.csv, or albums as folders.", no_args_is_help=True)

_SHOWN_RUNS = 40


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="photos.csv, or a folder of photos.", metavar="PHOTOS.csv|DIR", exists=True)
    ],
    families_csv: Annotated[Path | None, typer.Option("--families", help="families.csv", exists=True)] = None,
    family: Annotated[str | None, typer.Option("--family", help="The family of a folder's photos.")] = None,
    child: Annotated[
        list[str] | None,
        typer.Option("--child", help="A child as 'Hana,2019-04-02,female'; may be given more than once."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Register families, children and photos from manifests or a plain folder."""
    from facealbum.steps.imports import import_folder, import_manifests
    from facealbum.steps.manifests import parse_children

    is_folder = source.is_dir()
    if is_folder != (family is not None) or (child and not is_folder) or (families_csv and is_folder):
        raise typer.BadParameter(
            "give either PHOTOS.csv [--families FAMILIES.csv], or DIR --family NAME [--child 'Hana,2019-04-02,female']"
        )
    with open_world() as context:
        if family is not None:
            children = parse_children(family, child or [], today=context.clock().date())
            result = import_folder(context, source, family, children)
        else:
            result = import_manifests(context, source, families_csv)
    if as_json:
        console.say_json(asdict(result))
    else:
        console.say(
            f"{count_of(result.photos, 'photo')} imported, {result.unchanged} known already,"
            f" {count_of(result.duplicates, 'duplicate')}; {_families(len(result.families))},"
            f" {count_of(result.children, 'child', 'children')} new or changed"
        )
        if result.relinked:
            people = count_of(result.relinked, "person", "people")
            console.say(f"{people} got, lost or changed their child by what was corrected")
        if result.unlisted:
            names = ", ".join(sorted(result.unlisted))
            console.say(f"New and without children, as {families_csv} doesn't name them: {names}")
        console.show_problems([f"{p.where}: {p.detail}" for p in result.problems])
    finish(problems=bool(result.problems))


@app.command()
def analyze(
    family: OneFamily = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Also photos that failed, and those that other models than today's have analysed."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Find and describe the faces of every photo that waits for it."""
    from facealbum.steps.analyze import analyze_pending

    with open_world() as context:
        result = analyze_pending(context, family=family, again=again, waiting=_say_waiting)
    if as_json:
        console.say_json(asdict(result))
    else:
        console.say(
            f"{count_of(result.photos, 'photo')} analysed, {count_of(result.faces, 'face')} found,"
            f" {result.matched} shown with known people"
        )
        if result.photos:
            console.say(_where_time_went(result.photos, result.processes, result.wall_seconds, result.seconds))
        console.show_problems([f"{p.family}/{p.photo}: {p.detail}" for p in result.problems])
    finish(problems=bool(result.problems))


def _say_waiting() -> None:
    console.complain("Another `facealbum analyze` is at work here; waiting for its end, to take what is left")


def _where_time_went(photos: int, processes: int, wall: float, seconds: dict[str, float]) -> str:
    phases = ", ".join(f"{name} {total / photos * 1000:.0f}" for name, total in seconds.items())
    rate = photos / wall
    return (
        f"{rate:.1f} photos/s with {processes} processes ({rate / max(1, processes):.1f} a core);"
        f" milliseconds a photo: {phases}"
    )


@app.command()
def cluster(
    through: Annotated[str, typer.Option(help="The last month to run, as 2026-10.")],
    family: OneFamily = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compute and show, but write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Sort faces into people month by month, link them to children, count breakage."""
    from facealbum.domain.months import Month
    from facealbum.steps.cluster import cluster_families

    month = Month.parse(through)
    with open_world() as context:
        result = cluster_families(context, month, family=family, dry_run=dry_run)
    if as_json:
        console.say_json(asdict(result) | {"changes": result.changes})
        return
    changed = [run for run in result.runs if run.changes]
    if changed:
        console.table(
            ""
            if len(changed) <= _SHOWN_RUNS
            else f"The last {_SHOWN_RUNS} of {len(changed)} runs that changed something:",
            ("family", "month", "faces", "joined", "new people", "their faces", "waiting", "links", "broken"),
            [
                (r.family, str(r.month), r.faces, r.attached, r.persons, r.founded, r.waiting, r.links, r.broken)
                for r in changed[-_SHOWN_RUNS:]
            ],
        )
    would = "would be " if dry_run else ""
    idle = f", {len(result.runs) - len(changed)} without a change" if len(changed) < len(result.runs) else ""
    other = f", {count_of(result.other_runs, 'run')} of arms that are not shown" if result.other_runs else ""
    console.say(
        f"{count_of(len(result.runs), 'run')} in {_families(result.families)}{idle}, {result.up_to_date} up to date"
        f"{other}; {count_of(result.changes, 'change')} {would}made"
    )
    for doubt in chain.from_iterable(result.doubted_births.values()):
        console.say(f"{doubt.family}: {doubt.sentence}")


@app.command()
def albums(family: OneFamily = None, as_json: Json = False) -> None:
    """List the albums: each child, the children together, the whole family, every other person."""
    from facealbum.steps.albums import list_albums

    with open_world() as context:
        found = list_albums(context, family)
    if as_json:
        console.say_json([asdict(album) for album in found])
        return
    columns = ("family", "album", "photos", "not yet confirmed", "from", "to")
    rows = [(one.family, one.title, one.photos, one.provisional, str(one.first), str(one.last)) for one in found]
    console.table("", columns, rows)


@export.command("faces")
def export_faces_(out: Path, family: OneFamily = None, as_json: Json = False) -> None:
    """Write every face with its person and child to a CSV file."""
    from facealbum.steps.export import export_faces

    with open_world() as context:
        result = export_faces(context, out, family=family)
    say_result(
        asdict(result), f"{count_of(result.written, 'face')} of {_families(result.families)} in {out}", as_json=as_json
    )


@export.command("albums")
def export_albums_(out: Path, family: OneFamily = None, as_json: Json = False) -> None:
    """Write one folder an album with copies of its photos."""
    from facealbum.steps.export import export_albums

    with open_world() as context:
        result = export_albums(context, out, family=family)
    written = f"{count_of(result.written, 'file')} of {_families(result.families)} below {out}"
    say_result(asdict(result), written, as_json=as_json)


app.add_typer(export, name="export")


def _families(number: int) -> str:
    return count_of(number, "family", "families")
