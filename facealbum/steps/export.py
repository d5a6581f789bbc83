"""Exports: faces.csv for other programs, and albums as folders of the original photos and videos."""

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facealbum.domain.photos import original_key
from facealbum.steps.albums import find_albums, unique_title
from facealbum.steps.context import Context
from facealbum.steps.whole_file import whole_file
from facealbum.storage.albums import AlbumPhoto, load_album_photos
from facealbum.storage.exports import ExportedFace, load_exported_faces
from facealbum.storage.families import load_families
from facealbum.storage.serving import load_served_arm

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
            for face in load_exported_faces(transaction, one.family_id, load_served_arm(transaction, one.family_id)):
                rows.writerow(_row(one.name, face))
                written += 1
            context.progress.advance()
    return ExportResult(len(families), written)


def _row(family: str, face: ExportedFace) -> list[str]:
    box = face.box
    pixels = [f"{value:.1f}" for value in (box.x1, box.y1, box.x2, box.y2)]
    degrees = [f"{value:.1f}" for value in (face.yaw, face.pitch, face.roll)]
    score = "" if face.score is None else f"{face.score:.4f}"
    age = "" if face.age is None else f"{face.age:.2f}"
    p_female = "" if face.p_female is None else f"{face.p_female:.4f}"
    rest = [age, p_female, f"{face.quality:.4f}"]
    person = face.person or ""
    return [family, face.photo_key, *pixels, *degrees, *rest, person, person, face.child or "", score]


def export_albums(context: Context, out: Path, *, family: str | None = None) -> ExportResult:
    """Write one folder a family and album, named as the album is, with copies of its photos and videos."""
    with context.database.begin() as transaction:
        contents = {
            one: [
                (
                    titled.title,
                    load_album_photos(
                        transaction,
                        one.family_id,
                        load_served_arm(transaction, one.family_id),
                        (titled.album.kind, titled.album.of),
                    ),
                )
                for titled in find_albums(transaction, one.family_id)
            ]
            for one in load_families(transaction, family)
        }
    written = 0
    context.progress.begin("Exporting albums", len(contents))
    for one, albums in contents.items():
        for name, (_, photos) in zip(_folders([title for title, _ in albums]), albums, strict=True):
            folder = out / _plain(one.name) / name
            folder.mkdir(parents=True, exist_ok=True)
            for photo in photos:
                data = context.objects.get(original_key(one.family_id, photo.sha256))
                with whole_file(folder / _file_name(photo)) as partial:
                    partial.write_bytes(data)
                    os.utime(partial, (photo.taken_at.timestamp(),) * 2)
            written += len(photos)
        context.progress.advance()
    return ExportResult(len(contents), written)


def _folders(titles: Sequence[str]) -> list[str]:
    """A folder for each title; titles that only differ in what a file system can't say are told apart by a number."""
    taken: set[str] = set()
    return [unique_title(_plain(title), taken) for title in titles]


def _file_name(photo: AlbumPhoto) -> str:
    """Date first, so that a folder sorts by time; a part of the content's hash keeps names apart."""
    stem = _plain(Path(photo.key).stem)
    return f"{photo.taken_at:%Y-%m-%d} {stem} {photo.sha256.hex()[:8]}{_SUFFIXES.get(photo.format, '')}"


def _plain(text: str) -> str:
    """The text as the name of a file or folder on any system."""
    return _NOT_IN_NAMES.sub("_", text).strip(" .")[:80] or "_"
