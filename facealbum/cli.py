"""The command line.  Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with problems.

Each command opens what it needs, calls one step and shows its result; steps are imported inside the commands so
that `facealbum --help` answers at once.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.errors import FacealbumError, InvalidValueError, UnknownFamilyError
from facealbum.settings import load_settings

if TYPE_CHECKING:
    from facealbum.steps.context import Context

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
export = typer.Typer(help="Write faces.csv, or albums as folders.", no_args_is_help=True)
families = typer.Typer(help="List families, or delete one.", no_args_is_help=True)
app.add_typer(export, name="export")
app.add_typer(families, name="family")


_SHOWN_RUNS = 40


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PROBLEMS = 3


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        console.say(f"facealbum {version('facealbum')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turns a family's photo stream into an album per child."""


Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
OneFamily = Annotated[str | None, typer.Option("--family", help="Only this family.")]


@contextmanager
def _context() -> Iterator["Context"]:
    from facealbum.steps.context import open_context

    with console.progress_bars() as bars, open_context(load_settings(), progress=bars) as context:
        yield context


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
    with _context() as context:
        if family is not None:
            children = parse_children(family, child or [], today=context.clock().date())
            result = import_folder(context, source, family, children)
        else:
            result = import_manifests(context, source, families_csv)
    if as_json:
        console.say_json(asdict(result))
    else:
        console.say(
            f"{result.photos} photos imported, {result.unchanged} known already, {result.duplicates} duplicates; "
            f"{len(result.families)} families, {result.children} children new or changed"
        )
        console.show_problems([f"{p.where}: {p.detail}" for p in result.problems])
    _finish(problems=bool(result.problems))


@app.command()
def analyze(family: OneFamily = None, as_json: Json = False) -> None:
    """Find and describe the faces of every photo that waits for it."""
    from facealbum.steps.analyze import analyze_pending

    with _context() as context:
        result = analyze_pending(context, family=family)
    if as_json:
        console.say_json(asdict(result))
    else:
        console.say(f"{result.photos} photos analysed, {result.faces} faces found")
        if result.photos:
            console.say(_where_time_went(result.photos, result.processes, result.wall_seconds, result.seconds))
        console.show_problems([f"{p.family}/{p.photo}: {p.detail}" for p in result.problems])
    _finish(problems=bool(result.problems))


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
    with _context() as context:
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
    console.say(
        f"{len(result.runs)} runs in {result.families} families, {result.up_to_date} up to date; "
        f"{result.changes} changes {would}made"
    )


@export.command("faces")
def export_faces_(out: Path, family: OneFamily = None, as_json: Json = False) -> None:
    """Write every face with its person and child to a CSV file."""
    from facealbum.steps.export import export_faces

    with _context() as context:
        result = export_faces(context, out, family=family)
    _say_written(asdict(result), f"{result.written} faces of {result.families} families in {out}", as_json=as_json)


@export.command("albums")
def export_albums_(out: Path, family: OneFamily = None, as_json: Json = False) -> None:
    """Write one folder a child and person with copies of the photos."""
    from facealbum.steps.export import export_albums

    with _context() as context:
        result = export_albums(context, out, family=family)
    _say_written(asdict(result), f"{result.written} photos of {result.families} families below {out}", as_json=as_json)


@app.command()
def report(
    out: Path,
    family: OneFamily = None,
    first: Annotated[str | None, typer.Option("--from", help="The first month, as 2026-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last month, as 2026-10.")] = None,
    as_json: Json = False,
) -> None:
    """Write albums and figures as one self-contained HTML page."""
    from facealbum.domain.months import Month
    from facealbum.steps.report import write_report

    period = (Month.parse(first) if first else None, Month.parse(last) if last else None)
    with _context() as context:
        result = write_report(context, out, family=family, period=period)
    _say_written(asdict(result), f"{result.persons} people of {result.families} families in {out}", as_json=as_json)


@app.command()
def demo(
    directory: Annotated[Path | None, typer.Argument(help="Where to build it; a folder under the data folder.")] = None,
    as_json: Json = False,
) -> None:
    """Build an album from bundled portraits and run the main job on it, end to end."""
    from facealbum.steps.demo import run_demo

    settings = load_settings()
    with console.progress_bars() as bars:
        result = run_demo(directory or settings.data_folder / "demo", settings=settings, progress=bars)
    if as_json:
        console.say_json(asdict(result))
        return
    console.say(
        f"{result.photos} photos of {result.months} months, {result.faces} faces, {result.waiting} of nobody yet"
    )
    console.table(
        "",
        ("found", "linked, sure", "photos", "from", "to", "mean age"),
        [
            (
                person.label,
                "no" if person.probability is None else f"{person.probability:.1%}",
                person.faces,
                person.first,
                person.last,
                person.mean_age,
            )
            for person in result.people
        ],
    )
    console.say(f"Every face, by person: {result.page}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Show what runs where, and what is wrong."""
    from facealbum.steps.doctor import examine

    findings = examine(load_settings())
    if as_json:
        console.say_json([asdict(finding) for finding in findings])
    for finding in findings if not as_json else ():
        console.say(f"{'ok   ' if finding.fine else 'WRONG'} {finding.subject:13} {finding.detail}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(Exit.FAILED)


@app.command()
def migrate() -> None:
    """Bring the database's schema to the newest revision."""
    with _context() as context:
        console.say(f"the schema of {context.database.describe()} is up to date")


@families.command("list")
def family_list(as_json: Json = False) -> None:
    """Every family with its children and photos."""
    from facealbum.steps.families import list_families

    with _context() as context:
        found = list_families(context)
    if as_json:
        console.say_json([asdict(family) for family in found])
        return
    rows = [
        (
            one.name,
            ", ".join(child.name for child in one.children),
            one.photos.get("analysed", 0),
            one.photos.get("pending", 0),
            one.photos.get("failed", 0),
        )
        for one in found
    ]
    console.table("", ("family", "children", "analysed", "pending", "failed"), rows)


@families.command("delete")
def family_delete(
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a family with every photo, face and person of it, for ever."""
    from facealbum.steps.families import forget_family

    if not yes:
        typer.confirm(f"Delete family {name!r} with all its photos and faces?", abort=True)
    with _context() as context:
        objects = forget_family(context, name)
    _say_written({"objects": objects}, f"family {name!r} is deleted, with {objects} stored files", as_json=as_json)


def _say_written(result: dict[str, object], text: str, *, as_json: bool) -> None:
    if as_json:
        console.say_json(result)
    else:
        console.say(text)


def _finish(*, problems: bool) -> None:
    if problems:
        raise typer.Exit(Exit.PROBLEMS)


def main() -> None:
    """Run the command line; an error of ours is one clear line."""
    try:
        app(standalone_mode=True)
    except (InvalidValueError, UnknownFamilyError) as error:
        console.complain(f"facealbum: {error}")
        sys.exit(Exit.USAGE)
    except FacealbumError as error:
        console.complain(f"facealbum: {error}")
        sys.exit(Exit.FAILED)
    except OSError as error:
        console.complain(f"facealbum: {error.filename or 'the system'}: {error.strerror}")
        sys.exit(Exit.FAILED)
