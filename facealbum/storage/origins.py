"""What is on record of where a family's faces, links and albums come from.

Every query names the family, so nothing of another one is ever told.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import array

from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.domain.lineage import (
    AnalysisOrigin,
    AnalysisShare,
    DecisionOrigin,
    EmbeddingOrigin,
    EmbeddingShare,
    ExperimentThen,
    LinkOrigin,
    PhotoOrigin,
    RunOrigin,
    RunShare,
)
from facealbum.storage.archive import Archive
from facealbum.storage.compat_schema import reembeddings
from facealbum.storage.decisions import load_records
from facealbum.storage.experiment_schema import experiment_arms, experiment_families, experiments
from facealbum.storage.schema import (
    arms,
    assignments,
    decisions,
    embedding_spaces,
    face_embeddings,
    faces,
    links,
    persons,
    photos,
    runs,
)


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whose a face is under one arm."""

    arm: str
    person_id: PersonId
    run_id: UUID | None
    state: str
    score: float
    assigned_at: datetime


def load_found_face(
    connection: Connection, archive: Archive, family: FamilyId, face: FaceId
) -> tuple[PhotoOrigin, AnalysisOrigin] | None:
    """The photo and the analysis of this face, if the family has it."""
    here = (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id)
    of_face = faces.c.analyzer_id.label("found_by"), faces.c.calibrator_id, faces.c.predictor_id
    query = select(photos, *of_face).join(faces, here)
    row = connection.execute(query.where(faces.c.family_id == family, faces.c.face_id == face)).one_or_none()
    if row is None:
        return None
    photo = PhotoOrigin(
        photo_id=row.photo_id,
        name=row.key,
        sha256=row.sha256.hex() if row.sha256 else None,
        taken_at=row.taken_at,
        taken_at_source=row.taken_at_source,
        uploaded_at=row.created_at,
        video_id=row.video_id,
        frame_ms=row.frame_ms,
    )
    return photo, AnalysisOrigin(
        row.analysed_at,
        archive.analysis(row.maker_id, row.found_by),
        archive.trained(row.calibrator_id),
        archive.trained(row.predictor_id),
    )


def load_vectors(
    connection: Connection, archive: Archive, family: FamilyId, face: FaceId
) -> tuple[EmbeddingOrigin, ...]:
    """The face's embeddings, by space."""
    query = (
        select(embedding_spaces.c.name, face_embeddings.c.maker_id)
        .join(embedding_spaces, embedding_spaces.c.space_id == face_embeddings.c.space_id)
        .where(face_embeddings.c.family_id == family, face_embeddings.c.face_id == face)
        .order_by(embedding_spaces.c.name)
    )
    found = []
    for space, maker_id in connection.execute(query).all():
        making = archive.embedding(maker_id)
        job = making.parameters.get("reembedding") if making else None
        times = select(reembeddings.c.number, reembeddings.c.started_at, reembeddings.c.finished_at)
        told = connection.execute(times.where(reembeddings.c.number == job)).one_or_none() if job else None
        found.append(EmbeddingOrigin(space, making, *(told or ())))
    return tuple(found)


def load_assigned(connection: Connection, family: FamilyId, face: FaceId) -> dict[str, Assigned]:
    """Whose the face is, by arm."""
    names = ("person_id", "run_id", "state", "score", "assigned_at")
    query = select(arms.c.name, *(assignments.c[name] for name in names)).join(
        arms, arms.c.arm_id == assignments.c.arm_id
    )
    rows = connection.execute(query.where(assignments.c.family_id == family, assignments.c.face_id == face))
    return {row[0]: Assigned(*row) for row in rows}


def load_arms_of(connection: Connection, family: FamilyId) -> list[str]:
    """The arms under which the family was clustered, by name."""
    query = select(arms.c.name).distinct().join(runs, runs.c.arm_id == arms.c.arm_id)
    return list(connection.execute(query.where(runs.c.family_id == family).order_by(arms.c.name)).scalars())


def load_arm_name(connection: Connection, arm_id: int) -> str:
    """What the arm is called."""
    return str(connection.execute(select(arms.c.name).where(arms.c.arm_id == arm_id)).scalar_one())


def load_links_of(
    connection: Connection, archive: Archive, family: FamilyId, of: Collection[UUID]
) -> tuple[LinkOrigin, ...]:
    """The links of these persons."""
    query = select(links).where(links.c.family_id == family, links.c.person_id.in_(of)).order_by(links.c.person_id)
    rows = connection.execute(query).all()
    said = load_runs_of(connection, archive, family, {row.run_id for row in rows if row.run_id})
    names = ("person_id", "child_id", "probability", "evidence", "confirmed", "linked_at")
    return tuple(LinkOrigin(**{name: getattr(row, name) for name in names}, run=said.get(row.run_id)) for row in rows)


def load_runs_of(
    connection: Connection, archive: Archive, family: FamilyId, ids: Collection[UUID]
) -> dict[UUID, RunOrigin]:
    """These runs of the family, oldest first."""
    query = select(runs, arms.c.name.label("arm")).join(arms, arms.c.arm_id == runs.c.arm_id)
    mine = query.where(runs.c.family_id == family, runs.c.run_id.in_(ids))
    return {
        row.run_id: RunOrigin(
            row.run_id,
            row.arm,
            row.month,
            row.algorithm,
            row.started_at,
            row.finished_at,
            archive.clustering(row),
            _experiments_with(connection, family, row.arm_id, row.started_at),
        )
        for row in connection.execute(mine.order_by(runs.c.month, runs.c.started_at)).all()
    }


def _experiments_with(
    connection: Connection, family: FamilyId, arm_id: int, at: datetime
) -> tuple[ExperimentThen, ...]:
    """The experiments with the arm that ran then, and what the family was assigned to by then."""
    mine = (experiment_families.c.experiment_id == experiments.c.experiment_id) & (
        experiment_families.c.family_id == family
    )
    mine &= experiment_families.c.assigned_at <= at
    query = (
        select(experiments.c.name, experiments.c.mode, experiments.c.started_at, experiments.c.ended_at)
        .add_columns(experiment_families.c.assigned_at, arms.c.name)
        .join(experiment_arms, experiment_arms.c.experiment_id == experiments.c.experiment_id)
        .outerjoin(experiment_families, mine)
        .outerjoin(arms, arms.c.arm_id == experiment_families.c.arm_id)
        .where(experiment_arms.c.arm_id == arm_id, experiments.c.started_at <= at)
        .where(or_(experiments.c.ended_at.is_(None), experiments.c.ended_at >= at))
        .order_by(experiments.c.experiment_id)
    )
    return tuple(ExperimentThen(*row) for row in connection.execute(query))


def load_decisions_on(
    connection: Connection, family: FamilyId, *, face: FaceId | None, of: Collection[UUID]
) -> tuple[DecisionOrigin, ...]:
    """The decisions that named or changed the face, and those about these persons, oldest first."""
    who = [str(one) for one in of]
    about_person = or_(*(decisions.c.subject[part].astext.in_(who) for part in ("person", "other")))
    found: dict[int, DecisionOrigin] = {}
    for about, speaks in (("person", about_person), *([("face", _speaks_of(face))] if face else [])):
        for record in load_records(connection, family, speaks):
            one = record.decision
            found[one.number] = DecisionOrigin(
                one.number, one.request.kind.value, about, one.author, one.decided_at, one.undone_at, one.undone_by
            )
    return tuple(found[number] for number in sorted(found))


def _speaks_of(face: FaceId) -> ColumnElement[bool]:
    """Names the face, or changed its row; an id occurs nowhere but as itself."""
    named = decisions.c.subject["faces"].has_any(array([str(face)]))
    return or_(named, cast(decisions.c.correction, Text).contains(str(face)))


def load_persons_of(connection: Connection, family: FamilyId, arm: str, of: Collection[UUID]) -> list[PersonId]:
    """The persons of the arm who are among these, or are one of these children."""
    child = (links.c.family_id == persons.c.family_id) & (links.c.person_id == persons.c.person_id)
    query = (
        select(persons.c.person_id)
        .join(arms, arms.c.arm_id == persons.c.arm_id)
        .outerjoin(links, child)
        .where(persons.c.family_id == family, arms.c.name == arm, persons.c.merged_into.is_(None))
        .where(or_(persons.c.person_id.in_(of), links.c.child_id.in_(of)))
        .order_by(persons.c.person_id)
    )
    return [PersonId(one) for one in connection.execute(query).scalars()]


def load_analysis_shares(
    connection: Connection, archive: Archive, family: FamilyId, of: Collection[UUID]
) -> tuple[AnalysisShare, ...]:
    """The persons' faces by what analysed them."""
    at = photos.c.analysed_at
    query = (
        select(photos.c.maker_id, faces.c.analyzer_id, func.count().label("faces"))
        .add_columns(func.min(at).label("first_at"), func.max(at).label("last_at"))
        .select_from(assignments)
        .join(faces, _face(assignments))
        .join(photos, (photos.c.family_id == faces.c.family_id) & (photos.c.photo_id == faces.c.photo_id))
        .where(assignments.c.family_id == family, assignments.c.person_id.in_(of))
        .group_by(photos.c.maker_id, faces.c.analyzer_id)
        .order_by(func.count().desc(), photos.c.maker_id)
    )
    return tuple(
        AnalysisShare(row.faces, row.first_at, row.last_at, archive.analysis(row.maker_id, row.analyzer_id))
        for row in connection.execute(query)
    )


def load_embedding_shares(
    connection: Connection, archive: Archive, family: FamilyId, of: Collection[UUID]
) -> tuple[EmbeddingShare, ...]:
    """The persons' vectors in the space of their arm by what made them."""
    query = (
        select(face_embeddings.c.maker_id, func.count().label("faces"))
        .select_from(assignments)
        .join(arms, arms.c.arm_id == assignments.c.arm_id)
        .join(
            face_embeddings,
            (face_embeddings.c.family_id == assignments.c.family_id)
            & (face_embeddings.c.face_id == assignments.c.face_id)
            & (face_embeddings.c.space_id == arms.c.space_id),
        )
        .where(assignments.c.family_id == family, assignments.c.person_id.in_(of))
        .group_by(face_embeddings.c.maker_id)
        .order_by(func.count().desc(), face_embeddings.c.maker_id)
    )
    return tuple(EmbeddingShare(row.faces, archive.embedding(row.maker_id)) for row in connection.execute(query))


def load_run_shares(
    connection: Connection, archive: Archive, family: FamilyId, of: Collection[UUID]
) -> tuple[RunShare, ...]:
    """The persons' faces by the run that placed them, oldest first; without one a match or a user did."""
    query = select(assignments.c.run_id, func.count()).where(
        assignments.c.family_id == family, assignments.c.person_id.in_(of)
    )
    counts: dict[UUID | None, int] = {
        row[0]: row[1] for row in connection.execute(query.group_by(assignments.c.run_id))
    }
    known = load_runs_of(connection, archive, family, {one for one in counts if one is not None})
    shares = [RunShare(counts[one], run) for one, run in known.items()]
    others = sum(faces for one, faces in counts.items() if one not in known)
    return tuple(shares) + ((RunShare(others, None),) if others else ())


def _face(table: Any) -> ColumnElement[bool]:  # noqa: ANN401 - SQLAlchemy's tables
    same: ColumnElement[bool] = (faces.c.family_id == table.c.family_id) & (faces.c.face_id == table.c.face_id)
    return same
