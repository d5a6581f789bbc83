"""Albums as queries: nothing is stored, so an album is never behind what runs and users have decided.

A photo or video counts once, however many of its faces show somebody.  Hidden people are in no album, and hide no
photo from the albums of others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import CTE, Connection, Select, Uuid, and_, case, cast, func, select, true, tuple_, union_all

from facealbum.domain.ids import ChildId, FamilyId, PersonId, PhotoId
from facealbum.storage.schema import arms, assignments, children, faces, links, persons, photos


class AlbumKind(StrEnum):
    """What an album is of."""

    CHILD = "child"
    CHILDREN = "children"
    """At least two registered children in one photo."""
    FAMILY = "family"
    """Somebody of the family circle with a child, or with another of the circle."""
    PERSON = "person"
    """Somebody who is no registered child."""


Contents: TypeAlias = tuple[AlbumKind, tuple[UUID, ...]]
"""An album's kind and of whom it is, from which all that is in it follows."""


@dataclass(frozen=True, slots=True)
class Album:
    """One album of a family.

    of: the child, the person, or the family circle; nobody for CHILDREN.  name: as the family or a user gave it.
    photos: uploads; provisional: those of them that are there only until a monthly run has looked at them.
    """

    kind: AlbumKind
    of: tuple[ChildId | PersonId, ...]
    name: str | None
    photos: int
    provisional: int
    first: datetime
    last: datetime

    @property
    def key(self) -> str:
        """Names the album in its family, for as long as there is one: the child's or person's id, or the kind."""
        return self.kind.value if self.kind in {AlbumKind.CHILDREN, AlbumKind.FAMILY} else str(self.of[0])


@dataclass(frozen=True, slots=True)
class AlbumPhoto:
    """A photo or video in an album; sha256 and format are those of the upload."""

    photo_id: PhotoId
    key: str
    sha256: bytes
    format: str
    taken_at: datetime
    provisional: bool


def load_single_albums(connection: Connection, family: FamilyId, arm: str) -> list[Album]:
    """One album a linked child, by age, then one a person who is no child, largest first."""
    shown = _appearances(family, arm)
    summed = select(shown.c.who, shown.c.is_child, *_summary(shown)).group_by(shown.c.who, shown.c.is_child).subquery()
    query = (
        select(summed, children.c.name.label("child"), persons.c.name.label("person"))
        .outerjoin(children, (children.c.family_id == family) & (children.c.child_id == summed.c.who))
        .outerjoin(persons, (persons.c.family_id == family) & (persons.c.person_id == summed.c.who))
        .order_by(summed.c.is_child.desc(), children.c.birth_date, summed.c.photos.desc(), summed.c.who)
    )
    return [
        _album(AlbumKind.CHILD, (ChildId(row.who),), row.child, row)
        if row.is_child
        else _album(AlbumKind.PERSON, (PersonId(row.who),), row.person, row)
        for row in connection.execute(query)
    ]


def load_shared_albums(
    connection: Connection, family: FamilyId, arm: str, *, circle: frozenset[PersonId]
) -> list[Album]:
    """The children together, and the whole family with this circle; an album without a photo is none."""
    found = []
    for kind, of in ((AlbumKind.CHILDREN, ()), (AlbumKind.FAMILY, tuple(sorted(circle)))):
        shown = _contents(family, arm, kind, of).cte("contents")
        row = connection.execute(select(*_summary(shown))).one()
        if row.photos:
            found.append(_album(kind, of, None, row))
    return found


def load_album_photos(
    connection: Connection,
    family: FamilyId,
    arm: str,
    contents: Contents,
    *,
    limit: int | None = None,
    after: tuple[datetime, PhotoId] | None = None,
) -> list[AlbumPhoto]:
    """Everything in an album with these contents, oldest first; or so many behind this place."""
    inside = _contents(family, arm, *contents).cte("contents")
    behind = true() if after is None else tuple_(photos.c.taken_at, photos.c.photo_id) > tuple_(*after)
    query = (
        select(photos.c.photo_id, photos.c.key, photos.c.sha256, photos.c.format, photos.c.taken_at)
        .add_columns(inside.c.provisional)
        .join(inside, inside.c.photo_id == photos.c.photo_id)
        .where(photos.c.family_id == family, behind)
        .order_by(photos.c.taken_at, photos.c.photo_id)
        .limit(limit)
    )
    return [
        AlbumPhoto(PhotoId(row.photo_id), row.key, bytes(row.sha256), row.format, row.taken_at, row.provisional)
        for row in connection.execute(query)
    ]


def load_company(connection: Connection, family: FamilyId, arm: str) -> tuple[Mapping[PersonId, int], int]:
    """In how many weeks (UTC) each person who is no child was photographed beside one, and in how many a child was."""
    shown = _appearances(family, arm)
    week = func.date_trunc("week", func.timezone("UTC", shown.c.taken_at)).label("week")
    with_child = select(shown.c.photo_id).where(shown.c.is_child)
    nobody = cast(None, Uuid).label("who")
    theirs = select(shown.c.who, week).distinct().where(~shown.c.is_child, shown.c.photo_id.in_(with_child))
    all_weeks = union_all(theirs, select(nobody, week).distinct().where(shown.c.is_child)).subquery()
    query = select(all_weeks.c.who, func.count().label("weeks")).group_by(all_weeks.c.who)
    weeks = {row.who: int(row.weeks) for row in connection.execute(query)}
    of_children = weeks.pop(None, 0)
    return {PersonId(who): number for who, number in weeks.items()}, of_children


def _appearances(family: FamilyId, arm: str) -> CTE:
    """photo_id, taken_at, who, is_child, provisional: once for each upload and each child or other person in it."""
    videos = photos.alias("videos")
    upload = func.coalesce(photos.c.video_id, photos.c.photo_id)
    frames = select(photos.c.video_id).where(photos.c.family_id == family, photos.c.video_id.is_not(None))
    is_child = links.c.child_id.is_not(None)
    who = case((is_child, links.c.child_id), else_=persons.c.person_id)
    return (
        select(
            upload.label("photo_id"), func.min(func.coalesce(videos.c.taken_at, photos.c.taken_at)).label("taken_at")
        )
        .add_columns(who.label("who"), is_child.label("is_child"))
        .add_columns(func.bool_and(assignments.c.state == "provisional").label("provisional"))
        .select_from(assignments)
        .join(arms, (arms.c.arm_id == assignments.c.arm_id) & (arms.c.name == arm))
        .join(persons, _same(persons, assignments, "person_id"))
        .join(faces, _same(faces, assignments, "face_id"))
        .join(photos, _same(photos, faces, "photo_id"))
        .outerjoin(
            videos,
            (videos.c.family_id == photos.c.family_id)
            & (videos.c.photo_id == photos.c.video_id)
            & videos.c.photo_id.in_(frames),  # else all photos are read again
        )
        .outerjoin(links, _same(links, persons, "person_id"))
        .where(assignments.c.family_id == family, ~persons.c.hidden)
        .group_by(upload, who, is_child)
        .cte("appearances")
    )


def _contents(family: FamilyId, arm: str, kind: AlbumKind, of: tuple[UUID, ...]) -> Select[Any]:
    """photo_id, taken_at and provisional of everything in an album."""
    shown = _appearances(family, arm)
    query = select(shown.c.photo_id, shown.c.taken_at, func.bool_or(shown.c.provisional).label("provisional"))
    query = query.group_by(shown.c.photo_id, shown.c.taken_at)
    if kind is AlbumKind.CHILDREN:
        return query.where(shown.c.is_child).having(func.count() > 1)
    if kind is AlbumKind.FAMILY:
        people = query.where(shown.c.is_child | shown.c.who.in_(of))
        return people.having(and_(func.count() > 1, ~func.bool_and(shown.c.is_child)))
    return query.where(shown.c.who.in_(of))


def _summary(shown: CTE) -> tuple[Any, ...]:
    """The columns that every album is summed up by; nobody appears twice in an upload, nor an upload in contents."""
    return (
        func.count().label("photos"),
        func.count().filter(shown.c.provisional).label("provisional"),
        func.min(shown.c.taken_at).label("first"),
        func.max(shown.c.taken_at).label("last"),
    )


def _album(kind: AlbumKind, of: tuple[ChildId | PersonId, ...], name: str | None, row: Any) -> Album:  # noqa: ANN401 - SQLAlchemy's rows
    return Album(kind, of, name, row.photos, row.provisional, row.first, row.last)


def _same(one: Any, other: Any, key: str) -> Any:  # noqa: ANN401 - SQLAlchemy's tables and expressions
    """Joins two tables of a family by this id."""
    return (one.c.family_id == other.c.family_id) & (one.c[key] == other.c[key])
