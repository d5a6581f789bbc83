"""Photos on their way in: promised, then put into the object store, then registered.

A promise is kept until its photo is registered, so a crash in between leaves no bytes behind that nobody knows.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.storage.photos import UPLOADED
from facealbum.storage.queue_schema import uploads
from facealbum.storage.schema import families, photo_problems, photos

_HALF = 16


@dataclass(frozen=True, slots=True)
class Promise:
    """Content that is to come, and the name of its photo; `taken_at` is None if only the content may tell."""

    family_id: FamilyId
    key: str
    sha256: bytes
    bytes: int
    taken_at: datetime | None
    expires_at: datetime

    @property
    def upload_id(self) -> UUID:
        """Names the promise."""
        return upload_id(self.sha256)


@dataclass(frozen=True, slots=True)
class PhotoState:
    """How far a photo is: pending, analysed or failed, and the reasons if it is not, or not fully, in the album."""

    photo_id: PhotoId
    sha256: bytes | None
    status: str
    taken_at: datetime
    problems: Sequence[tuple[str, str]]


def upload_id(content: bytes) -> UUID:
    """The first half of the content's SHA-256: content that is promised twice is one upload."""
    return UUID(bytes=content[:_HALF])


def lock_uploads(connection: Connection, family: FamilyId) -> None:
    """Wait until no other transaction registers or deletes photos of this family; held until this one ends.

    A long clustering run holds the family's own lock, which uploads need not wait for.
    """
    number = int.from_bytes(sha256(b"uploads" + family.bytes).digest()[:8], signed=True)
    connection.execute(select(func.pg_advisory_xact_lock(number)))


def is_family(connection: Connection, family: FamilyId) -> bool:
    """Whether the family is registered; it stays so until the transaction ends."""
    query = (
        select(families.c.family_id).where(families.c.family_id == family).with_for_update(key_share=True, read=True)
    )
    return connection.execute(query).first() is not None


def load_contents(connection: Connection, family: FamilyId, some: Collection[PhotoId]) -> dict[PhotoId, bytes | None]:
    """What those of these photos hold that are registered; None while its file is missing."""
    query = select(photos.c.photo_id, photos.c.sha256).where(photos.c.family_id == family, photos.c.photo_id.in_(some))
    return {PhotoId(row.photo_id): bytes(row.sha256) if row.sha256 else None for row in connection.execute(query)}


def save_promises(connection: Connection, promises: Sequence[Promise], *, now: datetime) -> None:
    """Promise content, or promise it anew: the newest name counts."""
    rows = [asdict(one) | {"upload_id": one.upload_id, "created_at": now} for one in promises]
    if not rows:
        return
    statement = insert(uploads)
    changed = {name: statement.excluded[name] for name in ("key", "bytes", "taken_at", "expires_at")}
    key = [uploads.c.family_id, uploads.c.upload_id]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), rows)


def load_promise(connection: Connection, family: FamilyId, upload: UUID) -> Promise | None:
    """The promise of this id, None if there is none, or none any more."""
    query = select(uploads).where(uploads.c.family_id == family, uploads.c.upload_id == upload)
    row = connection.execute(query).one_or_none()
    return None if row is None else _promise(row)


def load_promises(connection: Connection, limit: int, *, before: datetime) -> list[Promise]:
    """The oldest promises that were made before this moment."""
    query = select(uploads).where(uploads.c.created_at < before).order_by(uploads.c.created_at).limit(limit)
    return [_promise(row) for row in connection.execute(query)]


def delete_promises(connection: Connection, family: FamilyId, contents: Collection[bytes]) -> None:
    """Forget the promises of these contents."""
    gone = [upload_id(content) for content in contents]
    connection.execute(delete(uploads).where(uploads.c.family_id == family, uploads.c.upload_id.in_(gone)))


def load_photo_of(connection: Connection, family: FamilyId, upload: UUID) -> PhotoState | None:
    """The photo that an upload became, whose promise is gone."""
    end = upload.bytes + b"\xff" * _HALF
    half = photos.c.sha256.between(upload.bytes, end) & UPLOADED
    found = connection.execute(select(photos.c.photo_id).where(photos.c.family_id == family, half)).scalar()
    return None if found is None else load_photo_state(connection, family, PhotoId(found))


def load_photo_state(connection: Connection, family: FamilyId, photo: PhotoId) -> PhotoState | None:
    """How far this photo is, None if the family has no such photo."""
    query = select(photos.c.status, photos.c.taken_at, photos.c.sha256).where(
        photos.c.family_id == family, photos.c.photo_id == photo, UPLOADED
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    reasons = select(photo_problems.c.stage, photo_problems.c.code).where(
        photo_problems.c.family_id == family, photo_problems.c.photo_id == photo
    )
    problems = [(reason.stage, reason.code) for reason in connection.execute(reasons.order_by(photo_problems.c.stage))]
    return PhotoState(photo, bytes(row.sha256) if row.sha256 else None, row.status, row.taken_at, problems)


def _promise(row: Any) -> Promise:  # noqa: ANN401 - a row of the table
    return Promise(FamilyId(row.family_id), row.key, bytes(row.sha256), row.bytes, row.taken_at, row.expires_at)
