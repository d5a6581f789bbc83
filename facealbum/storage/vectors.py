"""Embeddings on the wire: reading halfvecs as binary through psycopg2.

psycopg2 reads a halfvec as text, which costs far more than the query; `halfvec_send` returns its binary form as
bytea instead.  Note: halfvec wire format: int16 dimension, int16 zero, then big-endian float16 values.
"""

import numpy as np
from sqlalchemy import Column, ColumnElement, LargeBinary, func

from facealbum.domain.faces import EMBEDDING_SIZE, Embedding

_HEADER_BYTES = 4


def as_binary(column: Column[object]) -> ColumnElement[bytes]:
    """The column's halfvec as bytes for `read_embedding`."""
    return func.halfvec_send(column, type_=LargeBinary)


def read_embedding(wire: bytes | memoryview) -> Embedding:
    """float32[512] of unit length from the binary form (halves round, so the length is set to one again)."""
    halves = np.frombuffer(wire, dtype=">f2", count=EMBEDDING_SIZE, offset=_HEADER_BYTES)
    vector = halves.astype(np.float32)
    return vector / np.linalg.norm(vector)
