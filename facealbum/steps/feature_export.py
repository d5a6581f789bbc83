"""Features as one Parquet or Arrow file, in the order of families, a group of rows at a time: memory stays flat.

One thread decodes and writes a group while this one reads the next from PostgreSQL.  The file has its name only once it
is whole; what a run that was cut short left is written over by the next one.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from facealbum.code_version import code_version
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, ModelError
from facealbum.features import Dtype, Entity, Feature
from facealbum.steps.context import Context
from facealbum.steps.features import Asked, Row, View, open_features
from facealbum.storage.families import load_families
from facealbum.storage.feature_rows import Values, load_face_counts

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP = 8_192
"""Rows of a group, but for whole families: of faces with embeddings 10 MB as they come, and 17 MB decoded."""

_SUFFIXES = (".parquet", ".arrow")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; research_only: the embeddings in it may be used for nothing else."""

    rows: int
    families: int
    space: str
    research_only: bool


def export_features(context: Context, out: Path, asked: Asked, *, family: str | None = None) -> Exported:
    """Write what is asked for, of one family or of all, as Parquet or Arrow, whichever the name ends in.

    Raises as open_features, InvalidValueError for another ending, UnknownFamilyError, and ModelError without the extra
    `train`.
    """
    if out.suffix not in _SUFFIXES:
        raise InvalidValueError(f"the file must end in {' or '.join(_SUFFIXES)}, got {str(out)!r}")
    if find_spec("pyarrow") is None:
        raise ModelError("pyarrow must be installed to write features; pip install 'facealbum[train]'")
    part = out.with_name(f"{out.name}.part")
    with open_features(context, asked) as view:
        chosen = sorted(one.family_id for one in load_families(view.transaction, family))
        context.progress.begin("Writing features", len(chosen))
        schema = _schema(asked, view)
        try:
            with _open(part, schema, arrow=out.suffix == ".arrow") as file:
                rows, families = _write(context, part, file, schema, _groups(view, asked.entity, chosen))
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        return Exported(rows, families, view.space, view.research_only)


_Columns: TypeAlias = "Mapping[str, Values | list[Any]]"
_Group: TypeAlias = tuple[int, Callable[[], _Columns]]
"""A number of families, and what makes columns of their rows without the database."""


def _write(
    context: Context,
    part: Path,
    file: Any,  # noqa: ANN401 - pyarrow ships no types
    schema: "pa.Schema",
    groups: Iterator[_Group],
) -> tuple[int, int]:
    """Write every group while the next is read; tells how many rows and families."""
    rows, families = 0, 0

    def write(make: Callable[[], _Columns]) -> int:
        table = _table(schema, make())
        file.write_table(table)
        _leave_memory(part)
        return len(table)

    with ThreadPoolExecutor(max_workers=1) as writer:
        before: Future[int] | None = None
        for some, make in groups:
            rows += before.result() if before else 0
            before = writer.submit(write, make)
            families += some
            context.progress.advance(some)
        rows += before.result() if before else 0
    return rows, families


def _leave_memory(part: Path) -> None:
    """Have the system write what it keeps of the file, and take that memory for the next group, not the database's."""
    with part.open("rb") as written:
        os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _groups(view: View, entity: Entity, families: Sequence[FamilyId]) -> Iterator[_Group]:
    if entity is Entity.FACE:
        for group in _face_groups(view, families):
            yield len(group), view.faces((group[0], group[-1])).decode
        return
    read: Callable[[FamilyId], list[Row]] = view.persons if entity is Entity.PERSON else view.months
    names = (*entity.keys, *view.names)
    kept: list[Row] = []
    since = 0
    for place, family in enumerate(families, 1):
        kept += read(family)
        if len(kept) >= _GROUP or place == len(families):
            yield place - since, partial(_transposed, kept, names)
            kept, since = [], place


def _transposed(rows: Sequence[Row], names: Sequence[str]) -> dict[str, "Values | list[Any]"]:
    return {name: [row[name] for row in rows] for name in names}


def _face_groups(view: View, families: Sequence[FamilyId]) -> Iterator[list[FamilyId]]:
    """Families that follow one another, with about as many faces as a group has rows."""
    only = families[0] if len(families) == 1 else None
    group: list[FamilyId] = []
    faces = 0
    for family, count in load_face_counts(view.transaction, only):
        if group and faces + count > _GROUP:
            yield group
            group, faces = [], 0
        group.append(family)
        faces += count
    if group:
        yield group


def _schema(asked: Asked, view: View) -> "pa.Schema":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    types = {
        Dtype.BOOL: pa.bool_(),
        Dtype.COUNT: pa.int64(),
        Dtype.SINGLE: pa.float32(),
        Dtype.DOUBLE: pa.float64(),
        Dtype.ID: pa.uuid(),
        Dtype.MOMENT: pa.timestamp("us", "UTC"),
        Dtype.VECTOR: pa.list_(pa.float32(), EMBEDDING_SIZE),
    }
    keys = [(name, pa.date32() if name == "month" else pa.uuid()) for name in asked.entity.keys]
    made = {
        "entity": asked.entity.value,
        "versions": {one.name: one.version for one in view.features},
        "as_of": asked.as_of and asked.as_of.isoformat(),
        "arm": view.arm_name,
        "space": view.space,
        "research_only": view.research_only and _has_vectors(view.features),
        "code_version": code_version(),
    }
    fields = [*keys, *((one.name, types[one.dtype]) for one in view.features)]
    return pa.schema(fields, metadata={"facealbum": json.dumps(made, sort_keys=True)})


def _has_vectors(features: Sequence[Feature]) -> bool:
    return any(one.dtype is Dtype.VECTOR for one in features)


def _open(part: Path, schema: "pa.Schema", *, arrow: bool) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """A new file; in Parquet vectors are left as they are, as they don't get smaller."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    if arrow:
        return pa.ipc.new_file(part, schema)
    plain = [field.name for field in schema if not pa.types.is_fixed_size_list(field.type)]
    kinds = {name: "ZSTD" if name in plain else "NONE" for name in schema.names}
    return parquet.ParquetWriter(part, schema, compression=kinds, use_dictionary=["family_id"], write_statistics=plain)


def _table(schema: "pa.Schema", columns: _Columns) -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.Table.from_arrays([_array(columns[field.name], field.type) for field in schema], schema=schema)


def _array(column: "Values | list[Any]", kind: "pa.DataType") -> "pa.Array":
    """One column; of ids and vectors the bytes are taken as they are."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    if isinstance(column, list):
        return pa.array([_plain(value) for value in column], kind)
    unknown = None if column.known is None else ~column.known
    if kind == pa.uuid():
        valid = None if column.known is None else pa.py_buffer(np.packbits(column.known, bitorder="little"))
        ids = pa.Array.from_buffers(pa.binary(16), len(column.values), [valid, pa.py_buffer(column.values)])
        return pa.ExtensionArray.from_storage(kind, ids)
    if pa.types.is_fixed_size_list(kind):
        mask = None if unknown is None else pa.array(unknown)
        return pa.FixedSizeListArray.from_arrays(pa.array(column.values.reshape(-1)), EMBEDDING_SIZE, mask=mask)
    return pa.array(column.values, mask=unknown).cast(kind)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a feature's value is
    return date(value.year, value.month, 1) if isinstance(value, Month) else value
