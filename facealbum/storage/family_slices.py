"""The parts of all families that the operator told each one belongs to."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId
from facealbum.storage.metric_schema import family_slices


def save_slice(connection: Connection, families: Iterable[FamilyId], name: str, value: str, *, now: datetime) -> None:
    """Have the families belong to this part; an empty value takes them out of every part of that name."""
    ids = list(families)
    if not value:
        connection.execute(
            delete(family_slices).where(family_slices.c.family_id.in_(ids), family_slices.c.name == name)
        )
        return
    statement = insert(family_slices)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(family_slices.primary_key),
            set_={column: statement.excluded[column] for column in ("value", "imported_at")},
        ),
        [{"family_id": one, "name": name, "value": value, "imported_at": now} for one in ids],
    )
