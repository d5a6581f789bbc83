"""Users and their sessions."""

from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.access import Role
from facealbum.storage.access_schema import sessions, users


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in; password: its hash, None where it may not sign in by one."""

    name: str
    role: Role
    created_at: datetime
    password: str | None = field(default=None, repr=False)


def save_user(connection: Connection, user: User) -> bool:
    """Add the user; tells whether the name was free."""
    return connection.execute(insert(users).values(**asdict(user)).on_conflict_do_nothing()).rowcount > 0


def load_users(connection: Connection) -> list[User]:
    """All users by name."""
    return [_user(row) for row in connection.execute(select(users).order_by(users.c.name)).mappings()]


def load_user(connection: Connection, name: str) -> User | None:
    """The user of this name."""
    found = connection.execute(select(users).where(users.c.name == name)).mappings().first()
    return _user(found) if found else None


def lock_admins(connection: Connection) -> set[str]:
    """The names of all admins, of whom nobody else changes one before this transaction ends."""
    query = select(users.c.name).where(users.c.role == Role.ADMIN.value).order_by(users.c.name).with_for_update()
    return set(connection.execute(query).scalars())


def change_user(connection: Connection, name: str, **changes: str) -> bool:
    """Write a new role or password; tells whether there is such a user."""
    return connection.execute(update(users).where(users.c.name == name).values(**changes)).rowcount > 0


def delete_user(connection: Connection, name: str) -> bool:
    """Take the user and its sessions away; tells whether there was one."""
    return connection.execute(delete(users).where(users.c.name == name)).rowcount > 0


def save_session(connection: Connection, digest: bytes, user: str, *, now: datetime, until: datetime) -> None:
    """Begin a session; those that ended are forgotten."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    new = insert(sessions).values(digest=digest, user_name=user, created_at=now, expires_at=until)
    connection.execute(new)


def load_session_user(connection: Connection, digest: bytes, *, now: datetime) -> User | None:
    """Whose session it is, as the user is now."""
    query = select(users).join(sessions, sessions.c.user_name == users.c.name)
    query = query.where(sessions.c.digest == digest, sessions.c.expires_at > now)
    found = connection.execute(query).mappings().first()
    return _user(found) if found else None


def delete_session(connection: Connection, digest: bytes) -> None:
    """End one session."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def delete_sessions(connection: Connection, user: str) -> int:
    """End all sessions of the user; tells how many there were."""
    return connection.execute(delete(sessions).where(sessions.c.user_name == user)).rowcount


def _user(row: RowMapping) -> User:
    return User(row["name"], Role(row["role"]), row["created_at"], row["password"])
