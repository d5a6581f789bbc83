"""The installation itself: demo, doctor, migrate."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Exit, Json, open_world
from facealbum.settings import load_settings

app = typer.Typer()


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
    from workers.doctor import examine_queues

    settings = load_settings()
    findings = examine(settings) + examine_queues(settings)
    if as_json:
        console.say_json([asdict(finding) for finding in findings])
    for finding in findings if not as_json else ():
        console.say(f"{'ok   ' if finding.fine else 'WRONG'} {finding.subject:16} {finding.detail}")
    if not all(finding.fine for finding in findings):
        raise typer.Exit(Exit.FAILED)


@app.command()
def migrate() -> None:
    """Bring the database's schema to the newest revision."""
    with open_world() as context:
        console.say(f"the schema of {context.database.describe()} is up to date")
