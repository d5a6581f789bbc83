"""Looking at files without a database: their faces as values, drawn on the picture, or on a contact sheet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from eval.drawing import draw_faces
from eval.report import crop_face
from eval.sheet import SheetFace, count_pages, render_sheet
from facealbum.domain.faces import Box, Face
from facealbum.errors import InvalidValueError, MissingFileError, PhotoError, UnknownFormatError
from facealbum.steps.context import Progress
from facealbum.steps.images import thread_analyzer
from facealbum.steps.whole_file import whole_file
from models.decode import Photo, decode

Order = Literal["file", "quality", "age", "size", "yaw"]
_CROP = 160
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

_KEYS: dict[Order, Callable[[SheetFace], float]] = {
    "file": lambda _: 0,
    "quality": lambda one: -one.face.quality,
    "age": lambda one: one.face.age,
    "size": lambda one: -one.face.box.width,
    "yaw": lambda one: one.face.yaw,
}


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One file's faces; width and height of the upright picture in pixels, seconds by phase."""

    file: str
    width: int
    height: int
    format: str
    taken_at: datetime | None
    seconds: dict[str, float]
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why a file can't be analysed."""

    file: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pages that were written, and what is on them."""

    pages: tuple[str, ...]
    files: int
    faces: int
    problems: tuple[FileProblem, ...]


def analyze_files(
    files: Sequence[Path], *, draw: Path | None = None, progress: Progress
) -> Iterator[LookedAt | FileProblem]:
    """Each file's faces, or what is wrong with it, in the order given.

    draw: the picture to write for a single file, or the folder of PNGs for several.  Raises InvalidValueError if a
    picture can't have this name.
    """
    alone = len(files) == 1
    if draw is not None and alone and draw.suffix.lower() not in _FORMATS:
        raise InvalidValueError(f"--draw must name a file that ends in {', '.join(_FORMATS)}, got {draw}")
    if draw is not None and not alone:
        draw.mkdir(parents=True, exist_ok=True)
    progress.begin("Analysing files", len(files))
    for number, file in enumerate(files, 1):
        try:
            data = _read(file)
            looked = _look(file, data)
            if draw is not None:
                _draw(decode(data), looked.faces, draw if alone else draw / f"{number:04d}-{file.stem}.png")
            yield looked
        except PhotoError as error:
            yield FileProblem(str(file), error.code, str(error))
        progress.advance()


def write_contact_sheet(folder: Path, out: Path, *, order: Order = "file", progress: Progress) -> Sheet:
    """Write every face of the folder's pictures to `out`, an HTML file, and as many more pages beside it as needed.

    What is no picture at all is left out, as an import does.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    progress.begin("Analysing files", len(files))
    faces: list[SheetFace] = []
    problems: list[FileProblem] = []
    looked_at = 0
    for file in files:
        name = file.relative_to(folder).as_posix()
        try:
            data = _read(file)
            found = _look(file, data).faces
            faces += _crops(name, decode(data), found)
            looked_at += 1
        except UnknownFormatError:
            continue
        except PhotoError as error:
            problems.append(FileProblem(name, error.code, str(error)))
        progress.advance()
    faces.sort(key=_KEYS[order])
    pages = [out, *(out.with_stem(f"{out.stem}-{page}") for page in range(2, count_pages(len(faces)) + 1))]
    told = [f"{problem.file}: {problem.detail}" for problem in problems]
    names = [page.name for page in pages]
    for page, text in zip(pages, render_sheet(faces, told, title=folder.resolve().name, names=names), strict=True):
        with whole_file(page) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
    return Sheet(tuple(map(str, pages)), looked_at, len(faces), tuple(problems))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise MissingFileError(f"there must be a file that can be read, {error.strerror}; check its path") from error


def _look(file: Path, data: bytes) -> LookedAt:
    found = thread_analyzer().analyze(data)
    return LookedAt(
        str(file), found.width, found.height, found.format, found.taken_at, dict(found.seconds), found.faces
    )


def _draw(photo: Photo, faces: Sequence[Face], out: Path) -> None:
    image = draw_faces(photo.pixels, faces, size=(photo.width, photo.height))
    with whole_file(out) as partial, partial.open("wb") as file:
        image.save(file, format=_FORMATS[out.suffix.lower()])


def _crops(name: str, photo: Photo, faces: Sequence[Face]) -> Iterator[SheetFace]:
    across, down = photo.scale
    for number, face in enumerate(faces, 1):
        box = Box(face.box.x1 / across, face.box.y1 / down, face.box.x2 / across, face.box.y2 / down)
        yield SheetFace(name, number, face, crop_face(photo.pixels, box, size=_CROP))
