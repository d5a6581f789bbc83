"""Messages on their way from a transaction to the broker.

A message is written in the transaction whose work it announces, so a rollback takes it back and a commit can't lose
it.  Whoever sends it deletes its row afterwards: a crash in between sends it twice, never not at all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, tuple_

from facealbum.domain.ids import FamilyId
from facealbum.domain.messages import Message
from facealbum.storage.queue_schema import outbox


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that waits to be sent; `number` counts them in the order of writing."""

    family_id: FamilyId
    number: int
    queue: str
    message: dict[str, Any]


def save_messages(connection: Connection, messages: Sequence[Message], *, now: datetime) -> None:
    """Have these messages sent once the transaction is committed."""
    rows = [
        {"family_id": one.family_id, "queue": one.QUEUE, "message": one.to_json(), "written_at": now}
        for one in messages
    ]
    if rows:
        connection.execute(insert(outbox), rows)


def save_raw_message(
    connection: Connection, family: FamilyId, queue: str, *, message: dict[str, Any], now: datetime
) -> None:
    """The same for a message as it travels, of whatever form."""
    row = {"family_id": family, "queue": queue, "message": message, "written_at": now}
    connection.execute(insert(outbox).values(row))


def claim_messages(connection: Connection, limit: int) -> list[Outgoing]:
    """The oldest messages that nobody else is sending; they are the caller's until its transaction ends."""
    oldest = select(outbox).order_by(outbox.c.number).limit(limit).with_for_update(skip_locked=True)
    return [Outgoing(FamilyId(row.family_id), row.number, row.queue, row.message) for row in connection.execute(oldest)]


def has_messages(connection: Connection, many: int) -> bool:
    """Whether so many messages or more wait."""
    query = select(outbox.c.number).order_by(outbox.c.number).offset(many - 1).limit(1)
    return connection.execute(query).first() is not None


def delete_messages(connection: Connection, sent: Collection[Outgoing]) -> None:
    """Forget messages that were sent."""
    keys = [(message.family_id, message.number) for message in sent]
    connection.execute(delete(outbox).where(tuple_(outbox.c.family_id, outbox.c.number).in_(keys)))
