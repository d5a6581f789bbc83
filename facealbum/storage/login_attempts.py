"""How often signing in was tried lately; a subject is the digest of a user's name or of an address."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.storage.access_schema import login_attempts


def count_attempt(connection: Connection, subject: bytes, *, now: datetime, window: timedelta) -> int:
    """One more attempt; tells how many there were since the first one, which is forgotten after the window."""
    new = insert(login_attempts).values(subject=subject, attempts=1, since=now)
    over = login_attempts.c.since <= now - window
    counted = new.on_conflict_do_update(
        index_elements=[login_attempts.c.subject],
        set_={
            "attempts": case((over, 1), else_=login_attempts.c.attempts + 1),
            "since": case((over, now), else_=login_attempts.c.since),
        },
    )
    return int(connection.execute(counted.returning(login_attempts.c.attempts)).scalar_one())


def forgive_attempt(connection: Connection, subject: bytes) -> None:
    """Take one attempt back, as it went well."""
    one_less = update(login_attempts).where(login_attempts.c.subject == subject, login_attempts.c.attempts > 0)
    connection.execute(one_less.values(attempts=login_attempts.c.attempts - 1))


def forget_attempts(connection: Connection, *, before: datetime) -> None:
    """Keep nothing that began so long ago, but what somebody counts just now: nobody waits for it."""
    old = select(login_attempts.c.subject).where(login_attempts.c.since <= before).with_for_update(skip_locked=True)
    connection.execute(delete(login_attempts).where(login_attempts.c.subject.in_(old)))
