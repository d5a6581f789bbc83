"""Embedding faces again for another space: how far it is, and what it has left.

What is left is read off the faces, never counted along: a face lacks a vector until it has a true one, or a reason
why it can't get any.  So a process may die anywhere.  Whoever claims a family holds the row for that moment only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Row, and_, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from facealbum.domain.faces import Box, Embedding
from facealbum.domain.ids import FaceId, FamilyId, PhotoId
from facealbum.errors import InvalidValueError
from facealbum.storage.compat_schema import reembedding_problems, reembeddings
from facealbum.storage.schema import embedding_spaces, face_embeddings, faces, photos

_SOURCE, _TARGET = embedding_spaces.alias("source"), embedding_spaces.alias("target")


@dataclass(frozen=True, slots=True)
class Reembedding:
    """One pass over all families; faces: embedded so far.  paced_faces: those since `paced_from`, for its pace.

    rate: faces a second at most.  families_left: after so many more it pauses; None: it doesn't.
    """

    number: int
    source: str
    target: str
    target_id: int
    status: str
    rate: float | None
    families_left: int | None
    faces: int
    paced_from: datetime
    paced_faces: int
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Left:
    """Counts of faces by what they have in a space: a true vector, an adapter's, a reason for having none, nothing.

    `without`: neither vector nor reason.
    """

    true: int
    adapted: int
    lost: int
    without: int

    @property
    def faces(self) -> int:
        """All of them."""
        return self.true + self.adapted + self.lost + self.without

    @property
    def incomplete(self) -> int:
        """Those that can still be embedded."""
        return self.adapted + self.without


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face as analysis has found it; ms: of its frame in a video.  landmarks: x and y of five points, in turn."""

    face_id: FaceId
    ms: int | None
    box: Box
    landmarks: tuple[float, ...]
    score: float


@dataclass(frozen=True, slots=True)
class LackingUpload:
    """A photo or video with a face that lacks a true vector, and all faces that it shows."""

    family_id: FamilyId
    photo_id: PhotoId
    sha256: bytes
    faces: tuple[KnownFace, ...]


def start_reembedding(connection: Connection, *, spaces: tuple[int, int], now: datetime) -> Reembedding:
    """The one into the second space that has not ended, else a new one; reasons of before are forgotten.

    Raises InvalidValueError if one into another space has not ended.
    """
    running = load_open(connection)
    if running is not None:
        if running.target_id != spaces[1]:
            raise InvalidValueError(
                f"faces are being embedded for {running.target}; let that end: facealbum reembed status"
            )
        return running
    connection.execute(delete(reembedding_problems).where(reembedding_problems.c.space_id == spaces[1]))
    moments = dict.fromkeys(("paced_from", "started_at", "updated_at"), now)
    new = insert(reembeddings).values(source_space_id=spaces[0], target_space_id=spaces[1], status="running", **moments)
    return load_reembedding(connection, connection.execute(new.returning(reembeddings.c.number)).scalar_one())


def load_open(connection: Connection, *, claim: bool = False) -> Reembedding | None:
    """The one that has not ended; with `claim` the running one, held until the transaction ends, if nobody holds it."""
    state = reembeddings.c.status == "running" if claim else reembeddings.c.status != "done"
    query = select(reembeddings.c.number).where(state).order_by(reembeddings.c.number).limit(1)
    if claim:
        query = query.with_for_update(skip_locked=True)
    number = connection.execute(query).scalar_one_or_none()
    return None if number is None else load_reembedding(connection, number)


def load_reembedding(connection: Connection, number: int | None = None) -> Reembedding:
    """The one of this number, or the newest; raises InvalidValueError if there is none."""
    query = (
        select(reembeddings, _SOURCE.c.name.label("source"), _TARGET.c.name.label("target"))
        .join(_SOURCE, _SOURCE.c.space_id == reembeddings.c.source_space_id)
        .join(_TARGET, _TARGET.c.space_id == reembeddings.c.target_space_id)
        .order_by(reembeddings.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query if number is None else query.where(reembeddings.c.number == number)).one_or_none()
    if row is None:
        raise InvalidValueError("no faces were embedded again yet; begin by: facealbum reembed start SPACE")
    return _reembedding(row)


def has_finished(connection: Connection, target: int) -> bool:
    """Whether every face had its vector of this space, or a reason, at the end of one that went over all families."""
    query = exists().where(reembeddings.c.target_space_id == target, reembeddings.c.status == "done")
    return bool(connection.execute(select(query)).scalar_one())


def update_reembedding(connection: Connection, number: int, **values: object) -> None:
    """Change these columns."""
    connection.execute(update(reembeddings).where(reembeddings.c.number == number).values(**values))


def is_running(connection: Connection, number: int) -> bool:
    """Whether nobody has paused it since."""
    query = select(reembeddings.c.status).where(reembeddings.c.number == number)
    return connection.execute(query).scalar_one_or_none() == "running"


def count_embedded(connection: Connection, number: int, more: int, *, now: datetime) -> None:
    """So many more faces have their vector."""
    counted = {name: reembeddings.c[name] + more for name in ("faces", "paced_faces")}
    update_reembedding(connection, number, **counted, updated_at=now)


def claim_family(connection: Connection, running: Reembedding) -> FamilyId | None:
    """The next family, in the order of ids, with a face that lacks its vector; after the last one the first again.

    None: no face lacks any.  The caller holds the row.
    """
    after = select(reembeddings.c.after_family).where(reembeddings.c.number == running.number)
    last = connection.execute(after).scalar_one()
    lacking = select(faces.c.family_id).where(_lacks(running.target_id)).order_by(faces.c.family_id).limit(1)
    found = connection.execute(lacking.where(faces.c.family_id > (last or UUID(int=0)))).scalar_one_or_none()
    if found is None and last is not None:
        found = connection.execute(lacking).scalar_one_or_none()
    if found is None:
        return None
    update_reembedding(connection, running.number, after_family=found)
    return FamilyId(found)


def load_lacking(connection: Connection, family: FamilyId, target: int, *, adapted: bool = True) -> list[LackingUpload]:
    """The family's uploads with a face that lacks a true vector of this space, each with all faces that it shows.

    All, since the smallest face of a photo says at which size it is to be decoded.  adapted: an adapter's is not true;
    without it such a face lacks nothing.
    """
    upload = func.coalesce(photos.c.video_id, photos.c.photo_id)
    shown = (
        select(
            faces,
            photos.c.sha256,
            photos.c.frame_ms,
            upload.label("upload"),
            func.bool_or(_lacks(target, adapted=adapted)).over(partition_by=upload).label("lacks"),
        )
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(faces.c.family_id == family)
        .subquery()
    )
    query = select(shown).where(shown.c.lacks).order_by(shown.c.upload, shown.c.face_id)
    return [
        LackingUpload(family, PhotoId(key), bytes(rows[0].sha256), tuple(_known(row) for row in rows))
        for key, its in groupby(connection.execute(query), key=lambda row: row.upload)
        if (rows := list(its))
    ]


def save_embeddings(
    connection: Connection,
    family: FamilyId,
    target: int,
    embeddings: Sequence[tuple[FaceId, Embedding]],
    *,
    maker_id: int | None = None,
) -> int:
    """Write true vectors, in the place of an adapter's too; a face that is gone is left alone.  Tells how many."""
    here = select(faces.c.face_id).where(
        faces.c.family_id == family, faces.c.face_id.in_([face for face, _ in embeddings])
    )
    alive = set(connection.execute(here.with_for_update(key_share=True)).scalars())
    key = {"family_id": family, "space_id": target, "adapter_id": None, "maker_id": maker_id}
    rows = [
        key | {"face_id": face, "embedding": vector.astype("float16")} for face, vector in embeddings if face in alive
    ]
    if rows:
        statement = upsert(face_embeddings)
        new = {name: statement.excluded[name] for name in ("embedding", "adapter_id", "maker_id")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=list(face_embeddings.primary_key), set_=new), rows
        )
    return len(rows)


def save_lost(
    connection: Connection, upload: LackingUpload, target: int, problem: tuple[str, str], *, now: datetime
) -> None:
    """Note why the upload's faces can't be embedded: code and detail."""
    code, detail = problem
    here = {"family_id": upload.family_id, "space_id": target, "code": code, "detail": detail, "noticed_at": now}
    alive = select(faces.c.face_id).where(
        faces.c.family_id == upload.family_id, faces.c.face_id.in_([one.face_id for one in upload.faces])
    )
    rows = [here | {"face_id": face} for face in connection.execute(alive.with_for_update(key_share=True)).scalars()]
    if rows:
        connection.execute(upsert(reembedding_problems).on_conflict_do_nothing(), rows)


def count_left(connection: Connection, target: int) -> Left:
    """All faces by what they have in this space."""
    there, reason = face_embeddings, reembedding_problems
    none = there.c.face_id.is_(None)
    query = (
        select(
            func.count().filter(~none & there.c.adapter_id.is_(None)).label("true"),
            func.count().filter(there.c.adapter_id.is_not(None)).label("adapted"),
            func.count().filter(none & reason.c.face_id.is_not(None)).label("lost"),
            func.count().filter(none & reason.c.face_id.is_(None)).label("without"),
        )
        .select_from(faces)
        .outerjoin(there, _of(there.c, target))
        .outerjoin(reason, _of(reason.c, target))
    )
    row = connection.execute(query).one()
    return Left(row.true, row.adapted, row.lost, row.without)


def count_reasons(connection: Connection, target: int) -> dict[tuple[str, str], int]:
    """How many faces can't be embedded again, by code and detail."""
    here = reembedding_problems
    query = select(here.c.code, here.c.detail, func.count().label("faces")).where(here.c.space_id == target)
    rows = connection.execute(query.group_by(here.c.code, here.c.detail).order_by(here.c.code, here.c.detail))
    return {(row.code, row.detail): row.faces for row in rows}


def _lacks(target: int, *, adapted: bool = True) -> ColumnElement[bool]:
    """Whether a face of `faces` has neither a true vector of this space, or else an adapter's, nor a reason."""
    there = exists().where(_of(face_embeddings.c, target))
    if adapted:
        there = there.where(face_embeddings.c.adapter_id.is_(None))
    return ~there & ~exists().where(_of(reembedding_problems.c, target))


def _of(columns: Any, target: int) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's column collections
    same: tuple[Column[object], ...] = (columns.family_id, columns.face_id)
    return and_(same[0] == faces.c.family_id, same[1] == faces.c.face_id, columns.space_id == target)


def _known(row: Row[Any]) -> KnownFace:
    return KnownFace(FaceId(row.face_id), row.frame_ms, Box(*row.box), tuple(row.landmarks), row.score)


def _reembedding(row: Row[Any]) -> Reembedding:
    names = (name for name in Reembedding.__dataclass_fields__ if name != "target_id")
    return Reembedding(**{name: getattr(row, name) for name in names}, target_id=row.target_space_id)
