"""Looking at files without a database: analyze-file and contact-sheet."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, finish

if TYPE_CHECKING:
    from facealbum.steps.analyze_file import LookedAt

app = typer.Typer()


class Order(StrEnum):
    """What a contact sheet is sorted by."""

    FILE = "file"
    QUALITY = "quality"
    AGE = "age"
    SIZE = "size"
    YAW = "yaw"


@app.command("analyze-file")
def analyze_file(
    files: Annotated[list[Path], typer.Argument(help="Pictures.", metavar="FILE")],
    draw: Annotated[
        Path | None,
        typer.Option(
            "--draw", help="Draw the faces on the picture; of several files into a folder.", metavar="OUT.png"
        ),
    ] = None,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="With --json: the 512 numbers of each face as well.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the faces of pictures: box, pose, age, gender, quality. Needs no database and keeps nothing."""
    from facealbum.steps.analyze_file import FileProblem, analyze_files

    problems: list[FileProblem] = []
    values: list[dict[str, object]] = []
    with console.progress_bars() as bars:
        for found in analyze_files(files, draw=draw, progress=bars):
            if isinstance(found, FileProblem):
                problems.append(found)
            if as_json:
                values.append(asdict(found) if isinstance(found, FileProblem) else _value(found, embeddings=embeddings))
            elif not isinstance(found, FileProblem):
                _show(found)
    if as_json:
        console.say_json(values)
    else:
        console.show_problems([f"{problem.file}: {problem.detail}" for problem in problems])
    finish(problems=bool(problems))


@app.command("contact-sheet")
def contact_sheet(
    folder: Annotated[Path, typer.Argument(help="A folder of pictures.", metavar="DIR", exists=True, file_okay=False)],
    out: Annotated[Path, typer.Argument(help="The HTML file to write.", metavar="OUT.html")],
    order: Annotated[Order, typer.Option("--sort", help="What comes first.")] = Order.FILE,
    as_json: Json = False,
) -> None:
    """Write every face of a folder with its numbers to HTML pages of 500 faces. Needs no database."""
    from facealbum.steps.analyze_file import write_contact_sheet

    with console.progress_bars() as bars:
        sheet = write_contact_sheet(folder, out, order=order.value, progress=bars)
    if as_json:
        console.say_json(asdict(sheet))
    else:
        pages = "" if len(sheet.pages) == 1 else f" and {len(sheet.pages) - 1} more pages"
        console.say(f"{sheet.faces} faces of {sheet.files} pictures in {sheet.pages[0]}{pages}")
        console.show_problems([f"{problem.file}: {problem.detail}" for problem in sheet.problems])
    finish(problems=bool(sheet.problems))


def _value(found: "LookedAt", *, embeddings: bool) -> dict[str, object]:
    """What JSON shows of a file; landmarks and embeddings as lists."""
    value = asdict(found)
    for face in value["faces"]:
        face["landmarks"] = face["landmarks"].tolist()
        face["embedding"] = face["embedding"].tolist()
        if not embeddings:
            del face["embedding"]
    return value


def _show(found: "LookedAt") -> None:
    taken = "" if found.taken_at is None else f", taken {found.taken_at}"
    console.say(f"{found.file}: {found.format}, {found.width} x {found.height}{taken}; {_count(len(found.faces))}")
    if found.faces:
        console.table(
            "",
            ("face", "left", "top", "width", "height", "yaw", "pitch", "roll", "age", "female", "quality", "score"),
            [
                (
                    number,
                    round(face.box.x1),
                    round(face.box.y1),
                    round(face.box.width),
                    round(face.box.height),
                    round(face.yaw),
                    round(face.pitch),
                    round(face.roll),
                    round(face.age, 1),
                    round(face.p_female, 2),
                    round(face.quality, 2),
                    round(face.score, 2),
                )
                for number, face in enumerate(found.faces, 1)
            ],
        )


def _count(faces: int) -> str:
    return "1 face" if faces == 1 else f"{faces} faces"
