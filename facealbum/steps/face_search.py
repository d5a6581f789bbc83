"""Finding a face again within one family: by one of its faces, or by a picture that somebody brings.

A picture is analysed in a process of its own, which ends with it whatever the picture does to it, and nothing of it is
kept.  Price: the models are loaded for each picture, and one is analysed at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from facealbum.clustering.likeness import CALIBRATED, NEAREST, chance_of_face, chance_of_person
from facealbum.domain.faces import Face
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.errors import NoFaceError, UnknownFaceError
from facealbum.steps.browse import read_face
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, installed_space, models_folder
from facealbum.steps.reading import arm_of_family
from facealbum.storage.analyses import ensure_space
from facealbum.storage.database import Transaction
from facealbum.storage.face_search import Wanted, load_embedding, load_similar_faces, load_similar_persons
from facealbum.storage.families import open_family
from facealbum.storage.observations import load_arm
from facealbum.storage.serving import load_served_arm
from facealbum.storage.shown_faces import ShownFace, load_faces_by_id
from facealbum.storage.shown_persons import ShownPerson, load_shown_person
from facealbum.storage.spaces import load_space_name
from models.apart import analyze_apart
from models.limits import Limits

_one_at_a_time = Lock()


@dataclass(frozen=True, slots=True)
class LikeFace:
    """A face, its cosine similarity, and how likely it is the same person; None in a space where that is not known."""

    face: ShownFace
    similarity: float
    chance: float | None


@dataclass(frozen=True, slots=True)
class LikePerson:
    """The same of a person, by the mean of its nearest faces."""

    person: ShownPerson
    similarity: float
    chance: float | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """Who is most similar, and which faces are, most similar first."""

    persons: Sequence[LikePerson]
    faces: Sequence[LikeFace]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a family is searched: under which arm, if any has run, and in which space."""

    arm_id: int | None
    space_id: int
    space: str


def search_by_face(context: Context, family: FamilyId, face: FaceId, *, limit: int) -> Likeness:
    """Who resembles one of the family's faces; raises UnknownFamilyError and UnknownFaceError."""
    read_face(context, family, face)
    with context.database.begin() as transaction:
        open_family(transaction, family)
        place = _place(context, transaction, family)
        embedding = load_embedding(transaction, family, face, space_id=place.space_id)
        if embedding is None:
            raise UnknownFaceError(f"face {face} has no embedding in the space {place.space} yet; try again later")
        return _search(transaction, family, place, Wanted(embedding, place.space_id, limit, face))


def search_by_picture(context: Context, family: FamilyId, data: bytes, *, limit: int) -> tuple[Face, int, Likeness]:
    """The picture's largest face, how many there are in it, and who resembles it.

    Raises UnknownFamilyError, a PhotoError for what can't be analysed or shows no face, and ModelNotInstalledError.
    """
    with context.database.begin() as transaction:
        open_family(transaction, family)
        place = _place(context, transaction, family)
    embedder = find_embedder(place.space, models_folder(context.settings))
    with _one_at_a_time:
        found = analyze_apart(data, embedder, Limits(context.settings.max_pixels))
    if not found:
        raise NoFaceError("the picture must show a face, and none was found; take one that shows it larger")
    face = max(found, key=lambda one: one.box.width * one.box.height)
    with context.database.begin() as transaction:
        open_family(transaction, family)
        found_again = _search(transaction, family, place, Wanted(face.embedding, place.space_id, limit))
    return face, len(found), found_again


def _place(context: Context, transaction: Transaction, family: FamilyId) -> _Place:
    arm = load_arm(transaction, load_served_arm(transaction, family))
    if arm is None:
        space = installed_space(transaction)
        return _Place(None, ensure_space(transaction, space), space)
    arm = arm_of_family(transaction, context.settings, family, arm)
    return _Place(arm.arm_id, arm.space_id, load_space_name(transaction, arm.space_id))


def _search(transaction: Transaction, family: FamilyId, place: _Place, wanted: Wanted) -> Likeness:
    known = place.space == CALIBRATED
    similar = dict(load_similar_faces(transaction, family, wanted))
    shown = {one.face_id: one for one in load_faces_by_id(transaction, family, place.arm_id, similar)}
    faces = [LikeFace(shown[face], value, chance_of_face(value) if known else None) for face, value in similar.items()]
    if place.arm_id is None:
        return Likeness((), faces)
    alike = load_similar_persons(transaction, family, wanted, arm_id=place.arm_id, nearest=NEAREST)
    persons = [
        LikePerson(person, value, chance_of_person(value) if known else None)
        for who, value in alike
        if (person := load_shown_person(transaction, family, place.arm_id, who))
    ]
    return Likeness(persons, faces)
