"""Embeddings and ids on the wire: what psycopg2 reads slowly by itself.

It reads a halfvec as text, which costs far more than the query; `halfvec_send` returns its binary form as bytea
instead.  Note: halfvec wire format: int16 dimension, int16 zero, then big-endian float16 values.
It makes a UUID of each text anew, while a month reads most of its ids several times.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from psycopg2.extensions import new_array_type, new_type, register_type
from sqlalchemy import Column, ColumnElement, LargeBinary, func

from facealbum.domain.faces import EMBEDDING_SIZE, Embedding

_HEADER_BYTES = 4
_UUID, _UUIDS = 2950, 2951  # PostgreSQL's numbers of the types uuid and uuid[]

_uuid = lru_cache(maxsize=1 << 14)(UUID)


def read_ids_quickly(connection: Any, _record: object) -> None:  # noqa: ANN401 - psycopg2 ships no types
    """Have a new connection of psycopg2 give the UUIDs that it read lately again."""
    one = new_type((_UUID,), "UUID", lambda value, _: None if value is None else _uuid(value))
    register_type(one, connection)
    register_type(new_array_type((_UUIDS,), "UUID[]", one), connection)


def as_binary(column: Column[object]) -> ColumnElement[bytes]:
    """The column's halfvec as bytes for `read_embedding`."""
    return func.halfvec_send(column, type_=LargeBinary)


def read_embedding(wire: bytes | memoryview) -> Embedding:
    """float32[512] of unit length from the binary form (halves round, so the length is set to one again)."""
    halves = np.frombuffer(wire, dtype=">f2", count=EMBEDDING_SIZE, offset=_HEADER_BYTES)
    vector = halves.astype(np.float32)
    return vector / np.linalg.norm(vector)
