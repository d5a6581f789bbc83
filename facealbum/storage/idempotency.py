"""Requests that have a key of their own, and what they were answered."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from facealbum.domain.ids import FamilyId
from facealbum.storage.request_schema import idempotency_keys
from facealbum.storage.schema import families


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """Who sent it with which key; digest: of all that it asks for."""

    caller: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """digest: of the request; status: None while it is worked on; answer: None if it may be told only once."""

    digest: bytes
    status: int | None
    answer: bytes | None
    location: str | None


def claim_key(
    connection: Connection, request: KeyedRequest, *, now: datetime, stale: datetime, abandoned: datetime
) -> bool:
    """Take the key, if nobody has it, or since before `stale`, or works on it since before `abandoned`."""
    new = insert(idempotency_keys).values(caller=request.caller, key=request.key, digest=request.digest, created_at=now)
    since = idempotency_keys.c.created_at
    free = or_(since < stale, idempotency_keys.c.status.is_(None) & (since < abandoned))
    empty = dict.fromkeys(("status", "answer", "location", "family_id"))
    claim = new.on_conflict_do_update(
        index_elements=list(idempotency_keys.primary_key),
        set_={"digest": new.excluded.digest, "created_at": new.excluded.created_at, **empty},
        where=free,
    )
    return connection.execute(claim).rowcount > 0


def load_answer(connection: Connection, request: KeyedRequest) -> KeptAnswer | None:
    """What the key was used for."""
    kept = idempotency_keys.c
    query = select(kept.digest, kept.status, kept.answer, kept.location).where(*_of(request))
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return KeptAnswer(bytes(row.digest), row.status, None if row.answer is None else bytes(row.answer), row.location)


def save_answer(connection: Connection, request: KeyedRequest, answer: KeptAnswer, *, family: FamilyId | None) -> None:
    """Keep the answer until the key is stale or the family deleted."""
    there = select(families.c.family_id).where(families.c.family_id == family).scalar_subquery()
    kept = {"status": answer.status, "answer": answer.answer, "location": answer.location, "family_id": there}
    connection.execute(update(idempotency_keys).where(*_of(request)).values(**kept))


def forget_key(connection: Connection, request: KeyedRequest) -> None:
    """Let the key be used anew."""
    connection.execute(delete(idempotency_keys).where(*_of(request)))


def forget_keys(connection: Connection, *, before: datetime) -> int:
    """Forget all keys that were used before this moment; tells how many."""
    return connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < before)).rowcount


def _of(request: KeyedRequest) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return idempotency_keys.c.caller == request.caller, idempotency_keys.c.key == request.key
