"""Import: registers families, children, photos and videos, and puts their bytes into the object store.

Bytes first, then the row, in groups that each commit; an import cut short goes on where it stopped, and one made
twice changes nothing.  The same content is one photo of a family, whatever it is called.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path
from typing import BinaryIO

from facealbum.domain.ids import PhotoId, family_id, photo_id
from facealbum.domain.people import Child
from facealbum.domain.photos import Problem, original_key
from facealbum.domain.videos import is_frame_key
from facealbum.errors import ManifestError, MissingFileError, PhotoError
from facealbum.steps.accepted import PICTURES, VIDEOS
from facealbum.steps.children import register_children
from facealbum.steps.context import Context
from facealbum.steps.manifests import (
    ImportProblem,
    PhotoFile,
    check_name,
    read_family_manifest,
    read_photo_manifest,
)
from facealbum.steps.register import Fate, Registered, check_file, promise_photos, register_photos
from facealbum.storage.families import save_family
from facealbum.storage.photos import NewPhoto, clear_problems, load_known_photos, save_problems
from facealbum.storage.uploads import is_family, load_contents

_GROUP = 64


@dataclass(slots=True)
class ImportResult:
    """What an import did; `unchanged` photos were there before, `duplicates` under another name.

    relinked: persons who got, lost or changed their child, because a child was corrected.  unlisted: families that are
    new by their photos alone, although there is a list of families.
    """

    families: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    children: int = 0
    relinked: int = 0
    photos: int = 0
    unchanged: int = 0
    duplicates: int = 0
    problems: list[ImportProblem] = field(default_factory=list)


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
    if families_csv is not None:
        result.unlisted = _unknown_families(context, {photo.family for photo in manifest.photos})
    _import_photos(context, manifest.photos, result)
    return result


def import_folder(context: Context, folder: Path, family: str, children: Sequence[Child] = ()) -> ImportResult:
    """Import every picture and video below the folder; the key of each is its path inside the folder.

    Without any that is a problem, and the family is registered only if children are told.
    """
    result = ImportResult()
    photos = list(_files(folder, check_name(family, "family")))
    if photos or children:
        _save_family(context, family, children, result)
    if not photos:
        known = " ".join(sorted(PICTURES | VIDEOS))
        result.problems.append(ImportProblem(str(folder), "no_photos", f"no file below it ends in {known}", family))
    _import_photos(context, photos, result)
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


def _unknown_families(context: Context, names: Collection[str]) -> set[str]:
    with context.database.begin() as connection:
        return {name for name in names if not is_family(connection, family_id(name))}


def _save_family(context: Context, name: str, children: Sequence[Child], result: ImportResult) -> None:
    with context.database.begin() as connection:
        family = save_family(connection, name, now=context.clock())
        changed, relinked = register_children(context, connection, family.family_id, children)
    result.children += changed
    result.relinked += relinked
    result.families.add(name)


def _files(folder: Path, family: str) -> Iterator[PhotoFile]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = Path(here) / name
            key = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
            if path.suffix.lower() in PICTURES | VIDEOS:
                yield PhotoFile(family, key, path, None, key)


def _import_photos(context: Context, photos: Sequence[PhotoFile], result: ImportResult) -> None:
    context.progress.begin("Importing photos", len(photos))
    in_order = sorted(photos, key=lambda photo: photo.family)
    for name, files in groupby(in_order, key=lambda photo: photo.family):
        family = _FamilyImport(context, name, result)
        while group := list(islice(files, _GROUP)):
            family.take(group)
            context.progress.advance(len(group))


class _FamilyImport:
    """The import of one family's photos, group by group.

    `contents` is what the family has by photo (None while its file is missing), `owners` the photo of each content,
    `taken` when each photo that was known before was taken.
    """

    def __init__(self, context: Context, name: str, result: ImportResult) -> None:
        self.context = context
        self.name = name
        self.result = result
        with context.database.begin() as connection:
            self.family = save_family(connection, name, now=context.clock()).family_id
            known = load_known_photos(connection, self.family)
        result.families.add(name)
        self.contents = {photo.photo_id: photo.sha256 for photo in known}
        self.taken = {photo.photo_id: photo.taken_at for photo in known}
        self.owners = {photo.sha256: photo.photo_id for photo in known if photo.sha256}
        self.problems = {
            photo_id(self.family, problem.photo): self._problem(problem)
            for problem in result.problems
            if problem.family == name and problem.photo
        }

    def take(self, group: Sequence[PhotoFile]) -> None:
        """Store the bytes of these files, then register them and what is wrong with them in one transaction."""
        found = [(file, photo) for file in group if (photo := self._take(file)) is not None]
        promise_photos(self.context, self.family, [photo for _, photo in found])
        new = [photo for file, one in found if (photo := self._store(file, one)) is not None]
        self.contents.update((photo.photo_id, photo.sha256) for photo in new)
        here = {photo_id(self.family, file.key) for file in group} & self.contents.keys()
        with self.context.database.begin() as connection:
            results = register_photos(self.context, connection, self.family, new)
            self._note_others(new, results)
            here &= load_contents(connection, self.family, here).keys()  # not what another import has brought
            wrong = here & self.problems.keys()
            problems = [self.problems[photo] for photo in sorted(wrong)]
            save_problems(connection, self.family, problems, now=self.context.clock())
            clear_problems(connection, self.family, here - wrong, stage="import")

    def _note_others(self, new: Sequence[NewPhoto], results: Sequence[Registered]) -> None:
        """Count anew what somebody beside this import has registered, or deleted, meanwhile."""
        for photo, result in zip(new, results, strict=True):
            if photo.sha256 is None or result.fate is Fate.REGISTERED:
                continue
            self.result.photos -= 1
            if result.fate is Fate.KNOWN:
                self.result.unchanged += 1
            elif result.fate is Fate.DUPLICATE:
                self.result.duplicates += 1
            else:
                detail = f"photo {photo.key!r} was changed by somebody else while it was imported; import it again"
                self.result.problems.append(ImportProblem(photo.key, PhotoError.code, detail, self.name, photo.key))

    def _take(self, file: PhotoFile) -> NewPhoto | None:
        """The photo to register, its bytes not stored yet; None if there is nothing to do."""
        identity = photo_id(self.family, file.key)
        try:
            return self._take_content(file, identity)
        except PhotoError as error:
            return self._note(file, error)

    def _store(self, file: PhotoFile, photo: NewPhoto) -> NewPhoto | None:
        """The photo with its bytes stored, or as `_note` leaves it."""
        if photo.sha256 is None:
            return photo
        try:
            with _opened(file.path) as content:
                self.context.objects.put_file(original_key(self.family, photo.sha256), content, sha256=photo.sha256)
        except PhotoError as error:
            self.result.photos -= 1
            return self._note(file, error)
        return photo

    def _note(self, file: PhotoFile, error: PhotoError) -> NewPhoto | None:
        """Note what is wrong with the file, and give the row that keeps it in view if there is none."""
        problem = ImportProblem(file.where, error.code, str(error), file.family, file.key)
        self.result.problems.append(problem)
        identity = photo_id(self.family, file.key)
        self.problems[identity] = self._problem(problem)
        return None if identity in self.contents else self._without_content(file, identity)

    def _take_content(self, file: PhotoFile, identity: PhotoId) -> NewPhoto | None:
        if is_frame_key(file.key):
            raise PhotoError("a photo must not be named like a frame of a video (#t=SECONDS); give it another name")
        with _opened(file.path) as content:
            sha256, size = check_file(content, self.context.settings, str(file.path))
        before = self.contents.get(identity)
        if before == sha256:
            self.result.unchanged += 1
            self._check_date(file, identity)
            return None
        if before is not None:
            raise PhotoError(
                f"photo {file.key!r} is registered with other content; give the new picture a name of its own"
            )
        if self.owners.setdefault(sha256, identity) != identity:
            self.result.duplicates += 1
            return None
        self.result.photos += 1
        return NewPhoto(identity, file.key, sha256, size, *_taken_at(file, now=self.context.clock()))

    def _check_date(self, file: PhotoFile, identity: PhotoId) -> None:
        """Raise a PhotoError where the manifest gives a known photo another date, as what is known stays as it is."""
        known = self.taken.get(identity, file.taken_at)
        if file.taken_at not in (None, known):
            raise PhotoError(
                f"photo {file.key!r} is known as taken at {known}, and stays so; the manifest says {file.taken_at}:"
                " if that is right, delete it with `facealbum photo delete` and import it again"
            )

    def _without_content(self, file: PhotoFile, identity: PhotoId) -> NewPhoto:
        """The row that keeps a photo's problem in view until its file can be read."""
        source = "file" if file.taken_at is None else "manifest"
        return NewPhoto(identity, file.key, None, None, file.taken_at or self.context.clock(), source)

    def _problem(self, problem: ImportProblem) -> Problem:
        return Problem(photo_id(self.family, problem.photo), "import", problem.code, problem.detail)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file, to be read; raises a MissingFileError that names it."""
    try:
        if not path.is_file() and path.exists():
            raise MissingFileError(f"{path} must be a file, but it is a folder or a device")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise MissingFileError(f"there is no file {path}") from None
    except (OSError, ValueError) as error:
        raise MissingFileError(f"{path} can't be read: {error}") from error


def _taken_at(file: PhotoFile, *, now: datetime) -> tuple[datetime, str]:
    """When the photo was taken as far as the import knows; analysis corrects "file" from what the content says."""
    if file.taken_at is not None:
        return file.taken_at, "manifest"
    return min(now, datetime.fromtimestamp(file.path.stat().st_mtime, UTC)), "file"
