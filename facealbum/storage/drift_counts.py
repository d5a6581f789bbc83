"""Counting what analysis found in a month, in the database, for some families at a time.

Only counts leave the database.  A face is one look-up in each table by its whole key, so the cost is that of the
month's faces however long the families' histories are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    case,
    distinct,
    func,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import array

from eval.drift.counts import BUCKETS
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.storage.feature_values import SIMILARITY, SIZE
from facealbum.storage.schema import analyzers, assignments, face_embeddings, faces, families, photos

_CONTAINERS = ("mp4", "mov", "webm", "mkv", "avi")
_BUCKET_BITS = BUCKETS.bit_length() - 1  # of the ids of a bucket's families, that all have in common
_AGES = ((3.0, "0-2"), (6.0, "3-5"), (13.0, "6-12"), (18.0, "13-17"))
_MEGAPIXELS = ((1.0, "under 1"), (4.0, "1-4"), (12.0, "4-12"))


class Binned(NamedTuple):
    """So many faces or photos of an analyzer are in this bin of a distribution.

    group: empty for all of them.  bucket: of all of them that of their families, of a group 0.
    """

    analyzer_id: int
    distribution: str
    group: str
    bucket: int
    place: int
    cases: int


def load_sample(connection: Connection, per_bucket: int) -> list[FamilyId]:
    """The first families of each of the BUCKETS, which are equal ranges of ids; the same ones as long as they exist."""
    size = 1 << 128 - _BUCKET_BITS
    first = [UUID(int=number * size) for number in range(BUCKETS)]
    last = [UUID(int=one.int + size - 1) for one in first]
    bounds = func.unnest(literal(first, ARRAY(Uuid)), literal(last, ARRAY(Uuid)), type_=Uuid)
    bucket = bounds.table_valued("first", "last").render_derived()
    members = (
        select(families.c.family_id)
        .where(families.c.family_id.between(bucket.c.first, bucket.c.last))
        .order_by(families.c.family_id)
        .limit(per_bucket)
        .lateral()
    )
    query = select(members.c.family_id).select_from(bucket.join(members, true()))
    return [FamilyId(one) for one in connection.execute(query).scalars()]


def count_faces(
    connection: Connection,
    some: Sequence[FamilyId],
    month: Month,
    *,
    edges: Mapping[str, Sequence[float]],
    directions: Mapping[str, np.typing.NDArray[np.float32]],
    arm_id: int | None,
) -> Iterator[Binned]:
    """How many faces of the families' photos of the month fall into each bin, by analyzer and group.

    edges: of each distribution; `directions`, float32[512], are of those among them that are about the embedding.
    arm_id: whose assignments tell the similarity of a face to its person; a face without counts in the lowest bin.
    """
    _by_key_alone(connection)
    values = {
        "age": faces.c.age,
        "p_female": faces.c.p_female,
        "yaw": faces.c.yaw,
        "pitch": faces.c.pitch,
        "quality": faces.c.quality,
        "size": SIZE,
        "similarity": func.coalesce(SIMILARITY, literal(min(edges["similarity"]) - 1)),
        "norm": faces.c.embedding_norm,
    }
    values |= {key: -face_embeddings.c.embedding.max_inner_product(vector) for key, vector in directions.items()}
    groups = [*_photo_groups(), literal("age:") + _band(faces.c.age, _AGES, "18 or more")]
    source = (
        faces.join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .join(analyzers, analyzers.c.analyzer_id == faces.c.analyzer_id)
        .outerjoin(
            assignments,
            (assignments.c.family_id == faces.c.family_id)
            & (assignments.c.arm_id == arm_id)
            & (assignments.c.face_id == faces.c.face_id),
        )
        .outerjoin(
            face_embeddings,
            (face_embeddings.c.family_id == faces.c.family_id)
            & (face_embeddings.c.space_id == analyzers.c.space_id)
            & (face_embeddings.c.face_id == faces.c.face_id)
            & face_embeddings.c.adapter_id.is_(None),
        )
    )
    bins = {key: _bin(values[key], edges[key]) for key in values}
    seen = _seen(source, faces, groups, bins).where(*_in_month(faces, some, month), ~faces.c.excluded)
    return _count(connection, seen, list(bins))


def count_photos(
    connection: Connection, some: Sequence[FamilyId], month: Month, *, edges: Sequence[float]
) -> Iterator[Binned]:
    """How many faces are in a photo, for the families' photos of the month; of videos only some frames are kept."""
    _by_key_alone(connection)
    found = (
        select(func.count())
        .where(faces.c.family_id == photos.c.family_id, faces.c.photo_id == photos.c.photo_id, ~faces.c.excluded)
        .scalar_subquery()
    )
    seen = _seen(photos, photos, _photo_groups(), {"faces": _bin(found, edges)}).where(
        *_in_month(photos, some, month),
        photos.c.status == "analysed",
        photos.c.frame_ms.is_(None),
        photos.c.format.not_in(_CONTAINERS),
    )
    return _count(connection, seen, ["faces"])


def count_camera_families(connection: Connection, some: Sequence[FamilyId], month: Month) -> dict[str, int]:
    """How many of the families have photos of the month by each group "camera:…"."""
    query = select(_camera(), func.count(distinct(photos.c.family_id))).where(*_in_month(photos, some, month))
    return {row[0]: row[1] for row in connection.execute(query.group_by(_camera()))}


def _seen(
    source: FromClause,
    table: FromClause,
    groups: Sequence[ColumnElement[str]],
    bins: Mapping[str, ColumnElement[int]],
) -> Select[Any]:
    """A row for each face or photo of the table: its analyzer, its bucket, its groups, its bin in each distribution."""
    return select(
        table.c.analyzer_id,
        func.get_byte(func.uuid_send(table.c.family_id), 0).op(">>")(8 - _BUCKET_BITS).label("bucket"),
        array([literal(""), *groups]).label("groups"),
        array(bins.values()).label("bins"),
    ).select_from(source)


def _count(connection: Connection, seen: Select[Any], keys: Sequence[str]) -> Iterator[Binned]:
    rows = seen.cte()
    group = func.unnest(rows.c.groups, type_=Text).table_valued("name").render_derived()
    bins = func.unnest(rows.c.bins, type_=Integer).table_valued("bin", with_ordinality="number").render_derived()
    bucket = case((group.c.name == "", rows.c.bucket), else_=0)
    columns = rows.c.analyzer_id, bins.c.number, group.c.name, bucket, bins.c.bin
    query = (
        select(*columns, func.count())
        .select_from(rows.join(group, true()).join(bins, true()))
        .where(bins.c.bin.is_not(None), group.c.name.is_not(None))
        .group_by(*columns)
    )
    for analyzer, number, name, of, place, cases in connection.execute(query):
        yield Binned(analyzer, keys[number - 1], name, of, place, cases)


def _in_month(table: Any, some: Sequence[FamilyId], month: Month) -> tuple[ColumnElement[bool], ...]:  # noqa: ANN401 - a table
    whose = table.c.family_id == any_(literal(list(some), ARRAY(Uuid)))
    return whose, table.c.taken_at >= month.start(), table.c.taken_at < month.next().start()


def _bin(value: ColumnElement[Any], edges: Sequence[float]) -> ColumnElement[int]:
    """The number of edges that are not above the value; NULL without a value."""
    numbers = literal(list(edges), ARRAY(Double))
    return func.width_bucket(value.cast(Double), numbers, type_=Integer)


def _photo_groups() -> list[ColumnElement[str]]:
    megapixels = photos.c.width.cast(Double) * photos.c.height / 1e6
    return [
        _camera(),
        literal("format:") + func.lower(photos.c.format),
        literal("dated:") + photos.c.taken_at_source,
        case((photos.c.frame_ms.is_(None), "kind:photo"), else_="kind:video"),
        literal("megapixels:") + _band(megapixels, _MEGAPIXELS, "12 or more"),
    ]


def _camera() -> ColumnElement[str]:
    return literal("camera:") + func.coalesce(photos.c.camera, "unknown")


def _band(value: ColumnElement[Any], bands: Sequence[tuple[float, str]], last: str) -> ColumnElement[str]:
    return case(*((value < below, name) for below, name in bands), else_=last)


def _by_key_alone(connection: Connection) -> None:
    """Until the transaction ends, have rows looked up by their keys, whatever the planner knows of the tables yet."""
    off = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
    connection.execute(text("; ".join(f"SET LOCAL {name} = off" for name in off)))
