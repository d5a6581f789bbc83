"""Looking at files without a database: analyze-file and contact-sheet."""

from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, finish
from facealbum.settings import load_settings

if TYPE_CHECKING:
    from facealbum.domain.faces import Face
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
    files: Annotated[list[Path], typer.Argument(help="Pictures and videos.", metavar="FILE")],
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
    """Show the faces of files: box, pose, age, gender, quality. Needs no database and keeps nothing."""
    from facealbum.steps.analyze_file import FileProblem, analyze_files

    with console.progress_bars() as bars:
        results = list(analyze_files(files, settings=load_settings(), progress=bars, draw=draw))
    problems = [result for result in results if isinstance(result, FileProblem)]
    found = [result for result in results if not isinstance(result, FileProblem)]
    if as_json:
        console.say_json(
            [
                asdict(result) if isinstance(result, FileProblem) else _value(result, embeddings=embeddings)
                for result in results
            ]
        )
    else:
        for one in found:
            _show(one)
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
        sheet = write_contact_sheet(folder, out, settings=load_settings(), progress=bars, order=order.value)
    if as_json:
        console.say_json(asdict(sheet))
    else:
        pages = "" if len(sheet.pages) == 1 else f" and {len(sheet.pages) - 1} more"
        console.say(f"{_count(sheet.faces, 'face')} of {_count(sheet.files, 'file')} in {sheet.pages[0]}{pages}")
        console.show_problems([f"{problem.file}: {problem.detail}" for problem in sheet.problems])
    finish(problems=bool(sheet.problems))


def _value(found: "LookedAt", *, embeddings: bool) -> dict[str, object]:
    """What JSON shows of a file: each face's numbers, of a video with its moment and person, arrays as lists."""
    faces = []
    for seen in found.faces:
        face = asdict(seen.face) | {"landmarks": seen.face.landmarks.tolist(), "turned": seen.face.turned}
        face |= {} if seen.track is None else {"ms": seen.ms, "track": seen.track}
        embedding = face.pop("embedding").tolist()
        faces.append(face | {"embedding": embedding} if embeddings else face)
    return asdict(replace(found, faces=())) | {"faces": faces}


def _show(found: "LookedAt") -> None:
    taken = "" if found.taken_at is None else f", taken {found.taken_at}"
    console.say(
        f"{found.file}: {found.format}, {found.width} x {found.height}{taken}; {_count(len(found.faces), 'face')}"
    )
    if not found.faces:
        return
    columns = ("#", "left", "top", "size", "yaw", "pitch", "roll", "age", "female", "quality")
    rows = [(number, *_numbers(seen.face)) for number, seen in enumerate(found.faces, 1)]
    if found.faces[0].ms is None:
        console.table("", columns, rows)
        return
    moments = [(round((seen.ms or 0) / 1000, 1), (seen.track or 0) + 1) for seen in found.faces]
    rows = [(*row, *moment) for row, moment in zip(rows, moments, strict=True)]
    console.table("", (*columns, "second", "person"), rows)


def _numbers(face: "Face") -> tuple[object, ...]:
    size = f"{face.box.width:.0f}x{face.box.height:.0f}"
    pose = (round(angle) for angle in (face.yaw, face.pitch, face.roll))
    shares = (round(share, 2) for share in (face.p_female, face.quality))
    return round(face.box.x1), round(face.box.y1), size, *pose, round(face.age, 1), *shares


def _count(many: int, what: str) -> str:
    return f"{many} {what}{'' if many == 1 else 's'}"
