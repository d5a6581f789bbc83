"""Which families have faces that were not compared with their people yet, and for which the queues were asked to.

The mark is set in the transaction that saves the faces and taken back in the one that matches them, both under
`lock_family`, so no crash between them loses a match.
"""

from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Update, and_, bindparam, or_, select, update

from facealbum.domain.ids import FamilyId
from facealbum.storage.schema import families


def note_unmatched(connection: Connection, family: FamilyId, *, now: datetime) -> None:
    """The family has faces since this moment that nobody has compared with its people."""
    connection.execute(_noting(), {"whose": family, "since": now})


@cache
def _noting() -> Update:
    """Kept, as making it takes a millisecond and each photo needs it."""
    here = families.c.family_id == bindparam("whose"), families.c.unmatched_since.is_(None)
    return update(families).where(*here).values(unmatched_since=bindparam("since"))


def take_unmatched(connection: Connection, family: FamilyId) -> bool:
    """Take the mark back as the caller matches the family's faces now; tells whether there was one."""
    here = families.c.family_id == family, families.c.unmatched_since.is_not(None)
    gone = update(families).where(*here).values(unmatched_since=None, match_asked_at=None)
    return connection.execute(gone).rowcount > 0


def ask_for_match(connection: Connection, family: FamilyId, *, now: datetime) -> bool:
    """Tell whether the caller is to ask for the family's match: there are such faces, and nobody has asked before."""
    waits = families.c.unmatched_since.is_not(None), families.c.match_asked_at.is_(None)
    asked = update(families).where(families.c.family_id == family, *waits).values(match_asked_at=now)
    return connection.execute(asked).rowcount > 0


def ask_for_late_matches(connection: Connection, limit: int, *, before: datetime, now: datetime) -> list[FamilyId]:
    """The families that wait since before then, and were not asked for since; the caller is to ask for them."""
    asked, since = families.c.match_asked_at, families.c.unmatched_since
    late = and_(since < before, or_(asked.is_(None), asked < before))
    query = select(families.c.family_id).where(since.is_not(None), late).order_by(since).limit(limit)
    found = [FamilyId(row.family_id) for row in connection.execute(query.with_for_update(skip_locked=True))]
    connection.execute(update(families).where(families.c.family_id.in_(found)).values(match_asked_at=now))
    return found
