"""The record of who did what to experiments, arms, jobs, users and tokens; it names no family, child or photo.

Rows are added and never changed, which the database enforces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from facealbum.storage.experiment_schema import audit


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done; subject: as "experiment sharper", "arm new" or "run 3"."""

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


def load_newest_entries(connection: Connection, *, subject: str | None, before: int | None, limit: int) -> list[Entry]:
    """The newest of them first; before: those with a smaller number."""
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    query = query if subject is None else query.where(audit.c.subject == subject)
    rows = connection.execute(query if before is None else query.where(audit.c.number < before))
    return [Entry(**row._asdict()) for row in rows]
