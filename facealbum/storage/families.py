"""Families and their registered children."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import ChildId, FamilyId, family_id
from facealbum.domain.people import Child, Gender
from facealbum.errors import UnknownFamilyError
from facealbum.storage.queue_schema import outbox, parked
from facealbum.storage.schema import children, families


@dataclass(frozen=True, slots=True)
class Family:
    """A registered family."""

    family_id: FamilyId
    name: str


def save_family(connection: Connection, name: str, *, now: datetime) -> Family:
    """Register the family if it is new."""
    family = Family(family_id(name), name)
    connection.execute(
        insert(families).values(family_id=family.family_id, name=name, created_at=now).on_conflict_do_nothing()
    )
    return family


def save_child(connection: Connection, family: FamilyId, child: Child, *, now: datetime) -> bool:
    """Register the child, or correct its birth date and gender; tells whether anything changed."""
    new = insert(children).values(
        family_id=family,
        child_id=child.child_id,
        name=child.name,
        birth_date=child.birth_date,
        gender=child.gender.value,
        created_at=now,
    )
    changed = or_(children.c.birth_date != new.excluded.birth_date, children.c.gender != new.excluded.gender)
    upsert = new.on_conflict_do_update(
        index_elements=[children.c.family_id, children.c.child_id],
        set_={"birth_date": new.excluded.birth_date, "gender": new.excluded.gender},
        where=changed,
    )
    return connection.execute(upsert).rowcount > 0


def load_families(connection: Connection, name: str | None = None) -> list[Family]:
    """All families by name, or the one that was registered under this name or has this id.

    Raises UnknownFamilyError if there is none.
    """
    query = select(families.c.family_id, families.c.name).order_by(families.c.name)
    if name is not None:
        query = query.where(families.c.family_id.in_(_meant(name)))
    found = [Family(FamilyId(row.family_id), row.name) for row in connection.execute(query)]
    if name is not None and not found:
        raise UnknownFamilyError(
            f"no family was registered as {name!r} or has this id; `facealbum family list` shows all"
        )
    return found


def _meant(name: str) -> list[FamilyId]:
    try:
        return [family_id(name), FamilyId(UUID(name))]
    except ValueError:
        return [family_id(name)]


def load_family(connection: Connection, family: FamilyId, *, lock: bool = False) -> Family:
    """The family of this id, with `lock` until the transaction ends; raises UnknownFamilyError."""
    query = select(families.c.name).where(families.c.family_id == family)
    name = connection.execute(query.with_for_update(key_share=True) if lock else query).scalar()
    if name is None:
        raise UnknownFamilyError(f"no family has the id {family}; it may have been deleted")
    return Family(family, name)


def open_family(connection: Connection, family: FamilyId) -> Family:
    """The same, to be read in parts: until the transaction ends no query is compiled, which would cost more."""
    connection.execute(text("SET LOCAL jit = off"))
    return load_family(connection, family)


def count_families(connection: Connection) -> int:
    """How many families are registered."""
    return connection.execute(select(func.count()).select_from(families)).scalar_one()


def load_children(connection: Connection, family: FamilyId) -> list[Child]:
    """The family's registered children, oldest first."""
    query = select(children).where(children.c.family_id == family).order_by(children.c.birth_date, children.c.child_id)
    return [
        Child(ChildId(row.child_id), row.name, row.birth_date, Gender(row.gender)) for row in connection.execute(query)
    ]


def update_family(connection: Connection, family: FamilyId, name: str) -> None:
    """Show the family under another name."""
    connection.execute(update(families).where(families.c.family_id == family).values(name=name))


def update_child(connection: Connection, family: FamilyId, child: Child) -> None:
    """Correct what is known of the child."""
    here = children.c.family_id == family, children.c.child_id == child.child_id
    news = {"name": child.name, "birth_date": child.birth_date, "gender": child.gender.value}
    connection.execute(update(children).where(*here).values(news))


def delete_child(connection: Connection, family: FamilyId, child: ChildId) -> None:
    """Delete the child and every link to it."""
    connection.execute(delete(children).where(children.c.family_id == family, children.c.child_id == child))


def delete_family(connection: Connection, family: FamilyId) -> bool:
    """Delete the family's row and with it every row that is known of it; tells whether there was one."""
    for messages in (outbox, parked):
        connection.execute(delete(messages).where(messages.c.family_id == family))
    return connection.execute(delete(families).where(families.c.family_id == family)).rowcount > 0
