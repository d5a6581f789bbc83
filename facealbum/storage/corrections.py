"""The rows of a family's album that users' decisions change: read whole or in part, written as a correction has them.

Both are done in the caller's transaction, under `lock_family`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from math import isnan
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from facealbum.corrections import (
    ANCHORS,
    Album,
    Company,
    Correction,
    FaceRow,
    Fact,
    LinkRow,
    PersonRow,
    Place,
    Reach,
)
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, PhotoId
from facealbum.storage.schema import assignments, children, faces, links, persons
from facealbum.storage.told import PACKAGED_QUALITY, UNKNOWN
from facealbum.storage.wire import is_one_of

_FACT_COLUMNS = {Kind.AGE: faces.c.told_age, Kind.GENDER: faces.c.told_p_female}


def load_album(connection: Connection, family: FamilyId) -> Album:
    """All rows of the family that decisions may change."""
    album = load_people(connection, family)
    _add_faces(connection, family, album)
    return album


def load_people(connection: Connection, family: FamilyId) -> Album:
    """An album without a face, but with all persons, links and children."""
    album = Album()
    for row in connection.execute(select(persons).where(persons.c.family_id == family)):
        album.persons[PersonId(row.person_id)] = PersonRow(
            row.arm_id, row.run_id, row.name, row.hidden, row.merged_into
        )
    for row in connection.execute(select(links).where(links.c.family_id == family)):
        album.links[PersonId(row.person_id)] = LinkRow(
            ChildId(row.child_id), row.run_id, row.probability, row.evidence, row.confirmed, row.linked_at
        )
    found = connection.execute(select(children.c.child_id).where(children.c.family_id == family))
    album.children = frozenset(ChildId(row.child_id) for row in found)
    return album


def add_reach(connection: Connection, family: FamilyId, album: Album, reach: Reach) -> None:
    """Have the album know the faces within reach, each with its places under all arms."""
    _add_faces(connection, family, album, is_one_of(faces.c.face_id, reach.faces))
    crowds = {album.faces[face].photo_id for face in reach.crowded if face in album.faces}
    if crowds:
        _add_faces(connection, family, album, is_one_of(faces.c.photo_id, crowds))


def add_company(connection: Connection, family: FamilyId, album: Album, company: Company) -> None:
    """Have the album know these persons' faces and the photos in which the two sides meet, under all arms."""
    if company.whole:
        held = select(assignments.c.face_id).where(_held_by(family, album, company.whole))
        _add_faces(connection, family, album, faces.c.face_id.in_(held))
    if all(company.sides):
        one, other = (_photos_of(family, album, side) for side in company.sides)
        _add_faces(connection, family, album, faces.c.photo_id.in_(one), faces.c.photo_id.in_(other))


def load_anchors(
    connection: Connection, family: FamilyId, arm_id: int, person: PersonId, *, without: Collection[FaceId]
) -> tuple[FaceId, ...]:
    """What `choose_anchors` takes of all the person's faces, chosen where they are."""
    ordered = [faces.c.taken_at, faces.c.face_id]
    held = (assignments.c.family_id == faces.c.family_id) & (assignments.c.face_id == faces.c.face_id)
    ranked = (
        select(faces.c.face_id, PACKAGED_QUALITY.label("quality"))
        .add_columns(func.row_number().over(order_by=ordered).label("number"), func.count().over().label("total"))
        .join(assignments, held)
        .where(assignments.c.family_id == family, assignments.c.arm_id == arm_id, assignments.c.person_id == person)
        .where(faces.c.family_id == family, ~is_one_of(faces.c.face_id, without))
        .subquery()
    )
    # the stretch that has place i of n, of k: the p with n*p//k <= i < n*(p+1)//k
    stretch = (ranked.c.number * func.least(ANCHORS, ranked.c.total) - 1) // ranked.c.total
    best = (
        select(ranked.c.face_id, ranked.c.quality)
        .ext(distinct_on(stretch))
        .order_by(stretch, ranked.c.quality.desc(), ranked.c.face_id.desc())
        .subquery()
    )
    found = connection.execute(select(best.c.face_id).order_by(best.c.quality.desc(), best.c.face_id.desc()))
    return tuple(FaceId(face) for face in found.scalars())


def _photos_of(family: FamilyId, album: Album, some: Collection[PersonId]) -> Select[Any]:
    shown = faces.alias()
    held = (assignments.c.family_id == shown.c.family_id) & (assignments.c.face_id == shown.c.face_id)
    query = select(shown.c.photo_id).join(assignments, held).where(shown.c.family_id == family)
    return query.where(_held_by(family, album, some))


def _held_by(family: FamilyId, album: Album, some: Collection[PersonId]) -> ColumnElement[bool]:
    """By index, which begins with the arm."""
    arms = {album.persons[who].arm_id for who in some if who in album.persons}
    return and_(assignments.c.family_id == family, assignments.c.arm_id.in_(arms), assignments.c.person_id.in_(some))


def _add_faces(connection: Connection, family: FamilyId, album: Album, *where: ColumnElement[bool]) -> None:
    """The family's faces of which this holds."""
    quality = PACKAGED_QUALITY.label("quality")
    query = select(faces.c.face_id, faces.c.photo_id, faces.c.taken_at, quality, faces.c.excluded)
    query = query.add_columns(*_FACT_COLUMNS.values()).where(faces.c.family_id == family, *where)
    for row in connection.execute(query):
        album.faces[FaceId(row.face_id)] = FaceRow(PhotoId(row.photo_id), row.taken_at, row.quality)
        if row.excluded:
            album.excluded[FaceId(row.face_id)] = True
        for kind, column in _FACT_COLUMNS.items():
            if (told := getattr(row, column.name)) is not None:
                album.facts[FaceId(row.face_id), kind] = Fact(None if isnan(told) else told)
    placed = select(assignments).where(assignments.c.family_id == family)
    if where:
        placed = placed.where(
            assignments.c.face_id.in_(select(faces.c.face_id).where(faces.c.family_id == family, *where))
        )
    for row in connection.execute(placed):
        place = Place(PersonId(row.person_id), row.run_id, row.state, row.score, row.assigned_at)
        album.places[row.arm_id, FaceId(row.face_id)] = place


def save_correction(connection: Connection, family: FamilyId, correction: Correction) -> None:
    """Have every row as it is after the correction; persons come first and go last, as the others refer to them."""
    mine = {"family_id": family}
    _upsert(
        connection,
        persons,
        [mine | {"person_id": one.key} | _values(one.after) for one in correction.persons if one.after],
    )
    for arm_id in sorted({change.key[0] for change in correction.places}):
        changes = [change for change in correction.places if change.key[0] == arm_id]
        key = mine | {"arm_id": arm_id}
        _upsert(
            connection,
            assignments,
            [key | {"face_id": one.key[1]} | _values(one.after) for one in changes if one.after],
        )
        gone = [change.key[1] for change in changes if change.after is None]
        _delete(connection, assignments.c.face_id, gone, family, assignments.c.arm_id == arm_id)
    _upsert(
        connection, links, [mine | {"person_id": one.key} | _values(one.after) for one in correction.links if one.after]
    )
    _delete(connection, links.c.person_id, [one.key for one in correction.links if one.after is None], family)
    for excluded in (True, False):
        those = [one.key for one in correction.excluded if bool(one.after) == excluded]
        if those:
            here = (faces.c.family_id == family) & faces.c.face_id.in_(those)
            connection.execute(update(faces).where(here).values(excluded=excluded))
    for (face, kind), fact in ((one.key, one.after) for one in correction.facts):
        told = None if fact is None else UNKNOWN if fact.value is None else fact.value
        here = (faces.c.family_id == family) & (faces.c.face_id == face)
        connection.execute(update(faces).where(here).values({_FACT_COLUMNS[kind]: told}))
    _delete(connection, persons.c.person_id, [one.key for one in correction.persons if one.after is None], family)


def _values(row: PersonRow | Place | LinkRow) -> dict[str, Any]:
    return {one.name: getattr(row, one.name) for one in fields(row)}


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(table)
    key = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in rows[0] if name not in key}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values), rows)


def _delete(
    connection: Connection, column: Column[Any], gone: Sequence[UUID], family: FamilyId, *more: ColumnElement[bool]
) -> None:
    if gone:
        connection.execute(delete(column.table).where(column.table.c.family_id == family, column.in_(gone), *more))
