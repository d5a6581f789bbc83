"""What faces leave behind when another detector finds a photo's faces anew: their persons, and what users said of them.

A face goes on in the new face of the same photo that overlaps it most, by half at least.  What was said of a face
that goes on in none stays on record and says nothing any more, until a detector finds that very face again: then what
it says of the face alone holds at once, and the rest from the next run on.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.corrections import find_heirs
from facealbum.domain.faces import Box
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.storage.decisions import rename_faces, repeat_facts
from facealbum.storage.schema import assignments, faces

_NOTHING_TOLD = {"excluded": False, "told_age": None, "told_p_female": None}
_Placed: TypeAlias = Mapping[FaceId, tuple[PhotoId, Box]]


@dataclass(frozen=True, slots=True)
class Legacy:
    """What is to be given on.

    heirs: old face -> new face.  places: rows of assignments, and told: what users said of faces, by new ids.
    others: faces that are new and no heirs; some may have been there once.
    """

    others: frozenset[FaceId]
    heirs: Mapping[FaceId, FaceId]
    places: list[dict[str, Any]]
    told: Mapping[FaceId, Mapping[str, Any]]


def bury_faces(connection: Connection, family: FamilyId, here: Select[Any], found: _Placed) -> Legacy:
    """Delete the faces of the photos `here` that are not among those found; tells what they leave to these."""
    known = {
        FaceId(row.face_id): row
        for row in connection.execute(select(faces).where(faces.c.family_id == family, faces.c.photo_id.in_(here)))
    }
    gone = {face: (PhotoId(row.photo_id), Box(*row.box)) for face, row in known.items() if face not in found}
    new = found.keys() - known.keys()
    if not gone:
        return Legacy(frozenset(new), {}, [], {})
    heirs = _find_heirs(gone, {face: found[face] for face in new})
    held = select(assignments).where(assignments.c.family_id == family, assignments.c.face_id.in_(heirs))
    places = [row._asdict() | {"face_id": heirs[row.face_id]} for row in connection.execute(held)]
    connection.execute(delete(faces).where(faces.c.family_id == family, faces.c.face_id.in_(gone)))
    told = {heir: {name: getattr(known[face], name) for name in _NOTHING_TOLD} for face, heir in heirs.items()}
    return Legacy(
        frozenset(new) - set(heirs.values()),
        heirs,
        places,
        {heir: words for heir, words in told.items() if words != _NOTHING_TOLD},
    )


def bequeath(connection: Connection, family: FamilyId, legacy: Legacy) -> None:
    """Give the heirs, whose rows are there now, what is theirs."""
    if legacy.places:
        connection.execute(insert(assignments), legacy.places)
    for face, words in legacy.told.items():
        here = (faces.c.family_id == family) & (faces.c.face_id == face)
        connection.execute(update(faces).where(here).values(words))
    if legacy.heirs:
        rename_faces(connection, family, legacy.heirs)
    if legacy.others:
        repeat_facts(connection, family, legacy.others)


def _find_heirs(old: _Placed, new: _Placed) -> dict[FaceId, FaceId]:
    """As corrections.find_heirs, photo by photo."""
    both: dict[PhotoId, tuple[dict[FaceId, Box], dict[FaceId, Box]]] = defaultdict(lambda: ({}, {}))
    for side, placed in enumerate((old, new)):
        for face, (photo, box) in placed.items():
            both[photo][side][face] = box
    return {face: heir for sides in both.values() for face, heir in find_heirs(*sides).items()}
