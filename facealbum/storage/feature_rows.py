"""Reading features of very many faces at once: PostgreSQL's binary COPY, decoded a batch at a time by numpy.

Each row has the same length, as what is unknown has a value that nothing known has: NaN, or zeros for ids and vectors.
Price: a batch is held in memory, about 1.2 kB a face with its embedding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
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
_NAN = literal_column("'NaN'", Double)  # of the type of what it stands for
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
    **{name: (faces.c[name], ">f4") for name in ("quality", "yaw", "pitch", "roll", "score")},
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


@dataclass(frozen=True, slots=True, eq=False)
class CopiedFaces:
    """Faces as PostgreSQL sent them."""

    wire: BytesIO
    columns: Sequence[str]

    def decode(self) -> dict[str, Values]:
        """The ids and features by name; needs no database, and so may be done by another thread."""
        return _decode(self.wire, self.columns)


def copy_faces(
    connection: Connection,
    names: Sequence[str],
    between: tuple[FamilyId, FamilyId],
    lens: Lens,
    *,
    after: FaceId | None = None,
    limit: int | None = None,
) -> CopiedFaces:
    """These features of all faces of the families from the first to the last, by family and face.

    after, limit: only so many faces behind that one, of one family.
    """
    wire = BytesIO()
    statement = faces_statement(names, between, lens, after=after, limit=limit)
    connection.execute(_AS_ONE_PROCESS)
    raw: Any = connection.connection  # psycopg2's own, which alone can copy
    with raw.cursor() as cursor:
        cursor.copy_expert(f"COPY ({statement}) TO STDOUT (FORMAT binary)", wire)
    return CopiedFaces(wire, (*_KEYS, *names))


def faces_statement(
    names: Sequence[str],
    between: tuple[FamilyId, FamilyId],
    lens: Lens,
    *,
    after: FaceId | None = None,
    limit: int | None = None,
) -> str:
    """The query behind `copy_faces`."""
    query = _query((*_KEYS, *names), between, lens).limit(limit)
    if after is not None:
        query = query.where(faces.c.face_id > after)
    return str(query.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


_KEYS = ("family_id", "face_id")
_AS_ONE_PROCESS = text(
    "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0"
)
_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call] # no sign is doubled in it


def _query(columns: Sequence[str], between: tuple[FamilyId, FamilyId], lens: Lens) -> Select[Any]:
    """Every table is told which families: else each group of them would read all of what is joined."""

    def same(one: Table, other: Table, key: str) -> ColumnElement[bool]:
        return and_(one.c.family_id == other.c.family_id, one.c[key] == other.c[key], one.c.family_id.between(*between))

    source: Any = faces
    if _OF_ARM & set(columns):
        here = same(assignments, faces, "face_id") & (assignments.c.arm_id == lens.arm_id)
        source = source.outerjoin(assignments, here)
    if "child_age" in columns:
        source = source.outerjoin(links, same(links, assignments, "person_id"))
        source = source.outerjoin(children, same(children, links, "child_id"))
    if "embedding" in columns:
        here = same(face_embeddings, faces, "face_id") & (face_embeddings.c.space_id == lens.space_id)
        source = source.outerjoin(face_embeddings, here)
    chosen = [_COLUMNS[name][0].label(name) for name in columns]
    mine = faces.c.family_id.between(*between) & ~faces.c.excluded
    return select(*chosen).select_from(source).where(mine).order_by(faces.c.family_id, faces.c.face_id)


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
            return _vectors(column[:, None].view(np.uint8))
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
