"""A family's faces as pages show them, a bounded number at a time, each with whose it is under one arm.

Pages go on by keys, never by counting rows off: newest face first, `Place` telling where the page before ended.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select, tuple_

from facealbum.domain.faces import is_turned
from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId, RunId
from facealbum.storage.schema import assignments, faces, photos
from facealbum.storage.told import AGE, P_FEMALE


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of faces ended."""

    taken_at: datetime
    face_id: FaceId


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face, and whose it is; box: left, top, right, bottom in pixels, upright; state: None where it waits.

    age, p_female: as users say, else the models; None where a user says that these are wrong, and no more.
    """

    face_id: FaceId
    photo_id: PhotoId
    taken_at: datetime
    box: Sequence[float]
    yaw: float
    pitch: float
    roll: float
    age: float | None
    p_female: float | None
    quality: float
    excluded: bool
    person_id: PersonId | None
    state: str | None

    @property
    def turned(self) -> bool:
        """Whether it is strongly turned to a side."""
        return is_turned(self.yaw)

    @property
    def place(self) -> Place:
        """Where a page ends that this face is the last of."""
        return Place(self.taken_at, self.face_id)


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """A photo, or a frame of a video; pixels of the upright image, unknown before it is analysed."""

    photo_id: PhotoId
    key: str
    taken_at: datetime
    width: int | None
    height: int | None
    status: str
    video_id: PhotoId | None
    frame_ms: int | None


def load_faces_of(
    connection: Connection,
    family: FamilyId,
    arm_id: int | None,
    person: PersonId | None,
    *,
    limit: int,
    before: Place | None = None,
) -> list[ShownFace]:
    """Faces of the person, or those that wait, newest first."""
    query = _faces(family, arm_id).where(
        ~faces.c.excluded, assignments.c.person_id.is_not_distinct_from(person) if person is None else _is(person)
    )
    if before is not None:
        query = query.where(tuple_(faces.c.taken_at, faces.c.face_id) < tuple_(before.taken_at, before.face_id))
    return _shown(connection, query.order_by(faces.c.taken_at.desc(), faces.c.face_id.desc()).limit(limit))


def load_faces_in(connection: Connection, family: FamilyId, arm_id: int | None, photo: PhotoId) -> list[ShownFace]:
    """Every face of the photo from left to right, those that a user called none, too."""
    query = _faces(family, arm_id).where(faces.c.photo_id == photo)
    return sorted(_shown(connection, query), key=lambda face: (face.box[0], face.box[1]))


def load_faces_by_id(
    connection: Connection, family: FamilyId, arm_id: int | None, ids: Collection[UUID]
) -> list[ShownFace]:
    """These faces, as far as they are there, newest first."""
    query = _faces(family, arm_id).where(faces.c.face_id.in_(ids))
    return _shown(connection, query.order_by(faces.c.taken_at.desc(), faces.c.face_id.desc()))


def load_faces_by_run(
    connection: Connection, family: FamilyId, arm_id: int, person: PersonId, run: RunId, *, limit: int
) -> tuple[list[ShownFace], list[ShownFace]]:
    """The newest faces of the person that it has from elsewhere, and those that the run gave it."""
    query = _faces(family, arm_id).where(~faces.c.excluded, _is(person))
    newest = query.order_by(faces.c.taken_at.desc(), faces.c.face_id.desc()).limit(limit)
    earlier, joined = (
        _shown(connection, newest.where(whose))
        for whose in (assignments.c.run_id.is_distinct_from(run), assignments.c.run_id == run)
    )
    return earlier, joined


def load_newest_moment(connection: Connection, family: FamilyId) -> datetime | None:
    """When the family's newest photo was taken."""
    return connection.execute(select(func.max(photos.c.taken_at)).where(photos.c.family_id == family)).scalar()


def load_photo(connection: Connection, family: FamilyId, photo: PhotoId) -> ShownPhoto | None:
    """The photo of this id."""
    query = select(
        photos.c.photo_id,
        photos.c.key,
        photos.c.taken_at,
        photos.c.width,
        photos.c.height,
        photos.c.status,
        photos.c.video_id,
        photos.c.frame_ms,
    ).where(photos.c.family_id == family, photos.c.photo_id == photo)
    row = connection.execute(query).one_or_none()
    return None if row is None else ShownPhoto(*row)


def _is(person: PersonId) -> Any:  # noqa: ANN401 - SQLAlchemy's expressions
    """The person's own faces; without this the index by person isn't used."""
    return assignments.c.person_id == person


def _faces(family: FamilyId, arm_id: int | None) -> Select[Any]:
    mine = (
        (assignments.c.family_id == faces.c.family_id)
        & (assignments.c.family_id == family)
        & (assignments.c.face_id == faces.c.face_id)
        & (assignments.c.arm_id == arm_id)
    )
    columns = (
        *(faces.c.face_id, faces.c.photo_id, faces.c.taken_at, faces.c.box, faces.c.yaw, faces.c.pitch, faces.c.roll),
        *(AGE.label("age"), P_FEMALE.label("p_female"), faces.c.quality, faces.c.excluded),
        *(assignments.c.person_id, assignments.c.state),
    )
    return select(*columns).outerjoin(assignments, mine).where(faces.c.family_id == family)


def _shown(connection: Connection, query: Select[Any]) -> list[ShownFace]:
    return [ShownFace(*row) for row in connection.execute(query)]
