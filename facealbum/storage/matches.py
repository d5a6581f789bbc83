"""Provisional matches: which uploads no run has looked at yet, and with whom their faces are shown until one does."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Date, cast, delete, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import insert

from facealbum.clustering import Observation
from facealbum.clustering.match import Match
from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId
from facealbum.storage.observations import Arm, load_unconfirmed
from facealbum.storage.schema import assignments, faces, photos, runs

_UPLOAD = func.coalesce(photos.c.video_id, photos.c.photo_id)


def load_fresh_uploads(connection: Connection, family: FamilyId, arm: Arm) -> list[PhotoId]:
    """Photos and videos with faces that were analysed after the last run that could see them, sorted.

    A run sees every waiting face up to the end of its month.
    """
    month = cast(func.date_trunc("month", func.timezone("UTC", photos.c.taken_at)), Date)
    last_run = (
        select(func.max(runs.c.started_at))
        .where(
            runs.c.family_id == photos.c.family_id,
            runs.c.arm_id == arm.arm_id,
            runs.c.status == "done",
            runs.c.month >= month,
        )
        .scalar_subquery()
    )
    query = (
        select(_UPLOAD.label("upload"))
        .distinct()
        .join(faces, (faces.c.family_id == photos.c.family_id) & (faces.c.photo_id == photos.c.photo_id))
        .where(
            photos.c.family_id == family,
            photos.c.analysed_at > func.coalesce(last_run, literal_column("timestamptz '-infinity'")),
        )
        .order_by("upload")
    )
    return [PhotoId(row.upload) for row in connection.execute(query)]


def load_faces_of(
    connection: Connection, family: FamilyId, arm: Arm, uploads: Collection[PhotoId]
) -> list[Observation]:
    """The faces of these photos and videos that have no confirmed person."""
    here = select(photos.c.photo_id).where(photos.c.family_id == family, _UPLOAD.in_(uploads))
    return load_unconfirmed(connection, family, arm, faces.c.photo_id.in_(here))


def load_provisional(connection: Connection, family: FamilyId, arm: Arm) -> dict[FaceId, PersonId]:
    """The person that each face is shown with until a run decides."""
    query = select(assignments.c.face_id, assignments.c.person_id).where(
        assignments.c.family_id == family, assignments.c.arm_id == arm.arm_id, assignments.c.state == "provisional"
    )
    return {FaceId(row.face_id): PersonId(row.person_id) for row in connection.execute(query)}


def save_matches(
    connection: Connection, family: FamilyId, arm: Arm, *, of: Sequence[FaceId], matches: Iterable[Match], now: datetime
) -> None:
    """Have exactly these provisional matches among the faces `of`; one that is there already stays as it is."""
    rows = [
        {
            "family_id": family,
            "arm_id": arm.arm_id,
            "face_id": one.face_id,
            "person_id": one.person_id,
            "state": "provisional",
            "score": one.score,
            "assigned_at": now,
        }
        for one in matches
    ]
    connection.execute(
        delete(assignments).where(
            assignments.c.family_id == family,
            assignments.c.arm_id == arm.arm_id,
            assignments.c.state == "provisional",
            assignments.c.face_id.in_(of),
            assignments.c.face_id.not_in([row["face_id"] for row in rows]),
        )
    )
    if not rows:
        return
    statement = insert(assignments)
    news = {name: statement.excluded[name] for name in ("person_id", "score")}
    changed = or_(*(assignments.c[name] != value for name, value in news.items()))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(assignments.primary_key),
            set_={**news, "assigned_at": statement.excluded.assigned_at},
            where=(assignments.c.state == "provisional") & changed,
        ),
        rows,
    )
