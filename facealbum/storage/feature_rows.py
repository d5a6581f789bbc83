"""Reading features of very many faces at once: PostgreSQL's binary COPY, decoded a batch at a time by numpy.

Each row has the same length, as what is unknown has a value that nothing known has: NaN, or zeros for ids and vectors.
Price: a batch is held in memory, about 1.2 kB a face with its embedding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, RawIOBase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    REAL,
    Boolean,
    ColumnElement,
    Connection,
    Double,
    LargeBinary,
    Select,
    Table,
    Uuid,
    and_,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.storage.feature_values import CHILD_AGE, SIMILARITY, SIZE
from facealbum.storage.schema import assignments, children, face_embeddings, faces, links
from facealbum.storage.told import AGE, P_FEMALE
from facealbum.storage.wire import WIRE_BYTES, as_binary, read_embeddings

_HEADER, _TRAILER = 19, 2  # bytes of a binary COPY around its rows
_EPOCH = 946_684_800_000_000  # microseconds from 1970 to 2000, where PostgreSQL begins to count
_NAN = literal_column("'NaN'::float8", Double)
_NOBODY = literal_column(f"'{'0' * 32}'::uuid", Uuid)
_NO_VECTOR = literal_column(f"decode(repeat('00', {WIRE_BYTES}), 'hex')", LargeBinary)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A column of n values, V16[n] of ids; known: bool[n], None where all are."""

    values: NDArray[Any]
    known: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Lens:
    """By what faces are seen: an arm, None before the first, and an embedding space."""

    arm_id: int | None
    space_id: int | None


def _single(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(value, _NAN).cast(REAL)


_COLUMNS: Mapping[str, tuple[ColumnElement[Any], str]] = {
    "family_id": (faces.c.family_id, "V16"),
    "face_id": (faces.c.face_id, "V16"),
    "taken_at": (faces.c.taken_at, ">i8"),
    "age": (_single(AGE), ">f4"),
    "p_female": (_single(P_FEMALE), ">f4"),
    **{name: (_single(faces.c[name]), ">f4") for name in ("quality", "yaw", "pitch", "roll", "score")},
    "size": (_single(SIZE), ">f4"),
    "person": (func.coalesce(assignments.c.person_id, _NOBODY), "V16"),
    "confirmed": (func.coalesce(assignments.c.state == "confirmed", False).cast(Boolean), "?"),
    "similarity": (_single(SIMILARITY), ">f4"),
    "child_age": (func.coalesce(CHILD_AGE, _NAN).cast(Double), ">f8"),
    "embedding": (func.coalesce(as_binary(face_embeddings.c.embedding), _NO_VECTOR), f"V{WIRE_BYTES}"),
}
"""The expression of each feature of a face, never NULL, and its form on the wire."""

_OF_ARM = {"person", "confirmed", "similarity", "child_age"}


def load_face_counts(connection: Connection, family: FamilyId | None = None) -> list[tuple[FamilyId, int]]:
    """How many faces each family has, by id."""
    query = select(faces.c.family_id, func.count()).where(~faces.c.excluded)
    if family is not None:
        query = query.where(faces.c.family_id == family)
    return [(FamilyId(row[0]), row[1]) for row in connection.execute(query.group_by("family_id").order_by("family_id"))]


def read_faces(
    connection: Connection,
    names: Sequence[str],
    between: tuple[FamilyId, FamilyId],
    lens: Lens,
    *,
    after: FaceId | None = None,
    limit: int | None = None,
) -> dict[str, Values]:
    """These features of all faces of the families from the first to the last, by family and face.

    after, limit: only so many faces behind that one, of one family.
    """
    wire = BytesIO()
    copy_faces(connection, names, between, lens, into=wire, after=after, limit=limit)
    return _decode(wire, ("family_id", "face_id", *names))


def copy_faces(  # noqa: PLR0913 - as read_faces
    connection: Connection,
    names: Sequence[str],
    between: tuple[FamilyId, FamilyId],
    lens: Lens,
    *,
    into: BytesIO | RawIOBase,
    after: FaceId | None = None,
    limit: int | None = None,
) -> None:
    """The same as they are on the wire."""
    query = _query(("family_id", "face_id", *names), lens).where(faces.c.family_id.between(*between)).limit(limit)
    if after is not None:
        query = query.where(faces.c.face_id > after)
    statement = query.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})
    connection.execute(text("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off"))
    raw: Any = connection.connection  # psycopg2's own, which alone can copy
    with raw.cursor() as cursor:
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", into)


_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call] # no sign is doubled in it


def _query(columns: Sequence[str], lens: Lens) -> Select[Any]:
    source: Any = faces
    if _OF_ARM & set(columns):
        source = source.outerjoin(
            assignments, _same(assignments, faces, "face_id") & (assignments.c.arm_id == lens.arm_id)
        )
    if "child_age" in columns:
        source = source.outerjoin(links, _same(links, assignments, "person_id"))
        source = source.outerjoin(children, _same(children, links, "child_id"))
    if "embedding" in columns:
        here = _same(face_embeddings, faces, "face_id") & (face_embeddings.c.space_id == lens.space_id)
        source = source.outerjoin(face_embeddings, here)
    chosen = [_COLUMNS[name][0].label(name) for name in columns]
    return select(*chosen).select_from(source).where(~faces.c.excluded).order_by(faces.c.family_id, faces.c.face_id)


def _same(one: Table, other: Table, key: str) -> ColumnElement[bool]:
    return and_(one.c.family_id == other.c.family_id, one.c[key] == other.c[key])


def _decode(wire: BytesIO, columns: Sequence[str]) -> dict[str, Values]:
    """A row is its number of fields, and each field has its length before it."""
    fields = [field for name in columns for field in ((f"{name} length", ">i4"), (name, _COLUMNS[name][1]))]
    row = np.dtype([("fields", ">i2"), *fields])
    count = (wire.getbuffer().nbytes - _HEADER - _TRAILER) // row.itemsize
    rows = np.frombuffer(wire.getbuffer(), row, count, _HEADER)
    return {name: _values(rows[name]) for name in columns}


def _values(column: NDArray[Any]) -> Values:
    match column.dtype.kind, column.dtype.itemsize:
        case "V", 16:
            ids = np.ascontiguousarray(column)
            return Values(ids, np.asarray(ids.view(np.uint8).reshape(len(ids), 16).any(axis=1)))
        case "V", _:
            return _vectors(np.ascontiguousarray(column).view(np.uint8).reshape(len(column), WIRE_BYTES))
        case "f", _:
            numbers = column.astype(column.dtype.newbyteorder("="))
            return Values(numbers, ~np.isnan(numbers))
        case "i", _:
            return Values(column.astype(np.int64) + _EPOCH)
    return Values(column.copy())


def _vectors(wires: NDArray[np.uint8]) -> Values:
    known = np.asarray(wires[:, :4].any(axis=1))
    if known.all():
        return Values(read_embeddings(wires))
    vectors = np.zeros((len(wires), EMBEDDING_SIZE), np.float32)
    vectors[known] = read_embeddings(wires[known])
    return Values(vectors, known)
