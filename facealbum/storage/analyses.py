"""What analysis found, written photo by photo and video by video, each in the caller's one transaction.

That one holds `lock_family`, so that no run decides about faces that are just being replaced.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, Update, Uuid, bindparam, delete, exists, select, update
from sqlalchemy.dialects.postgresql import Insert, insert

from facealbum.domain.faces import Face
from facealbum.domain.ids import FaceId, FamilyId, PhotoId, face_id, frame_id
from facealbum.domain.photos import AnalysedPhoto, AnalysedVideo
from facealbum.domain.videos import frame_key
from facealbum.storage.legacies import bequeath, bury_faces
from facealbum.storage.lineage_schema import family_makers
from facealbum.storage.makers import ensure_number
from facealbum.storage.schema import (
    analyzers,
    decisions,
    embedding_spaces,
    face_embeddings,
    faces,
    photo_problems,
    photos,
    tracks,
)

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
class _Before:
    """What there is when an upload is saved.

    taken_at: as it is known now.  seen: faces or frames of it may be known.  decided: users have decided of the family.
    """

    taken_at: datetime
    seen: bool
    decided: bool


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


def save_analysis(connection: Connection, photo: AnalysedPhoto, analyzer: AnalyzerRow, *, now: datetime) -> bool:
    """Replace what was known of the photo's faces; tells whether it is there, as one deleted meanwhile is let be.

    The caller's transaction holds `lock_family`: without it, faces that somebody else saves may not be seen.
    """
    before = _complete(connection, photo, analyzer, now=now)
    if before is None:
        return False
    identity = photo.photo_id
    found = [
        _Found(face_id(identity, analyzer.detector, number), identity, number, before.taken_at, None, face)
        for number, face in enumerate(photo.faces)
    ]
    _replace_faces(connection, photo.family_id, photos.c.photo_id == identity, found, analyzer, before)
    return True


def save_video(connection: Connection, video: AnalysedVideo, analyzer: AnalyzerRow, *, now: datetime) -> bool:
    """Replace what was known of the video's frames, tracks and faces; tells whether it is there, as above."""
    before = _complete(connection, video, analyzer, now=now)
    if before is None:
        return False
    moments = {one.ms: before.taken_at + timedelta(milliseconds=one.ms) for track in video.tracks for one in track.best}
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
    _replace_faces(connection, video.family_id, photos.c.video_id == video.photo_id, found, analyzer, before)
    return True


def _complete(
    connection: Connection, upload: AnalysedPhoto | AnalysedVideo, analyzer: AnalyzerRow, *, now: datetime
) -> _Before | None:
    """Complete the upload's row and tell when it was taken and what was there; None if it was deleted meanwhile.

    A camera that claims the future is not believed.
    """
    here = {"whose": upload.family_id, "which": upload.photo_id}
    is_video = isinstance(upload, AnalysedVideo)
    row = connection.execute(_looking(is_video=is_video), here).one_or_none()
    if row is None:
        return None
    taken_at, source = row.taken_at, row.taken_at_source
    if upload.taken_at is not None and upload.taken_at <= now + _DAY and source != "manifest":
        taken_at, source = upload.taken_at, "video" if is_video else "exif"
    news = {
        "format": upload.format,
        "width": upload.width,
        "height": upload.height,
        "camera": upload.camera if isinstance(upload, AnalysedPhoto) else None,
        "taken_at": taken_at,
        "taken_at_source": source,
        "analyzer_id": analyzer.analyzer_id,
        "analysed_at": now,
        "maker_id": analyzer.maker_id,
    }
    statement = _completing(tuple(news), noted=analyzer.maker_id is not None)
    connection.execute(statement, here | {f"new_{name}": value for name, value in news.items()})
    return _Before(taken_at, row.seen, row.decided)


_HERE = bindparam("whose", type_=Uuid), bindparam("which", type_=Uuid)


@cache
def _looking(*, is_video: bool) -> Select[Any]:
    """What saving an upload has to know, in one look: a row like _Before, with the source of its moment.

    Statements of this module are kept, as making one takes up to a millisecond.
    """
    frames = photos.alias()
    seen = (
        exists().where(frames.c.family_id == photos.c.family_id, frames.c.video_id == photos.c.photo_id)
        if is_video
        else exists().where(faces.c.family_id == photos.c.family_id, faces.c.photo_id == photos.c.photo_id)
    )
    decided = exists().where(decisions.c.family_id == photos.c.family_id)
    columns = photos.c.taken_at, photos.c.taken_at_source, seen.label("seen"), decided.label("decided")
    whose, which = _HERE
    return select(*columns).where(photos.c.family_id == whose, photos.c.photo_id == which).with_for_update(of=photos)


@cache
def _completing(names: tuple[str, ...], *, noted: bool) -> Update:
    """What puts the news `names` into an upload's row, and forgets why its analysis has failed.

    noted: it notes the family's maker, too.
    """
    whose, which = _HERE
    news = {name: bindparam(f"new_{name}", type_=photos.c[name].type) for name in names}
    complete = update(photos).where(photos.c.family_id == whose, photos.c.photo_id == which)
    complete = complete.values(status="analysed", attempts=0, **news)
    failed = photo_problems.c.family_id == whose, photo_problems.c.photo_id == which
    forgotten = delete(photo_problems).where(*failed, photo_problems.c.stage == "analysis")
    complete = complete.add_cte(forgotten.cte("forgotten"))
    if not noted:
        return complete
    maker = {"family_id": whose, "maker_id": news["maker_id"], "first_at": news["analysed_at"]}
    return complete.add_cte(insert(family_makers).values(maker).on_conflict_do_nothing().cte("noted"))


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
    before: _Before,
) -> None:
    """Have these faces and no others in the photos at `place`.

    A face that is found again keeps its row, and with it the person it was assigned to; one that another detector
    finds under another id leaves its person, and all that users said of it, to that one.
    """
    legacy = None
    if before.seen or before.decided:
        here = select(photos.c.photo_id).where(photos.c.family_id == family, place)
        boxes = {one.face_id: (one.photo_id, one.face.box) for one in found}
        legacy = bury_faces(connection, family, here, boxes)
    if not found:
        return
    _upsert(connection, faces, [_face_row(family, one, analyzer) for one in found])
    if legacy is not None:
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
