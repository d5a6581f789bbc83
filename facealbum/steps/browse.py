"""What programs read of a family: its photos, persons, faces and albums, a bounded part at a time.

Persons are those of the arm that the family is shown; every part is read in one transaction and shows the moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId
from facealbum.errors import UnknownFaceError, UnknownPersonError, UnknownPhotoError
from facealbum.steps.context import Context
from facealbum.storage.browse import (
    ListedPhoto,
    load_face_ids_of,
    load_listed_photos,
    load_spans,
)
from facealbum.storage.database import Transaction
from facealbum.storage.families import open_family
from facealbum.storage.people import load_served_arm_id
from facealbum.storage.shown_faces import Place, ShownFace, ShownPhoto, load_faces_by_id, load_faces_of, load_photo
from facealbum.storage.shown_persons import (
    ShownPerson,
    load_person_record,
    load_pictures,
    load_shown_person,
    load_shown_persons,
)
from facealbum.storage.uploads import PhotoState, load_photo_state


@dataclass(frozen=True, slots=True)
class Person:
    """A person, when its first and last face was taken, and a good one of them; merged_into: who it is now."""

    shown: ShownPerson
    first: datetime | None
    last: datetime | None
    picture: FaceId | None
    merged_into: PersonId | None = None


@dataclass(frozen=True, slots=True)
class PhotoDetail:
    """A photo, video or frame: how far its upload is, and its faces in the order of time and from left to right."""

    shown: ShownPhoto
    state: PhotoState
    faces: Sequence[ShownFace]


def list_photos(
    context: Context, family: FamilyId, *, limit: int, before: tuple[datetime, PhotoId] | None = None
) -> list[ListedPhoto]:
    """Photos and videos, newest first, behind this place; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        return load_listed_photos(transaction, family, limit=limit, before=before)


def read_photo(context: Context, family: FamilyId, photo: PhotoId) -> PhotoDetail:
    """The photo, video or frame; raises UnknownFamilyError and UnknownPhotoError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        shown = load_photo(transaction, family, photo)
        state = load_photo_state(transaction, family, shown.video_id or photo) if shown else None
        if shown is None or state is None:
            raise UnknownPhotoError(f"the family has no photo of the id {photo}; it may have been deleted")
        ids = load_face_ids_of(transaction, family, photo)
        found = load_faces_by_id(transaction, family, load_served_arm_id(transaction, family), ids)
    return PhotoDetail(shown, state, sorted(found, key=lambda face: (face.taken_at, *face.box)))


def list_persons(
    context: Context, family: FamilyId, *, limit: int, after: tuple[int, PersonId] | None = None
) -> list[Person]:
    """Persons that have faces, those with most first, behind this place; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        arm_id = load_served_arm_id(transaction, family)
        shown = load_shown_persons(transaction, family, arm_id, limit=limit, after=after)
        return _with_spans(transaction, family, arm_id, shown)


def read_person(context: Context, family: FamilyId, person: PersonId) -> Person:
    """The person under whichever arm it is of; raises UnknownFamilyError and UnknownPersonError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        record = load_person_record(transaction, family, person)
        shown = load_shown_person(transaction, family, record.arm_id, person) if record else None
        if record is None or shown is None:
            raise UnknownPersonError(f"the family has no person of the id {person}; a decision may have been undone")
        (found,) = _with_spans(transaction, family, record.arm_id, [shown])
        return replace(found, merged_into=record.merged_into)


def list_faces(
    context: Context, family: FamilyId, person: PersonId | None, *, limit: int, before: Place | None = None
) -> list[ShownFace]:
    """The faces of the person, or those that have none, newest first, behind this place.

    Raises UnknownFamilyError and UnknownPersonError.
    """
    with context.database.begin() as transaction:
        open_family(transaction, family)
        arm_id = load_served_arm_id(transaction, family)
        if person is not None:
            record = load_person_record(transaction, family, person)
            if record is None:
                raise UnknownPersonError(f"the family has no person of the id {person}")
            arm_id = record.arm_id
        return load_faces_of(transaction, family, arm_id, person, limit=limit, before=before)


def read_face(context: Context, family: FamilyId, face: FaceId) -> ShownFace:
    """The face; raises UnknownFamilyError and UnknownFaceError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        found = load_faces_by_id(transaction, family, load_served_arm_id(transaction, family), [face])
    if not found:
        raise UnknownFaceError(f"the family has no face of the id {face}; its photo may have been deleted")
    return found[0]


def _with_spans(
    transaction: Transaction, family: FamilyId, arm_id: int | None, shown: Sequence[ShownPerson]
) -> list[Person]:
    of = [one.person_id for one in shown]
    spans = load_spans(transaction, family, arm_id, of)
    pictures = load_pictures(transaction, family, arm_id, of)
    found = []
    for one in shown:
        first, last = spans.get(one.person_id, (None, None))
        found.append(Person(one, first, last, pictures.get(one.person_id)))
    return found
