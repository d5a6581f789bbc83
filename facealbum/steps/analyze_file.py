"""Looking at files without a database: their faces as values, drawn on the picture, or on a contact sheet."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from os import fstat
from pathlib import Path
from typing import Literal

from eval.drawing import draw_faces
from eval.report import crop_face
from eval.sheet import SheetFace, count_pages, render_sheet
from facealbum.domain.faces import Box, Face
from facealbum.domain.videos import frame_key
from facealbum.errors import InvalidValueError, MissingFileError, PhotoError, UnknownFormatError
from facealbum.settings import Settings
from facealbum.steps.accepted import PICTURES, UNREAD, VIDEOS, check_length
from facealbum.steps.context import Progress
from facealbum.steps.whole_file import check_place, whole_file
from models.analyzer import Analyzer
from models.containers import is_video
from models.decode import Photo, decode
from models.limits import PASSED, Limits
from models.video import read_frames
from models.video_analysis import analyze_video

Order = Literal["file", "quality", "age", "size", "yaw"]
_KEYS: dict[Order, Callable[[SheetFace], float]] = {
    "file": lambda _: 0,
    "quality": lambda one: -one.face.quality,
    "age": lambda one: one.face.age,
    "size": lambda one: -one.face.box.width,
    "yaw": lambda one: one.face.yaw,
}
_CROP = 160
_HEAD_BYTES = 64  # enough to tell a video from anything else
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A face; in a video also the milliseconds of its frame, and which of the people followed it is."""

    face: Face
    ms: int | None = None
    track: int | None = None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One file's faces, of a video the best ones of each person; width and height upright, seconds by phase."""

    file: str
    width: int
    height: int
    format: str
    taken_at: datetime | None
    seconds: dict[str, float]
    faces: tuple[Seen, ...]


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
    files: Sequence[Path], *, settings: Settings, progress: Progress, draw: Path | None = None
) -> Iterator[LookedAt | FileProblem]:
    """Each file's faces, or what is wrong with it, in the order given.

    draw: the picture to write for a single file, or the folder of PNGs for several; of a video the frame with most
    faces is drawn.  Raises InvalidValueError if no picture can be written there.
    """
    alone = len(files) == 1
    if draw is not None and alone and draw.suffix.lower() not in _FORMATS:
        raise InvalidValueError(f"--draw must name a file that ends in {', '.join(_FORMATS)}, got {draw}")
    if draw is not None and alone:
        check_place(draw)
    elif draw is not None:
        draw.mkdir(parents=True, exist_ok=True)
    looker = _Looker(settings)
    progress.begin("Analysing files", len(files))
    for number, file in enumerate(files, 1):
        try:
            data = looker.read(file)
            found = looker.look(str(file), data)
            if draw is not None:
                _draw(data, found, draw if alone else draw / f"{number:04d}-{file.stem}.png")
            yield found
        except PhotoError as error:
            yield FileProblem(str(file), error.code, str(error))
        progress.advance()


def write_contact_sheet(
    folder: Path, out: Path, *, settings: Settings, progress: Progress, order: Order = "file"
) -> Sheet:
    """Write every face of the folder's files to `out`, an HTML file, and as many more pages beside it as needed.

    What is neither picture nor video, and isn't called as one is, is left out, as an import does.
    """
    check_place(out)
    looker = _Looker(settings)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    progress.begin("Analysing files", len(files))
    faces: list[SheetFace] = []
    problems: list[FileProblem] = []
    looked_at = 0
    for file in files:
        name = file.relative_to(folder).as_posix()
        try:
            data = looker.read(file)
            faces += _crops(name, data, looker.look(name, data).faces)
            looked_at += 1
        except PhotoError as error:
            if isinstance(error, UnknownFormatError) and file.suffix.lower() not in PICTURES | VIDEOS | UNREAD:
                continue
            problems.append(FileProblem(name, error.code, str(error)))
        finally:
            progress.advance()
    faces.sort(key=_KEYS[order])
    pages = [out, *(out.with_stem(f"{out.stem}-{page}") for page in range(2, count_pages(len(faces)) + 1))]
    told = [f"{problem.file}: {problem.detail}" for problem in problems]
    names = [page.name for page in pages]
    texts = render_sheet(faces, told, title=folder.resolve().name, files=looked_at, names=names)
    for page, text in zip(pages, texts, strict=True):
        with whole_file(page) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
    return Sheet(tuple(map(str, pages)), looked_at, len(faces), tuple(problems))


class _Looker:
    """The packaged models, within the settings' limits."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = Limits(settings.max_pixels, settings.max_video_frames, settings.max_video_seconds)
        self._every = settings.video_interval_seconds
        self._analyzer = Analyzer.load(limits=self._limits)

    def read(self, file: Path) -> bytes:
        """The file's bytes, unless they are more than an import takes, which is told before; raises a PhotoError."""
        try:
            with file.open("rb") as stream:
                head = stream.read(_HEAD_BYTES)
                size = max(fstat(stream.fileno()).st_size, len(head))  # a pipe has none
                check_length(size, self._settings, "the file", video=is_video(head))
                return head + stream.read()
        except OSError as error:
            raise MissingFileError(
                f"there must be a file that can be read, {error.strerror}; check its path"
            ) from error

    def look(self, name: str, data: bytes) -> LookedAt:
        """The faces of a picture or video; raises a PhotoError."""
        if is_video(data):
            video = analyze_video(self._analyzer, data, every=self._every, limits=self._limits)
            seen = tuple(
                Seen(one.face, one.ms, number) for number, track in enumerate(video.tracks) for one in track.best
            )
            return LookedAt(name, video.width, video.height, video.format, video.taken_at, video.seconds, seen)
        photo = self._analyzer.analyze(data)
        seen = tuple(Seen(face) for face in photo.faces)
        return LookedAt(name, photo.width, photo.height, photo.format, photo.taken_at, dict(photo.seconds), seen)


def _pictures(data: bytes, moments: set[int | None]) -> Iterator[tuple[int | None, Photo]]:
    """The photo, or the frames of a video at these milliseconds."""
    frames = {moment for moment in moments if moment is not None}
    if frames:
        yield from read_frames(data, frames)
    elif not is_video(data):
        yield None, decode(data, limits=PASSED)


def _draw(data: bytes, found: LookedAt, out: Path) -> None:
    """The picture, or the frame of a video with most faces, each under its number among all of the file."""
    faces_at = Counter(one.ms for one in found.faces)
    moment, _ = max(faces_at.items(), key=lambda item: item[1], default=(0 if is_video(data) else None, 0))
    for _, photo in _pictures(data, {moment}):
        faces = {number: one.face for number, one in enumerate(found.faces, 1) if one.ms == moment}
        caption = "" if moment is None else f"second {moment / 1000:g}"
        image = draw_faces(photo.pixels, faces, size=(photo.width, photo.height), caption=caption)
        with whole_file(out) as partial, partial.open("wb") as file:
            image.save(file, format=_FORMATS[out.suffix.lower()])


def _crops(name: str, data: bytes, seen: Sequence[Seen]) -> Iterator[SheetFace]:
    for moment, photo in _pictures(data, {one.ms for one in seen}) if seen else ():
        across, down = photo.scale
        picture = name if moment is None else frame_key(name, moment)
        for number, face in enumerate((one.face for one in seen if one.ms == moment), 1):
            box = Box(face.box.x1 / across, face.box.y1 / down, face.box.x2 / across, face.box.y2 / down)
            yield SheetFace(picture, number, face, crop_face(photo.pixels, box, size=_CROP))
