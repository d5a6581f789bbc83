"""Deleting one upload with everything that is known of it, and its coming again.

Deleting a family is in storage.families.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, delete, exists, func, or_, select

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.domain.months import Month
from facealbum.storage.observations import Arm
from facealbum.storage.past import forget_upload
from facealbum.storage.photos import UPLOADED
from facealbum.storage.schema import assignments, faces, persons, photos, runs


def load_upload(connection: Connection, family: FamilyId, key: str) -> tuple[PhotoId, bytes | None] | None:
    """The id and the content's SHA-256 of the photo or video of this key; None if there is none."""
    query = select(photos.c.photo_id, photos.c.sha256).where(
        photos.c.family_id == family, photos.c.key == key, UPLOADED
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (PhotoId(row.photo_id), bytes(row.sha256) if row.sha256 else None)


def delete_upload(connection: Connection, family: FamilyId, upload: PhotoId) -> int:
    """Delete the rows of the photo, or of the video with its frames; tells how many persons went with them.

    A person goes with the last face that is surely its own.
    """
    own = (photos.c.photo_id == upload) | (photos.c.video_id == upload)
    query = (
        select(assignments.c.person_id)
        .distinct()
        .join(faces, (faces.c.family_id == assignments.c.family_id) & (faces.c.face_id == assignments.c.face_id))
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(photos.c.family_id == family, own)
    )
    shown = set(connection.execute(query).scalars())
    connection.execute(delete(photos).where(photos.c.family_id == family, photos.c.photo_id == upload))
    forget_upload(connection, family, upload)
    return _delete_faceless(connection, family, shown)


def load_arrival_marks(connection: Connection, family: FamilyId, arm: Arm, month: Month) -> list[str]:
    """A mark if photos of the month came after runs of it: how many.

    A photo that was deleted and comes again has the faces that it had, but no run has looked at them since.
    """
    newest = (
        select(func.max(photos.c.created_at))
        .join(faces, (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id))
        .where(photos.c.family_id == family, faces.c.taken_at >= month.start(), faces.c.taken_at < month.next().start())
        .scalar_subquery()
    )
    query = select(func.count()).where(
        runs.c.family_id == family,
        runs.c.arm_id == arm.arm_id,
        runs.c.month == month.start().date(),
        runs.c.started_at < newest,
    )
    count = connection.execute(query).scalar_one()
    return [f"after {count} runs"] if count else []


def _delete_faceless(connection: Connection, family: FamilyId, some: Collection[UUID]) -> int:
    """Delete those of the persons that have no confirmed face, and whoever was merged into them before."""
    has_face = exists().where(
        assignments.c.family_id == persons.c.family_id,
        assignments.c.person_id == persons.c.person_id,
        assignments.c.state == "confirmed",
    )
    gone: set[UUID] = set()
    while some:
        doomed = or_(persons.c.person_id.in_(some), persons.c.merged_into.in_(some))
        statement = delete(persons).where(persons.c.family_id == family, doomed, ~has_face)
        some = set(connection.execute(statement.returning(persons.c.person_id)).scalars())
        gone |= some
    return len(gone)
