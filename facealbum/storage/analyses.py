"""What analysis found on photos, written photo by photo, each in the caller's one transaction."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from facealbum.domain.faces import Face
from facealbum.domain.ids import FamilyId, PhotoId, face_id
from facealbum.storage.photos import clear_problems
from facealbum.storage.schema import analyzers, embedding_spaces, face_embeddings, faces, photos


@dataclass(frozen=True, slots=True)
class AnalyzerRow:
    """One combination of model versions, and the embedding space that it fills."""

    analyzer_id: int
    space_id: int
    detector: str
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AnalysedPhoto:
    """One photo's result; `taken_at` is the moment the file itself tells, None if it tells none."""

    family_id: FamilyId
    photo_id: PhotoId
    format: str
    width: int
    height: int
    taken_at: datetime | None
    faces: Sequence[Face]


def ensure_space(connection: Connection, name: str) -> int:
    """The id of the embedding space of this name."""
    connection.execute(insert(embedding_spaces).values(name=name).on_conflict_do_nothing())
    query = select(embedding_spaces.c.space_id).where(embedding_spaces.c.name == name)
    return int(connection.execute(query).scalar_one())


def ensure_analyzer(connection: Connection, models: Mapping[str, str], space: str) -> AnalyzerRow:
    """The row of exactly these model versions (role -> version, "detector" among them)."""
    space_id = ensure_space(connection, space)
    digest = hashlib.sha256(json.dumps([space, dict(models)], sort_keys=True).encode()).hexdigest()
    connection.execute(
        insert(analyzers).values(digest=digest, models=dict(models), space_id=space_id).on_conflict_do_nothing()
    )
    query = select(analyzers.c.analyzer_id).where(analyzers.c.digest == digest)
    return AnalyzerRow(connection.execute(query).scalar_one(), space_id, models["detector"], dict(models))


def save_analysis(connection: Connection, photo: AnalysedPhoto, analyzer: AnalyzerRow, *, now: datetime) -> None:
    """Replace what was known of the photo's faces; a photo deleted meanwhile is left alone."""
    here = (photos.c.family_id == photo.family_id) & (photos.c.photo_id == photo.photo_id)
    row = connection.execute(
        select(photos.c.taken_at, photos.c.taken_at_source).where(here).with_for_update()
    ).one_or_none()
    if row is None:
        return
    taken_at, source = row.taken_at, row.taken_at_source
    if photo.taken_at is not None and source != "manifest":
        taken_at, source = photo.taken_at, "exif"
    connection.execute(
        update(photos)
        .where(here)
        .values(
            status="analysed",
            format=photo.format,
            width=photo.width,
            height=photo.height,
            taken_at=taken_at,
            taken_at_source=source,
            analyzer_id=analyzer.analyzer_id,
            analysed_at=now,
        )
    )
    clear_problems(connection, photo.family_id, [photo.photo_id], stage="analysis")
    _replace_faces(connection, photo, analyzer, taken_at)


def _replace_faces(connection: Connection, photo: AnalysedPhoto, analyzer: AnalyzerRow, taken_at: datetime) -> None:
    """A face that is found again keeps its row, and with it the person it was assigned to."""
    ids = [face_id(photo.photo_id, analyzer.detector, number) for number in range(len(photo.faces))]
    connection.execute(
        delete(faces).where(
            faces.c.family_id == photo.family_id,
            faces.c.photo_id == photo.photo_id,
            faces.c.face_id.not_in(ids),
        )
    )
    if not ids:
        return
    _upsert(
        connection,
        insert(faces),
        [
            {
                "family_id": photo.family_id,
                "face_id": ids[number],
                "photo_id": photo.photo_id,
                "number": number,
                "taken_at": taken_at,
                "box": [face.box.x1, face.box.y1, face.box.x2, face.box.y2],
                "landmarks": face.landmarks.ravel().tolist(),
                "yaw": face.yaw,
                "pitch": face.pitch,
                "roll": face.roll,
                "age": face.age,
                "p_female": face.p_female,
                "quality": face.quality,
                "score": face.score,
                "analyzer_id": analyzer.analyzer_id,
            }
            for number, face in enumerate(photo.faces)
        ],
    )
    _upsert(
        connection,
        insert(face_embeddings),
        [
            {
                "family_id": photo.family_id,
                "space_id": analyzer.space_id,
                "face_id": identity,
                "embedding": face.embedding.astype("float16"),
            }
            for identity, face in zip(ids, photo.faces, strict=True)
        ],
    )


def _upsert(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, object]]) -> None:
    key = [column.name for column in statement.table.primary_key]
    values = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values), rows)
