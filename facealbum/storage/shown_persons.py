"""A family's persons as pages show them: with faces counted now, and everything else by key.

Counting reads the family's rows of `assignments` by index and nothing of the faces themselves, so that a family of
50,000 faces costs some ten milliseconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Subquery, and_, desc, func, literal, select, true, tuple_

from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, RunId
from facealbum.storage.schema import assignments, breakage, children, faces, families, links, persons, runs

_LOOKED_AT = 12  # faces of a person, of which the best is its picture


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A person that has faces; provisional: those that no monthly run has confirmed."""

    person_id: PersonId
    name: str | None
    hidden: bool
    child_id: ChildId | None
    child: str | None
    probability: float | None
    faces: int
    provisional: int

    @property
    def title(self) -> str:
        """As people call it, or the beginning of its id."""
        return self.name or self.child or str(self.person_id)[:8]


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What stands of a person, whether or not it has faces."""

    person_id: PersonId
    arm_id: int
    run_id: RunId | None
    merged_into: PersonId | None


@dataclass(frozen=True, slots=True)
class BrokenLabel:
    """What became of a person's pseudo-label in a run; clusters: the sizes of its parts, largest first."""

    run_id: RunId
    arm_id: int
    month: date
    finished_at: datetime | None
    nodes: int
    mixing: bool
    disappearance: bool
    splitting: bool
    clusters: list[int]


def load_shown_persons(
    connection: Connection,
    family: FamilyId,
    arm_id: int | None,
    *,
    limit: int,
    after: tuple[int, PersonId] | None = None,
) -> list[ShownPerson]:
    """Persons that have faces, those with most first; after: faces and id of the last one before."""
    counted = _counted(family, arm_id)
    query = _persons(family, counted).order_by(desc(counted.c.faces), persons.c.person_id).limit(limit)
    if after is not None:
        query = query.where(tuple_(-counted.c.faces, persons.c.person_id) > tuple_(literal(-after[0]), after[1]))
    return [ShownPerson(*row) for row in connection.execute(query)]


def load_shown_person(connection: Connection, family: FamilyId, arm_id: int, person: PersonId) -> ShownPerson | None:
    """The person of this id, with faces or without."""
    counted = _counted(family, arm_id, person)
    row = connection.execute(_persons(family, counted, outer=True).where(persons.c.person_id == person)).one_or_none()
    return None if row is None else ShownPerson(*row)


def load_person_record(connection: Connection, family: FamilyId, person: PersonId) -> PersonRecord | None:
    """What stands of this person."""
    query = select(persons.c.person_id, persons.c.arm_id, persons.c.run_id, persons.c.merged_into).where(
        persons.c.family_id == family, persons.c.person_id == person
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else PersonRecord(*row)


def count_waiting(connection: Connection, family: FamilyId, arm_id: int | None, *, most: int) -> int:
    """How many faces have no person, counted up to `most`."""
    mine = and_(
        assignments.c.family_id == family, assignments.c.arm_id == arm_id, assignments.c.face_id == faces.c.face_id
    )
    waiting = select(literal(1)).where(
        faces.c.family_id == family, ~faces.c.excluded, ~select(literal(1)).where(mine).exists()
    )
    return connection.execute(select(func.count()).select_from(waiting.limit(most).subquery())).scalar_one()


def load_pictures(
    connection: Connection, family: FamilyId, arm_id: int | None, of: Collection[PersonId]
) -> dict[PersonId, FaceId]:
    """A good face of each of these persons: the best of a few, so that nobody's album is read as a whole."""
    some = (
        select(assignments.c.face_id)
        .where(
            assignments.c.family_id == family,
            assignments.c.arm_id == arm_id,
            assignments.c.person_id == persons.c.person_id,
        )
        .limit(_LOOKED_AT)
        .lateral("some")
    )
    query = (
        select(persons.c.person_id, faces.c.face_id)
        .select_from(persons)
        .join(some, true())
        .join(faces, (faces.c.family_id == persons.c.family_id) & (faces.c.face_id == some.c.face_id))
        .where(persons.c.family_id == family, persons.c.person_id.in_(of))
        .order_by(faces.c.quality, faces.c.face_id)  # of each person the last one counts
    )
    return {PersonId(row.person_id): FaceId(row.face_id) for row in connection.execute(query)}


def load_broken_label(connection: Connection, family: FamilyId, run: RunId, person: PersonId) -> BrokenLabel | None:
    """What became of the person's pseudo-label in this run."""
    query = (
        select(runs.c.run_id, runs.c.arm_id, runs.c.month, runs.c.finished_at)
        .add_columns(breakage.c.nodes, breakage.c.mixing, breakage.c.disappearance, breakage.c.splitting)
        .add_columns(breakage.c.clusters)
        .join(breakage, (breakage.c.family_id == runs.c.family_id) & (breakage.c.run_id == runs.c.run_id))
        .where(runs.c.family_id == family, runs.c.run_id == run, breakage.c.person_id == person)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else BrokenLabel(*row)


def load_family_names(connection: Connection, of: Collection[UUID]) -> Mapping[UUID, str]:
    """The names of these families."""
    query = select(families.c.family_id, families.c.name).where(families.c.family_id.in_(of))
    return {row.family_id: row.name for row in connection.execute(query)}


def _counted(family: FamilyId, arm_id: int | None, person: PersonId | None = None) -> Subquery:
    query = select(
        assignments.c.person_id,
        func.count().label("faces"),
        func.count().filter(assignments.c.state == "provisional").label("provisional"),
    ).where(assignments.c.family_id == family, assignments.c.arm_id == arm_id)
    if person is not None:
        query = query.where(assignments.c.person_id == person)
    return query.group_by(assignments.c.person_id).subquery("counted")


def _persons(family: FamilyId, counted: Subquery, *, outer: bool = False) -> Select[Any]:
    return (
        select(persons.c.person_id, persons.c.name, persons.c.hidden, links.c.child_id, children.c.name.label("child"))
        .add_columns(links.c.probability)
        .add_columns(func.coalesce(counted.c.faces, 0), func.coalesce(counted.c.provisional, 0))
        .join(counted, counted.c.person_id == persons.c.person_id, isouter=outer)
        .outerjoin(links, (links.c.family_id == persons.c.family_id) & (links.c.person_id == persons.c.person_id))
        .outerjoin(children, (children.c.family_id == links.c.family_id) & (children.c.child_id == links.c.child_id))
        .where(persons.c.family_id == family)
    )
