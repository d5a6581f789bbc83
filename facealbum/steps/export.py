"""Exports: faces.csv for other programs, and albums as folders of the original photos and videos."""

import csv
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from facealbum.domain.ids import family_id
from facealbum.domain.videos import video_key
from facealbum.steps.context import Context
from facealbum.steps.embedders import DEFAULT_ARM
from facealbum.steps.whole_file import whole_file
from facealbum.storage.exports import ExportedFace, load_exported_faces
from facealbum.storage.families import load_families
from facealbum.storage.photos import original_key

COLUMNS = (
    *("family", "photo", "x1", "y1", "x2", "y2", "yaw", "pitch", "roll"),
    *("age", "p_female", "quality", "cluster", "person", "child", "score"),
)
_SUFFIXES = {
    "jpeg": ".jpg",
    "png": ".png",
    "webp": ".webp",
    "heif": ".heic",
    "avif": ".avif",
    "tiff": ".tif",
    "gif": ".gif",
    "mp4": ".mp4",
    "mov": ".mov",
    "webm": ".webm",
    "mkv": ".mkv",
    "avi": ".avi",
}
_NOT_IN_NAMES = re.compile(r"[^\w. -]+")


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written."""

    families: int
    written: int


def export_faces(context: Context, out: Path, *, family: str | None = None) -> ExportResult:
    """Write every face as a row of faces.csv; the file is replaced as a whole once it is complete."""
    written = 0
    with (
        context.database.begin() as transaction,
        whole_file(out) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        families = load_families(transaction, family)
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        context.progress.begin("Exporting faces", len(families))
        for one in families:
            for face in load_exported_faces(transaction, one.family_id, DEFAULT_ARM):
                rows.writerow(_row(one.name, face))
                written += 1
            context.progress.advance()
    return ExportResult(len(families), written)


def _row(family: str, face: ExportedFace) -> list[str]:
    box = face.box
    pixels = [f"{value:.1f}" for value in (box.x1, box.y1, box.x2, box.y2)]
    degrees = [f"{value:.1f}" for value in (face.yaw, face.pitch, face.roll)]
    score = "" if face.score is None else f"{face.score:.4f}"
    rest = [f"{face.age:.2f}", f"{face.p_female:.4f}", f"{face.quality:.4f}"]
    person = face.person or ""
    return [family, face.photo_key, *pixels, *degrees, *rest, person, person, face.child or "", score]


def export_albums(context: Context, out: Path, *, family: str | None = None) -> ExportResult:
    """Write one folder a family and album with copies of the photos and videos that show its person.

    Albums are named after the linked child; a person without a link is "person 1", by number of photos.
    """
    with context.database.begin() as transaction:
        families = load_families(transaction, family)
        albums = {one: list(load_exported_faces(transaction, one.family_id, DEFAULT_ARM)) for one in families}
    written = 0
    context.progress.begin("Exporting albums", len(families))
    for one, faces in albums.items():
        for album, photos in _albums(faces).items():
            folder = out / _plain(one.name) / _plain(album)
            folder.mkdir(parents=True, exist_ok=True)
            for face in photos.values():
                data = context.objects.get(original_key(family_id(one.name), face.sha256))
                with whole_file(folder / _file_name(face)) as partial:
                    partial.write_bytes(data)
                    os.utime(partial, (_started_at(face).timestamp(),) * 2)
                written += 1
        context.progress.advance()
    return ExportResult(len(families), written)


def _albums(faces: list[ExportedFace]) -> dict[str, dict[bytes, ExportedFace]]:
    """The uploads of each album by content: children by name, then the other persons by size."""
    children: dict[str, dict[bytes, ExportedFace]] = defaultdict(dict)
    others: dict[str, dict[bytes, ExportedFace]] = defaultdict(dict)
    for face in faces:
        if face.child is not None:
            children[face.child][face.sha256] = face
        elif face.person is not None:
            others[face.person][face.sha256] = face
    by_size = sorted(others.items(), key=lambda item: (-len(item[1]), item[0]))
    return dict(children) | {f"person {number}": photos for number, (_, photos) in enumerate(by_size, 1)}


def _file_name(face: ExportedFace) -> str:
    """Date first, so that a folder sorts by time; a part of the content's hash keeps names apart."""
    stem = _plain(Path(video_key(face.photo_key)).stem)
    return f"{_started_at(face):%Y-%m-%d} {stem} {face.sha256.hex()[:8]}{_SUFFIXES.get(face.format, '')}"


def _started_at(face: ExportedFace) -> datetime:
    """When the photo, or the whole video, was taken."""
    return face.taken_at - timedelta(milliseconds=face.frame_ms or 0)


def _plain(text: str) -> str:
    """The text as the name of a file or folder on any system."""
    return _NOT_IN_NAMES.sub("_", text).strip(" .")[:80] or "_"
