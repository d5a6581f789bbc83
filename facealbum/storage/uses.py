"""What models, data sets and releases were used for, family by family.

Which families ever had something of a maker stands in `family_makers`; their photos, faces and runs are counted for one
page of families at a time.  The price of a total is reading that table, a few rows a family.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Connection, func, or_, select, union

from facealbum.domain.ids import FaceId, FamilyId
from facealbum.domain.lineage import FamilyUse
from facealbum.storage.lineage_schema import family_makers
from facealbum.storage.lineage_schema import makers as kept
from facealbum.storage.schema import arms, assignments, face_embeddings, faces, photos, runs


@dataclass(frozen=True, slots=True)
class Makers:
    """What is asked about: numbers of makers, and ids of models that may have made estimates of faces."""

    numbers: Collection[int]
    models: Collection[int]


def count_families_of(connection: Connection, by: Makers) -> int:
    """How many families ever had something of these makers."""
    mine = family_makers.c.maker_id.in_(by.numbers)
    return connection.execute(select(func.count(family_makers.c.family_id.distinct())).where(mine)).scalar_one()


def count_runs_of(connection: Connection, by: Makers) -> dict[str, int]:
    """How many runs these makers made, by arm."""
    query = select(arms.c.name, func.count()).join(arms, arms.c.arm_id == runs.c.arm_id)
    rows = connection.execute(query.where(runs.c.maker_id.in_(by.numbers)).group_by(arms.c.name).order_by(arms.c.name))
    return {row[0]: row[1] for row in rows}


def load_family_uses(connection: Connection, by: Makers, *, limit: int, after: UUID | None = None) -> list[FamilyUse]:
    """Families that ever had something of these makers, by id, with what they have of it now."""
    query = select(family_makers.c.family_id, func.min(family_makers.c.first_at).label("since"))
    query = query.where(family_makers.c.maker_id.in_(by.numbers), family_makers.c.family_id > (after or UUID(int=0)))
    rows = connection.execute(query.group_by(family_makers.c.family_id).order_by("family_id").limit(limit)).all()
    return [_family_use(connection, FamilyId(row.family_id), row.since, by) for row in rows]


def load_faces_made(
    connection: Connection, family: FamilyId, by: Makers, *, limit: int, after: UUID | None = None
) -> list[FaceId]:
    """The family's faces that these makers found or embedded, by id."""
    found = _faces_made(family, by).subquery()
    query = select(found.c.face_id).where(found.c.face_id > (after or UUID(int=0)))
    return [FaceId(one) for one in connection.execute(query.order_by(found.c.face_id).limit(limit)).scalars()]


def _family_use(connection: Connection, family: FamilyId, since: datetime, by: Makers) -> FamilyUse:
    made = _faces_made(family, by).subquery()
    mine = (assignments.c.family_id == family) & assignments.c.face_id.in_(select(made.c.face_id))
    uploads = select(func.count()).where(photos.c.family_id == family, photos.c.frame_ms.is_(None), _analysed_by(by))
    counts = (
        uploads,
        select(func.count()).select_from(made),
        select(func.count(assignments.c.person_id.distinct())).where(mine),
        select(func.count()).where(runs.c.family_id == family, runs.c.maker_id.in_(by.numbers)),
    )
    row = connection.execute(select(*(one.scalar_subquery() for one in counts))).one()
    return FamilyUse(family, since, *row)


def _faces_made(family: FamilyId, by: Makers) -> CompoundSelect[tuple[UUID]]:
    here = (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id)
    found = select(faces.c.face_id).join(photos, here).where(faces.c.family_id == family, _analysed_by(by))
    trained = faces.c.calibrator_id.in_(by.models) | faces.c.predictor_id.in_(by.models)
    estimated = select(faces.c.face_id).where(faces.c.family_id == family, trained)
    embedded = select(face_embeddings.c.face_id).where(
        face_embeddings.c.family_id == family, face_embeddings.c.maker_id.in_(by.numbers)
    )
    return union(found, embedded, estimated)


def _analysed_by(by: Makers) -> ColumnElement[bool]:
    """Photos of these makers, and of analyzers that stand for one whose number was not kept."""
    earlier = select(kept.c.analyzer_id).where(kept.c.maker_id.in_(by.numbers), kept.c.code_version.is_(None))
    return or_(photos.c.maker_id.in_(by.numbers), photos.c.maker_id.is_(None) & photos.c.analyzer_id.in_(earlier))
