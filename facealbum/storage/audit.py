"""The record of who did what to experiments and arms; rows are added and never changed, which the database enforces.

It names no family, child or photo.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from facealbum.storage.experiment_schema import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done; subject: the experiment or arm, as "experiment sharper" or "arm new"."""

    number: int
    at: datetime
    author: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def save_entry(
    connection: Connection, action: str, subject: str, *, author: str, now: datetime, detail: Mapping[str, Any] = {}
) -> None:
    """Record it in the transaction that does it."""
    entry = {"action": action, "subject": subject, "author": author, "at": now, "detail": dict(detail)}
    connection.execute(insert(audit).values(**entry))


def load_entries(connection: Connection, subject: str | None = None) -> list[Entry]:
    """Everything that was done, or what was done to one subject, oldest first."""
    query = select(audit).order_by(audit.c.number)
    rows = connection.execute(query if subject is None else query.where(audit.c.subject == subject))
    return [Entry(**row._asdict()) for row in rows]
