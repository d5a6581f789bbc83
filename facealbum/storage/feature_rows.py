"""Reading features of very many faces at once: PostgreSQL's binary COPY, decoded a batch at a time by numpy.

Each row has the same length, as what is unknown has a value that nothing known has: NaN, or zeros for ids.
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
    "embedding": (as_binary(face_embeddings.c.embedding), f"V{WIRE_BYTES}"),
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
    """Faces as PostgreSQL sent them, in any order; their embeddings apart from the rest."""

    columns: Sequence[str]
    rows: BytesIO
    embeddings: BytesIO | None = None

    def decode(self) -> dict[str, Values]:
        """The ids and features by name, in the order of families and faces.

        Needs no database, and so may be done by another thread; numpy sorts in a third of PostgreSQL's time.
        """
        rows = _read(self.rows, self.columns)
        rows = rows[np.argsort(_keys(rows))]
        found = {name: _values(rows[name]) for name in self.columns}
        if self.embeddings is not None:
            found["embedding"] = _in_order(_read(self.embeddings, _OF_VECTORS), rows)
        return found


def copy_faces(
    connection: Connection,
    names: Sequence[str],
    between: tuple[FamilyId, FamilyId],
    lens: Lens,
    *,
    after: FaceId | None = None,
    limit: int | None = None,
) -> CopiedFaces:
    """These features of all faces of the families from the first to the last.

    after, limit: only so many faces behind that one, of one family.
    """
    wires = []
    connection.execute(AS_ONE_PROCESS)
    raw: Any = connection.connection  # psycopg2's own, which alone can copy
    with raw.cursor() as cursor:
        for query in face_queries(names, between, lens, after=after, limit=limit):
            wires.append(BytesIO())
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", wires[-1])
    return CopiedFaces(_but_vectors(names), *wires)


def face_queries(
    names: Sequence[str],
    between: tuple[FamilyId, FamilyId],
    lens: Lens,
    *,
    after: FaceId | None = None,
    limit: int | None = None,
) -> list[str]:
    """The queries behind `copy_faces`: the second, of embeddings, where they are asked for.

    Joining and sorting rows of their length would cost PostgreSQL a third more than sending them.
    """
    query = _query(_but_vectors(names), between, lens)
    if limit is not None:
        query = query.order_by(faces.c.face_id).limit(limit)
    if after is not None:
        query = query.where(faces.c.face_id > after)
    vectors = select(*(face_embeddings.c[name] for name in _KEYS), _COLUMNS["embedding"][0]).where(
        face_embeddings.c.family_id.between(*between), face_embeddings.c.space_id == lens.space_id
    )
    queries = [query, vectors] if "embedding" in names else [query]
    return [str(one.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})) for one in queries]


def _but_vectors(names: Sequence[str]) -> tuple[str, ...]:
    return (*_KEYS, *(name for name in names if name != "embedding"))


_KEYS = ("family_id", "face_id")
_OF_VECTORS = (*_KEYS, "embedding")
AS_ONE_PROCESS = text(
    "SET LOCAL work_mem = '64MB'; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0;"
    " SET LOCAL effective_io_concurrency = 0"
)
"""What a transaction is set to before it copies.

Release 18 else has other processes read each block, which costs more than it gains where the kernel reads ahead.
"""
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
    chosen = [_COLUMNS[name][0].label(name) for name in columns]
    mine = faces.c.family_id.between(*between) & ~faces.c.excluded
    return select(*chosen).select_from(source).where(mine)


def _read(wire: BytesIO, columns: Sequence[str]) -> NDArray[Any]:
    """A row is its number of fields, and each field has its length before it."""
    fields = [field for name in columns for field in ((f"{name} length", ">i4"), (name, _COLUMNS[name][1]))]
    row = np.dtype([("fields", ">i2"), *fields])
    count = (wire.getbuffer().nbytes - _HEADER - _TRAILER) // row.itemsize
    return np.frombuffer(wire.getbuffer(), row, count, _HEADER)


def _values(column: NDArray[Any]) -> Values:
    match column.dtype.kind:
        case "V":
            ids = np.ascontiguousarray(column)
            return Values(ids, np.asarray(ids.view(np.uint8).reshape(len(ids), 16).any(axis=1)))
        case "f":
            numbers = column.astype(column.dtype.newbyteorder("="))
            return Values(numbers, ~np.isnan(numbers))
        case "i":
            return Values(column.astype(np.int64) + _EPOCH)
    return Values(column.copy())


def _in_order(vectors: NDArray[Any], rows: NDArray[Any]) -> Values:
    """The embedding of each row."""
    keys, theirs = _keys(rows), _keys(vectors)
    place = np.searchsorted(keys, theirs)
    here = np.flatnonzero(keys[np.minimum(place, len(keys) - 1)] == theirs) if len(keys) else place[:0]
    of_row = np.full(len(keys), -1)
    of_row[place[here]] = here
    known = of_row >= 0
    wires = vectors["embedding"][of_row[known]].view(np.uint8).reshape(-1, WIRE_BYTES)
    if known.all():
        return Values(read_embeddings(wires))
    found = np.zeros((len(rows), EMBEDDING_SIZE), np.float32)
    found[known] = read_embeddings(wires)
    return Values(found, known)


def _keys(rows: NDArray[Any]) -> NDArray[np.bytes_]:
    """S32[n] of family and face, which compare as PostgreSQL compares them."""
    keys = np.empty((len(rows), 2), "V16")
    for place, name in enumerate(_KEYS):
        keys[:, place] = rows[name]
    return keys.view("S32")[:, 0]
