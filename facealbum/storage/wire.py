"""Embeddings and ids on the wire: what psycopg2 reads slowly by itself.

It reads a halfvec as text, which costs far more than the query; `halfvec_send` returns its binary form as bytea
instead.  Note: halfvec wire format: int16 dimension, int16 zero, then big-endian float16 values.
It makes a UUID of each text anew, while a month reads most of its ids several times.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg2.extensions import new_array_type, new_type, register_type
from sqlalchemy import ARRAY, Column, ColumnElement, LargeBinary, Uuid, any_, func, literal

from facealbum.domain.faces import EMBEDDING_SIZE, Embedding

_HEADER_BYTES = 4
WIRE_BYTES = _HEADER_BYTES + 2 * EMBEDDING_SIZE
_AT_ONCE = 256  # vectors that stay in a processor's cache while they are decoded
_MOVED = 13  # a float32 has so many more bits behind the point than a half
_OF_HALF = np.int32(-0x7FFF_FFFF - 1 | 0x0FFF_E000)  # the sign, and where the other bits of a half then are
_SHORT = np.float32(2.0 ** (127 - 15))  # by which the exponents of the two are told differently
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


def is_one_of(column: Column[Any], some: Iterable[UUID]) -> ColumnElement[bool]:
    """Whether the column is one of these ids, sent as one array however many they are."""
    return column == any_(literal(list(some), ARRAY(Uuid)))


def read_embedding(wire: bytes | memoryview) -> Embedding:
    """float32[512] of unit length from the binary form."""
    vector: Embedding = read_embeddings(np.frombuffer(wire, np.uint8)[None])[0]
    return vector


def read_embeddings(wires: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32[n, 512] of unit length from uint8[n, WIRE_BYTES], the binary forms.

    Halves round, so the length is set to one again.  Each row is bit for bit what it would be alone.
    A half's bits, moved to the place that they have in a float32, are its number short of a power of two: no halfvec
    holds infinities or NaN.  Exact, and in a third of the time that numpy's own conversion takes.
    """
    vectors = np.empty((len(wires), EMBEDDING_SIZE), np.float32)
    for start in range(0, len(wires), _AT_ONCE):
        some = vectors[start : start + _AT_ONCE]
        bits = some.view(np.int32)
        bits[:] = wires[start : start + _AT_ONCE, _HEADER_BYTES:].view(">i2")  # the sign in every higher bit
        bits <<= _MOVED
        bits &= _OF_HALF
        some *= _SHORT
        some /= np.sqrt(np.vecdot(some, some))[:, None]
    return vectors
