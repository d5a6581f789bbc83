"""The tokens of programs; the secrets themselves are nowhere."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.access import Role
from facealbum.domain.ids import FamilyId
from facealbum.storage.access_schema import service_tokens, users

_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token of a program; family: the only one that it is good for, None for all."""

    name: str
    digest: bytes = field(repr=False)
    role: Role
    family_id: FamilyId | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


def save_token(connection: Connection, token: ServiceToken) -> bool:
    """Add the token; tells whether the name was free."""
    return connection.execute(insert(service_tokens).values(**asdict(token)).on_conflict_do_nothing()).rowcount > 0


def load_tokens(connection: Connection) -> list[ServiceToken]:
    """All tokens by name, with those that are good no more."""
    rows = connection.execute(select(service_tokens).order_by(service_tokens.c.name)).mappings()
    return [_token(row) for row in rows]


def load_good_token(connection: Connection, digest: bytes, *, now: datetime) -> ServiceToken | None:
    """The token of this secret, if it is good now; that it is used is noted, at most once a minute."""
    query = select(service_tokens).where(
        service_tokens.c.digest == digest, service_tokens.c.expires_at > now, service_tokens.c.revoked_at.is_(None)
    )
    found = connection.execute(query).mappings().first()
    if found is None:
        return None
    long_ago = or_(service_tokens.c.used_at.is_(None), service_tokens.c.used_at <= now - _NOTED_EVERY)
    connection.execute(
        update(service_tokens).where(service_tokens.c.name == found["name"], long_ago).values(used_at=now)
    )
    return _token(found)


def revoke_token(connection: Connection, name: str, *, now: datetime) -> bool:
    """Make it good no more; tells whether it was."""
    good = (service_tokens.c.name == name) & service_tokens.c.revoked_at.is_(None)
    return connection.execute(update(service_tokens).where(good).values(revoked_at=now)).rowcount > 0


def is_anybody_registered(connection: Connection) -> bool:
    """Whether there is a user, or was ever a token."""
    query = select(or_(exists(select(users.c.name)), exists(select(service_tokens.c.name))))
    return bool(connection.execute(query).scalar())


def _token(row: RowMapping) -> ServiceToken:
    return ServiceToken(**{**row, "role": Role(row["role"])})
