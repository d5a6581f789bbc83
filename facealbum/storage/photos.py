"""Photos and videos: what was uploaded, what is still to be analysed, and what went wrong with which."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.domain.photos import NamedProblem, PendingPhoto, Problem
from facealbum.storage.schema import families, photo_problems, photos

ATTEMPTS = 3
"""How often a photo's analysis is begun before the photo is set aside."""

UPLOADED = photos.c.frame_ms.is_(None)
"""A photo or a video as it came, not a frame that analysis took from one."""


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo as the importer registers it; sha256 and bytes are None while its file is missing."""

    photo_id: PhotoId
    key: str
    sha256: bytes | None
    bytes: int | None
    taken_at: datetime
    taken_at_source: str


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """What the importer has to know of a photo that is registered already."""

    photo_id: PhotoId
    key: str
    sha256: bytes | None
    taken_at: datetime


def load_known_photos(connection: Connection, family: FamilyId) -> list[KnownPhoto]:
    """All photos and videos that the family has registered."""
    columns = (photos.c.photo_id, photos.c.key, photos.c.sha256, photos.c.taken_at)
    query = select(*columns).where(photos.c.family_id == family, UPLOADED)
    return [
        KnownPhoto(PhotoId(row.photo_id), row.key, bytes(row.sha256) if row.sha256 else None, row.taken_at)
        for row in connection.execute(query)
    ]


def load_owners(connection: Connection, family: FamilyId, contents: Collection[bytes]) -> dict[bytes, PhotoId]:
    """The photo of each of these contents that the family has."""
    query = select(photos.c.sha256, photos.c.photo_id).where(
        photos.c.family_id == family, photos.c.sha256.in_(contents), UPLOADED
    )
    return {bytes(row.sha256): PhotoId(row.photo_id) for row in connection.execute(query)}


def save_photos(connection: Connection, family: FamilyId, new: Sequence[NewPhoto], *, now: datetime) -> None:
    """Register photos; one whose file was missing until now becomes pending, any other stays as it is."""
    if not new:
        return
    rows = [
        asdict(photo) | {"family_id": family, "status": "pending" if photo.sha256 else "failed", "created_at": now}
        for photo in new
    ]
    statement = insert(photos)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[photos.c.family_id, photos.c.photo_id],
            set_={name: statement.excluded[name] for name in ("sha256", "bytes", "taken_at", "status")},
            where=photos.c.sha256.is_(None) & statement.excluded.sha256.is_not(None),
        ),
        rows,
    )


def save_problems(connection: Connection, family: FamilyId, problems: Iterable[Problem], *, now: datetime) -> None:
    """Keep the reason with each photo; the newest reason of a stage replaces the one before."""
    rows = [asdict(problem) | {"family_id": family, "noticed_at": now} for problem in problems]
    if not rows:
        return
    statement = insert(photo_problems)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(photo_problems.primary_key),
            set_={"code": statement.excluded.code, "detail": statement.excluded.detail},
        ),
        rows,
    )


def clear_problems(connection: Connection, family: FamilyId, cleared: Collection[PhotoId], *, stage: str) -> None:
    """Forget the stage's problems of photos that passed it."""
    if cleared:
        connection.execute(
            delete(photo_problems).where(
                photo_problems.c.family_id == family,
                photo_problems.c.photo_id.in_(cleared),
                photo_problems.c.stage == stage,
            )
        )


@dataclass(frozen=True, slots=True)
class FailedPhoto:
    """A photo that is not, or not fully, in the album, by ids alone."""

    family_id: FamilyId
    photo_id: PhotoId
    stage: str
    code: str
    noticed_at: datetime


def load_failed_photos(
    connection: Connection, *, code: str | None, after: tuple[UUID, UUID, str] | None, limit: int
) -> list[FailedPhoto]:
    """Every open problem, or those of one reason, by family, photo and stage; after: these of one."""
    keys = tuple_(photo_problems.c.family_id, photo_problems.c.photo_id, photo_problems.c.stage)
    query = select(*(photo_problems.c[name] for name in FailedPhoto.__dataclass_fields__))
    query = query.order_by(*keys).limit(limit)
    query = query if code is None else query.where(photo_problems.c.code == code)
    rows = connection.execute(query if after is None else query.where(keys > tuple_(*after)))
    return [FailedPhoto(*row) for row in rows]


def load_problems(connection: Connection, family: FamilyId | None = None) -> list[NamedProblem]:
    """Every open problem, by family and photo."""
    query = (
        select(
            families.c.name,
            photos.c.key,
            photo_problems.c.stage,
            photo_problems.c.code,
            photo_problems.c.detail,
        )
        .join_from(
            photo_problems,
            photos,
            (photos.c.family_id == photo_problems.c.family_id) & (photos.c.photo_id == photo_problems.c.photo_id),
        )
        .join(families, families.c.family_id == photos.c.family_id)
        .order_by(families.c.name, photos.c.key, photo_problems.c.stage)
    )
    if family is not None:
        query = query.where(photo_problems.c.family_id == family)
    return [NamedProblem(*row) for row in connection.execute(query)]


def load_pending(connection: Connection, family: FamilyId) -> list[PendingPhoto]:
    """The family's photos that wait for analysis, in a fixed order."""
    query = (
        select(photos.c.photo_id, photos.c.key, photos.c.sha256)
        .where(photos.c.family_id == family, photos.c.status == "pending", UPLOADED)
        .order_by(photos.c.photo_id)
    )
    return [
        PendingPhoto(family, PhotoId(row.photo_id), row.key, bytes(row.sha256)) for row in connection.execute(query)
    ]


def claim_photo(connection: Connection, family: FamilyId, wanted: Collection[PhotoId]) -> PendingPhoto | None:
    """Count an attempt for the next of these photos that waits for analysis, the least tried one first.

    The caller's transaction holds `lock_family`; two that analyse the same photos so begin with different ones.
    """
    query = (
        select(photos.c.photo_id)
        .where(*_waiting(family, wanted), photos.c.attempts < ATTEMPTS)
        .order_by(photos.c.attempts, photos.c.photo_id)
        .limit(1)
    )
    claim = (
        update(photos)
        .where(photos.c.family_id == family, photos.c.photo_id == query.scalar_subquery())
        .values(attempts=photos.c.attempts + 1)
        .returning(photos.c.photo_id, photos.c.key, photos.c.sha256)
    )
    row = connection.execute(claim).one_or_none()
    return None if row is None else PendingPhoto(family, PhotoId(row.photo_id), row.key, bytes(row.sha256))


def give_back_photo(connection: Connection, photo: PendingPhoto) -> None:
    """Take back the attempt of a claim that has come to nothing."""
    here = photos.c.family_id == photo.family_id, photos.c.photo_id == photo.photo_id
    fewer = func.greatest(photos.c.attempts - 1, 0)
    connection.execute(update(photos).where(*here, photos.c.status == "pending").values(attempts=fewer))


def load_exhausted(connection: Connection, family: FamilyId, wanted: Collection[PhotoId]) -> list[PhotoId]:
    """Those of these photos that wait for analysis although every attempt that they have was made."""
    query = select(photos.c.photo_id).where(*_waiting(family, wanted), photos.c.attempts >= ATTEMPTS)
    return [PhotoId(row.photo_id) for row in connection.execute(query)]


def _waiting(family: FamilyId, wanted: Collection[PhotoId]) -> list[ColumnElement[bool]]:
    return [photos.c.family_id == family, photos.c.photo_id.in_(wanted), photos.c.status == "pending", UPLOADED]


def mark_announced(connection: Connection, family: FamilyId, told: Collection[PhotoId], *, now: datetime) -> None:
    """Note that the queues were told of these photos."""
    connection.execute(
        update(photos).where(photos.c.family_id == family, photos.c.photo_id.in_(told)).values(announced_at=now)
    )


def claim_late_photos(connection: Connection, limit: int, *, before: datetime) -> list[tuple[FamilyId, PhotoId]]:
    """The photos that wait for analysis since before then and were not announced since, oldest first.

    They are the caller's until its transaction ends; it is to announce them.
    """
    moment = func.coalesce(photos.c.announced_at, photos.c.created_at)
    query = (
        select(photos.c.family_id, photos.c.photo_id)
        .where(photos.c.status == "pending", UPLOADED, moment < before)
        .order_by(moment)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(FamilyId(row.family_id), PhotoId(row.photo_id)) for row in connection.execute(query)]


def retry_crashed(connection: Connection, family: FamilyId | None = None) -> list[tuple[FamilyId, PhotoId]]:
    """Let the photos that crashed their analysis wait for it anew, of one family or all; the caller announces them."""
    reason = (photo_problems.c.family_id == photos.c.family_id) & (photo_problems.c.photo_id == photos.c.photo_id)
    here = [photos.c.status == "failed", reason, photo_problems.c.code == "analysis_crashed"]
    if family is not None:
        here.append(photos.c.family_id == family)
    statement = update(photos).where(*here).values(status="pending", attempts=0)
    rows = connection.execute(statement.returning(photos.c.family_id, photos.c.photo_id))
    return sorted((FamilyId(row.family_id), PhotoId(row.photo_id)) for row in rows)


def count_photos(connection: Connection, family: FamilyId | None = None) -> dict[str, int]:
    """Uploads by status; the frames of a video are none."""
    query = select(photos.c.status, func.count()).where(UPLOADED).group_by(photos.c.status)
    if family is not None:
        query = query.where(photos.c.family_id == family)
    return {status: count for status, count in connection.execute(query)}  # noqa: C416 - rows are not pairs to mypy


def count_unimported(connection: Connection, family: FamilyId) -> int:
    """The family's photos whose file was never brought in: of the failed ones, those that no analysis can help."""
    query = select(func.count()).where(photos.c.family_id == family, photos.c.sha256.is_(None), UPLOADED)
    return connection.execute(query).scalar_one()


def mark_failed(connection: Connection, family: FamilyId, problem: Problem, *, now: datetime) -> bool:
    """The photo can't be analysed, for this reason; tells whether it is there, as one deleted meanwhile is let be."""
    marked = connection.execute(
        update(photos)
        .where(photos.c.family_id == family, photos.c.photo_id == problem.photo_id)
        .values(status="failed", analysed_at=now)
    )
    save_problems(connection, family, [problem] if marked.rowcount else [], now=now)
    return marked.rowcount > 0
