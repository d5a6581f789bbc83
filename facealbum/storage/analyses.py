"""What analysis found, written photo by photo and video by video, each in the caller's one transaction.

That one holds `lock_family`, so that no run decides about faces that are just being replaced.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from facealbum.domain.faces import Face
from facealbum.domain.ids import FaceId, FamilyId, PhotoId, face_id, frame_id
from facealbum.domain.photos import AnalysedPhoto, AnalysedVideo
from facealbum.domain.videos import frame_key
from facealbum.storage.legacies import bequeath, bury_faces
from facealbum.storage.makers import ensure_number, maker_note
from facealbum.storage.photos import clear_problems
from facealbum.storage.schema import analyzers, embedding_spaces, face_embeddings, faces, photos, tracks

_DAY = timedelta(days=1)  # more than the clocks of two time zones differ


@dataclass(frozen=True, slots=True)
class AnalyzerRow:
    """One combination of model versions, and the embedding space that it fills; maker_id: what lineage keeps of it."""

    analyzer_id: int
    space_id: int
    detector: str
    models: Mapping[str, str]
    maker_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """A face with all that its row says beside it; track: its number in the video, None in a photo."""

    face_id: FaceId
    photo_id: PhotoId
    number: int
    taken_at: datetime
    track: int | None
    face: Face


def ensure_space(connection: Connection, name: str) -> int:
    """The id of the embedding space of this name."""
    here = embedding_spaces.c.name == name
    return ensure_number(connection, embedding_spaces.c.space_id, here, insert(embedding_spaces).values(name=name))


def ensure_analyzer(connection: Connection, models: Mapping[str, str], space: str) -> AnalyzerRow:
    """The row of exactly these model versions (role -> version, "detector" among them)."""
    space_id = ensure_space(connection, space)
    digest = hashlib.sha256(json.dumps([space, dict(models)], sort_keys=True).encode()).hexdigest()
    new = insert(analyzers).values(digest=digest, models=dict(models), space_id=space_id)
    analyzer_id = ensure_number(connection, analyzers.c.analyzer_id, analyzers.c.digest == digest, new)
    return AnalyzerRow(analyzer_id, space_id, models["detector"], dict(models))


def save_analysis(connection: Connection, photo: AnalysedPhoto, analyzer: AnalyzerRow, *, now: datetime) -> None:
    """Replace what was known of the photo's faces; a photo deleted meanwhile is left alone."""
    taken_at = _complete(connection, photo, analyzer, now=now)
    if taken_at is None:
        return
    identity = photo.photo_id
    found = [
        _Found(face_id(identity, analyzer.detector, number), identity, number, taken_at, None, face)
        for number, face in enumerate(photo.faces)
    ]
    _replace_faces(connection, photo.family_id, photos.c.photo_id == identity, found, analyzer)


def save_video(connection: Connection, video: AnalysedVideo, analyzer: AnalyzerRow, *, now: datetime) -> None:
    """Replace what was known of the video's frames, tracks and faces; a video deleted meanwhile is left alone."""
    taken_at = _complete(connection, video, analyzer, now=now)
    if taken_at is None:
        return
    moments = {one.ms: taken_at + timedelta(milliseconds=one.ms) for track in video.tracks for one in track.best}
    frames = {ms: frame_id(video.photo_id, ms) for ms in moments}
    found = [
        _Found(
            face_id(frames[one.ms], analyzer.detector, one.number),
            frames[one.ms],
            one.number,
            moments[one.ms],
            number,
            one.face,
        )
        for number, track in enumerate(video.tracks)
        for one in track.best
    ]
    _replace_frames(connection, video, moments)
    _replace_tracks(connection, video)
    _replace_faces(connection, video.family_id, photos.c.video_id == video.photo_id, found, analyzer)


def _complete(
    connection: Connection, upload: AnalysedPhoto | AnalysedVideo, analyzer: AnalyzerRow, *, now: datetime
) -> datetime | None:
    """Complete the upload's row and tell when it was taken; None if it was deleted meanwhile.

    A camera that claims the future is not believed.
    """
    here = (photos.c.family_id == upload.family_id) & (photos.c.photo_id == upload.photo_id)
    row = connection.execute(
        select(photos.c.taken_at, photos.c.taken_at_source).where(here).with_for_update()
    ).one_or_none()
    if row is None:
        return None
    taken_at: datetime = row.taken_at
    source = row.taken_at_source
    if upload.taken_at is not None and upload.taken_at <= now + _DAY and source != "manifest":
        taken_at, source = upload.taken_at, "video" if isinstance(upload, AnalysedVideo) else "exif"
    complete = (
        update(photos)
        .where(here)
        .values(
            status="analysed",
            attempts=0,
            format=upload.format,
            width=upload.width,
            height=upload.height,
            camera=upload.camera if isinstance(upload, AnalysedPhoto) else None,
            taken_at=taken_at,
            taken_at_source=source,
            analyzer_id=analyzer.analyzer_id,
            analysed_at=now,
            maker_id=analyzer.maker_id,
        )
    )
    if analyzer.maker_id is not None:
        complete = complete.add_cte(maker_note(upload.family_id, analyzer.maker_id, now=now).cte("noted"))
    connection.execute(complete)
    clear_problems(connection, upload.family_id, [upload.photo_id], stage="analysis")
    return taken_at


def _replace_frames(connection: Connection, video: AnalysedVideo, moments: Mapping[int, datetime]) -> None:
    """A row for each frame of these milliseconds, with all that it shares with its video, and none for any other."""
    mine = photos.c.family_id == video.family_id
    connection.execute(
        delete(photos).where(mine, photos.c.video_id == video.photo_id, photos.c.frame_ms.not_in(moments))
    )
    if not moments:
        return
    upload = connection.execute(select(photos).where(mine, photos.c.photo_id == video.photo_id)).one()._asdict()
    rows = [
        {
            **upload,
            "photo_id": frame_id(video.photo_id, ms),
            "key": frame_key(upload["key"], ms),
            "taken_at": taken_at,
            "video_id": video.photo_id,
            "frame_ms": ms,
        }
        for ms, taken_at in moments.items()
    ]
    _upsert(connection, photos, rows)


def _replace_tracks(connection: Connection, video: AnalysedVideo) -> None:
    key = {"family_id": video.family_id, "video_id": video.photo_id}
    connection.execute(delete(tracks).where(tracks.c.family_id == video.family_id, tracks.c.video_id == video.photo_id))
    if video.tracks:
        rows = [key | {"track": number, "seen": list(track.seen)} for number, track in enumerate(video.tracks)]
        connection.execute(insert(tracks), rows)


def _replace_faces(
    connection: Connection,
    family: FamilyId,
    place: ColumnElement[bool],
    found: Sequence[_Found],
    analyzer: AnalyzerRow,
) -> None:
    """Have these faces and no others in the photos at `place`.

    A face that is found again keeps its row, and with it the person it was assigned to; one that another detector
    finds under another id leaves its person, and all that users said of it, to that one.
    """
    here = select(photos.c.photo_id).where(photos.c.family_id == family, place)
    boxes = {one.face_id: (one.photo_id, one.face.box) for one in found}
    legacy = bury_faces(connection, family, here, boxes)
    if not found:
        return
    _upsert(connection, faces, [_face_row(family, one, analyzer) for one in found])
    bequeath(connection, family, legacy)
    _upsert(
        connection,
        face_embeddings,
        [
            {
                "family_id": family,
                "space_id": analyzer.space_id,
                "face_id": one.face_id,
                "embedding": one.face.embedding.astype("float16"),
                "adapter_id": None,
                "maker_id": analyzer.maker_id,
            }
            for one in found
        ],
    )


def _face_row(family: FamilyId, found: _Found, analyzer: AnalyzerRow) -> dict[str, object]:
    face = found.face
    return {
        "family_id": family,
        "face_id": found.face_id,
        "photo_id": found.photo_id,
        "number": found.number,
        "taken_at": found.taken_at,
        "box": [face.box.x1, face.box.y1, face.box.x2, face.box.y2],
        "landmarks": face.landmarks.ravel().tolist(),
        "yaw": face.yaw,
        "pitch": face.pitch,
        "roll": face.roll,
        "age": face.age,
        "p_female": face.p_female,
        "quality": face.quality,
        "score": face.score,
        "embedding_norm": face.embedding_norm,
        "track": found.track,
        "analyzer_id": analyzer.analyzer_id,
        "calibrator_id": None,
        "packaged_age": None,
        "packaged_p_female": None,
        "predictor_id": None,
        "packaged_quality": None,
    }


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    connection.execute(_upserting(table, tuple(rows[0])), rows)


@cache
def _upserting(table: Table, names: tuple[str, ...]) -> Insert:
    """What puts these columns of a row in the place of what is there; kept, as making it takes a millisecond."""
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=values)
