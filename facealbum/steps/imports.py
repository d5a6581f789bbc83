"""Import: registers families, children and photos, and puts the photos' bytes into the object store.

Bytes first, then the row, in groups that each commit; an import cut short goes on where it stopped, and one made
twice changes nothing.  The same content is one photo of a family, whatever it is called.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path

from facealbum.domain.ids import PhotoId, photo_id
from facealbum.domain.people import Child
from facealbum.errors import EmptyFileError, ImageSizeError, ManifestError, MissingFileError, PhotoError
from facealbum.steps.context import Context
from facealbum.steps.manifests import (
    ImportProblem,
    PhotoFile,
    read_family_manifest,
    read_photo_manifest,
)
from facealbum.storage.families import Family, save_child, save_family
from facealbum.storage.photos import (
    NewPhoto,
    Problem,
    clear_problems,
    load_known_photos,
    original_key,
    save_photos,
    save_problems,
)

PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".gif"})
VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv", ".3gp"})
_GROUP = 64


@dataclass(slots=True)
class ImportResult:
    """What an import did; `unchanged` photos were there before, `duplicates` under another name."""

    families: set[str] = field(default_factory=set)
    children: int = 0
    photos: int = 0
    unchanged: int = 0
    duplicates: int = 0
    problems: list[ImportProblem] = field(default_factory=list)


@dataclass(slots=True)
class _Known:
    """The family's photos: content by id, and id by content."""

    content: dict[PhotoId, bytes | None]
    owner: dict[bytes, PhotoId]


def import_manifests(context: Context, photos_csv: Path, families_csv: Path | None) -> ImportResult:
    """Import what the manifests list; what can't be used is in the result's problems."""
    result = ImportResult()
    if families_csv is not None:
        _import_families(context, families_csv, result)
    try:
        manifest = read_photo_manifest(photos_csv)
    except ManifestError as error:
        result.problems.append(ImportProblem(photos_csv.name, error.code, str(error)))
        return result
    result.problems.extend(manifest.problems)
    _import_photos(context, manifest.photos, result)
    return result


def import_folder(context: Context, folder: Path, family: str, children: Sequence[Child] = ()) -> ImportResult:
    """Import every picture below the folder; a photo's key is its path inside the folder."""
    result = ImportResult()
    _save_family(context, family, children, result)
    _import_photos(context, list(_files(folder, family, result)), result)
    return result


def _import_families(context: Context, path: Path, result: ImportResult) -> None:
    try:
        manifest = read_family_manifest(path, today=context.clock().date())
    except ManifestError as error:
        result.problems.append(ImportProblem(path.name, error.code, str(error)))
        return
    result.problems.extend(manifest.problems)
    for name in manifest.families:
        _save_family(context, name, [child for family, child in manifest.children if family == name], result)


def _save_family(context: Context, name: str, children: Sequence[Child], result: ImportResult) -> Family:
    with context.database.begin() as connection:
        family = save_family(connection, name, now=context.clock())
        for child in children:
            result.children += save_child(connection, family.family_id, child, now=context.clock())
    result.families.add(name)
    return family


def _files(folder: Path, family: str, result: ImportResult) -> Iterator[PhotoFile]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(here) / name
            key = path.relative_to(folder).as_posix()
            if path.suffix.lower() in PICTURES:
                yield PhotoFile(family, key, path, None, key)
            elif path.suffix.lower() in VIDEOS:
                detail = "videos can't be analysed by this version; the file was left out"
                result.problems.append(ImportProblem(key, "video", detail, family, key))


def _import_photos(context: Context, photos: Sequence[PhotoFile], result: ImportResult) -> None:
    context.progress.begin("Importing photos", len(photos))
    in_order = sorted(photos, key=lambda photo: photo.family)
    for name, files in groupby(in_order, key=lambda photo: photo.family):
        with context.database.begin() as connection:
            family = save_family(connection, name, now=context.clock())
            result.families.add(name)
            rows = load_known_photos(connection, family.family_id)
        known = _Known(
            {row.photo_id: row.sha256 for row in rows},
            {row.sha256: row.photo_id for row in rows if row.sha256},
        )
        while group := list(islice(files, _GROUP)):
            _import_group(context, family, group, known, result)
            context.progress.advance(len(group))


def _import_group(
    context: Context, family: Family, group: Iterable[PhotoFile], known: _Known, result: ImportResult
) -> None:
    new: list[NewPhoto] = []
    problems: dict[PhotoId, Problem] = {
        photo_id(family.family_id, problem.photo): Problem(
            photo_id(family.family_id, problem.photo), "import", problem.code, problem.detail
        )
        for problem in result.problems
        if problem.family == family.name and problem.photo
    }
    seen = []
    for file in group:
        identity = photo_id(family.family_id, file.key)
        try:
            photo = _take(context, family, file, known, result)
        except PhotoError as error:
            result.problems.append(ImportProblem(file.where, error.code, str(error), file.family, file.key))
            problems[identity] = Problem(identity, "import", error.code, str(error))
            photo = _without_content(context, identity, file) if identity not in known.content else None
        seen.append(identity)
        if photo is not None:
            new.append(photo)
            known.content[identity] = photo.sha256
    with context.database.begin() as connection:
        save_photos(connection, family.family_id, new, now=context.clock())
        here = [identity for identity in seen if identity in known.content]
        save_problems(
            connection,
            family.family_id,
            [problems[identity] for identity in here if identity in problems],
            now=context.clock(),
        )
        passed = [identity for identity in here if identity not in problems]
        clear_problems(connection, family.family_id, passed, stage="import")


def _take(context: Context, family: Family, file: PhotoFile, known: _Known, result: ImportResult) -> NewPhoto | None:
    """The photo to register, its bytes stored; None if there is nothing to do."""
    data = _read(file.path, context.settings.max_photo_bytes)
    sha256 = hashlib.sha256(data).digest()
    identity = photo_id(family.family_id, file.key)
    before = known.content.get(identity)
    if before == sha256:
        result.unchanged += 1
        return None
    if before is not None:
        raise PhotoError(f"photo {file.key!r} is registered with other content; give the new picture a name of its own")
    if known.owner.setdefault(sha256, identity) != identity:
        result.duplicates += 1
        return None
    context.objects.put(original_key(family.family_id, sha256), data)
    result.photos += 1
    return NewPhoto(identity, file.key, sha256, len(data), *_taken_at(file))


def _read(path: Path, most: int) -> bytes:
    """The file's bytes; raises a PhotoError that names the file if it can't be a photo."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise MissingFileError(f"{path} must be a file, but it is a folder or a device")
        if size > most:
            raise ImageSizeError(f"{path} has {size} bytes; FACEALBUM_MAX_PHOTO_BYTES allows {most}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingFileError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise MissingFileError(f"{path} can't be read: {error}") from error
    if not data:
        raise EmptyFileError(f"{path} has no bytes")
    return data


def _taken_at(file: PhotoFile) -> tuple[datetime, str]:
    """When the photo was taken as far as the import knows; analysis corrects "file" from EXIF."""
    if file.taken_at is not None:
        return file.taken_at, "manifest"
    return datetime.fromtimestamp(file.path.stat().st_mtime, UTC), "file"


def _without_content(context: Context, identity: PhotoId, file: PhotoFile) -> NewPhoto:
    """The row that keeps a photo's problem in view until its file can be read."""
    source = "file" if file.taken_at is None else "manifest"
    return NewPhoto(identity, file.key, None, None, file.taken_at or context.clock(), source)
