"""The rows of a family's album that users' decisions change: read as a whole, and written as a correction has them.

Both are done in the caller's transaction, under `lock_family`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isnan
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.corrections import Album, Correction, FaceRow, Fact, LinkRow, PersonRow, Place
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, PhotoId
from facealbum.storage.schema import assignments, children, faces, links, persons
from facealbum.storage.told import PACKAGED_QUALITY, UNKNOWN

_FACT_COLUMNS = {Kind.AGE: faces.c.told_age, Kind.GENDER: faces.c.told_p_female}


def load_album(connection: Connection, family: FamilyId) -> Album:
    """All rows of the family that decisions may change."""
    album = Album()
    mine = (table.c.family_id == family for table in (faces, persons, assignments, links, children))
    of_faces, of_persons, of_places, of_links, of_children = mine
    query = select(
        faces.c.face_id, faces.c.photo_id, faces.c.taken_at, PACKAGED_QUALITY.label("quality"), faces.c.excluded
    )
    query = query.add_columns(*_FACT_COLUMNS.values())
    for row in connection.execute(query.where(of_faces)):
        album.faces[FaceId(row.face_id)] = FaceRow(PhotoId(row.photo_id), row.taken_at, row.quality)
        if row.excluded:
            album.excluded[FaceId(row.face_id)] = True
        for kind, column in _FACT_COLUMNS.items():
            if (told := getattr(row, column.name)) is not None:
                album.facts[FaceId(row.face_id), kind] = Fact(None if isnan(told) else told)
    for row in connection.execute(select(persons).where(of_persons)):
        album.persons[PersonId(row.person_id)] = PersonRow(
            row.arm_id, row.run_id, row.name, row.hidden, row.merged_into
        )
    for row in connection.execute(select(assignments).where(of_places)):
        place = Place(PersonId(row.person_id), row.run_id, row.state, row.score, row.assigned_at)
        album.places[row.arm_id, FaceId(row.face_id)] = place
    for row in connection.execute(select(links).where(of_links)):
        album.links[PersonId(row.person_id)] = LinkRow(
            ChildId(row.child_id), row.run_id, row.probability, row.evidence, row.confirmed, row.linked_at
        )
    found = connection.execute(select(children.c.child_id).where(of_children))
    album.children = frozenset(ChildId(row.child_id) for row in found)
    return album


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
