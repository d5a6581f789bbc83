"""Secrets that all web processes of an installation share, made by whichever needs one first."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from facealbum.storage.request_schema import secrets


def load_secret(connection: Connection, name: str, *, new: bytes, now: datetime) -> bytes:
    """The secret of this name; `new` from now on if there was none."""
    connection.execute(insert(secrets).values(name=name, value=new, created_at=now).on_conflict_do_nothing())
    return bytes(connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one())
