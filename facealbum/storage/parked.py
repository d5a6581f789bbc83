"""Messages that were set aside, each with the reason; nothing is ever dropped from a queue for being hard to do.

The same message parked twice is one row that counts its attempts.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId
from facealbum.storage.queue_schema import parked

EVENTS = "events"
"""Stands for the queue of what the object store told: no worker's, so nothing is sent there again."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A message set aside: `code` is that of the error, `detail` its kind and place, without any value."""

    family_id: FamilyId
    queue: str
    message: dict[str, Any]
    code: str
    detail: str
    attempts: int
    first_at: datetime
    last_at: datetime

    @property
    def parked_id(self) -> UUID:
        """The same for the same message of the same queue."""
        return uuid5(self.family_id, f"parked/{self.queue}/{json.dumps(self.message, sort_keys=True)}")


def save_parked(connection: Connection, one: Parked) -> None:
    """Set a message aside, or add to what is known of it if it is aside already."""
    one = replace(one, message=_storable(one.message))
    new = insert(parked).values(
        family_id=one.family_id,
        parked_id=one.parked_id,
        queue=one.queue,
        message=one.message,
        code=one.code,
        detail=one.detail,
        attempts=one.attempts,
        first_at=one.first_at,
        last_at=one.last_at,
    )
    seen_again = {
        "code": new.excluded.code,
        "detail": new.excluded.detail,
        "attempts": parked.c.attempts + new.excluded.attempts,
        "last_at": new.excluded.last_at,
    }
    connection.execute(new.on_conflict_do_update(index_elements=["family_id", "parked_id"], set_=seen_again))


def load_parked(
    connection: Connection,
    family: FamilyId | None = None,
    queue: str | None = None,
    *,
    after: tuple[datetime, UUID] | None = None,
    limit: int | None = None,
) -> list[Parked]:
    """What is set aside of one family or all, of one queue or all, oldest first; after: `first_at` and `parked_id`."""
    keys = tuple_(parked.c.first_at, parked.c.parked_id)
    query = select(parked).where(*_wanted(family, queue)).order_by(*keys).limit(limit)
    return [_parked(row) for row in connection.execute(query if after is None else query.where(keys > tuple_(*after)))]


def take_parked(connection: Connection, family: FamilyId | None = None, queue: str | None = None) -> list[Parked]:
    """The same of the workers' queues, taken out: whoever takes them owes them to a queue."""
    mine = [*_wanted(family, queue), parked.c.queue != EVENTS]
    taken = connection.execute(delete(parked).where(*mine).returning(parked))
    return sorted((_parked(row) for row in taken), key=lambda one: one.first_at)


def delete_parked(connection: Connection, one: Parked) -> None:
    """Forget a message that could be done after all."""
    connection.execute(delete(parked).where(parked.c.family_id == one.family_id, parked.c.parked_id == one.parked_id))


def _storable(message: Any) -> Any:  # noqa: ANN401 - whatever somebody has sent
    """The message; or its text, if it has what PostgreSQL's JSON has not: NUL, halves of characters, NaN, infinity."""
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False)
        text.encode()
        fits = r"\u0000" not in text
    except ValueError:
        fits = False
    return message if fits else {"text": json.dumps(message)}


def _wanted(family: FamilyId | None, queue: str | None) -> list[Any]:
    return ([] if family is None else [parked.c.family_id == family]) + (
        [] if queue is None else [parked.c.queue == queue]
    )


def _parked(row: Any) -> Parked:  # noqa: ANN401 - a row of the table
    return Parked(
        FamilyId(row.family_id),
        row.queue,
        row.message,
        row.code,
        row.detail,
        row.attempts,
        row.first_at,
        row.last_at,
    )
