"""A family's decisions as pages and lists show them: newest first, a bounded number at a time."""

from collections.abc import Collection

from sqlalchemy import Connection, or_, select

from facealbum.domain.ids import FamilyId, PersonId
from facealbum.storage.decisions import Record, load_records
from facealbum.storage.schema import decisions


def load_latest_records(
    connection: Connection,
    family: FamilyId,
    *,
    limit: int,
    before: int | None = None,
    person: PersonId | None = None,
    numbers: Collection[int] | None = None,
) -> list[Record]:
    """Decisions, newest first.

    before: those with smaller numbers.  person: those that name the person or made it.  numbers: these alone.
    """
    query = select(decisions.c.number).where(decisions.c.family_id == family)
    if before is not None:
        query = query.where(decisions.c.number < before)
    if person is not None:
        who, made = str(person), [{"key": str(person)}]
        named = (decisions.c.subject[part].astext == who for part in ("person", "other"))
        query = query.where(or_(*named, decisions.c.correction["persons"].contains(made)))
    if numbers is not None:
        query = query.where(decisions.c.number.in_(numbers))
    newest = query.order_by(decisions.c.number.desc()).limit(limit)
    return load_records(connection, family, decisions.c.number.in_(newest))[::-1]
