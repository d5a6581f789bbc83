"""What was measured before a change of embedding space, and the faces that such a measure looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, func, insert, select

from facealbum.clustering import Observation
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.storage.compat_schema import adapters, compat_reports
from facealbum.storage.observations import read_observation, same_face
from facealbum.storage.schema import arms, assignments, embedding_spaces, face_embeddings, faces
from facealbum.storage.wire import as_binary, read_embedding

_SOURCE, _TARGET = embedding_spaces.alias("source"), embedding_spaces.alias("target")


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report with its number; adapter: the name of the one whose vectors it is about, None for true ones."""

    number: int
    source: str
    target: str
    adapter: str | None
    passed: bool
    code_version: str
    report: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class TwiceSeen:
    """A family's faces with vectors in two spaces: as clustering sees them in the first, and float32[n, 512] in both.

    persons: whom an arm has confirmed each to be, None if nobody.
    """

    observations: tuple[Observation, ...]
    persons: tuple[PersonId | None, ...]
    other: NDArray[np.float32]


def save_compat_report(
    connection: Connection,
    report: Mapping[str, Any],
    *,
    spaces: tuple[int, int],
    adapter_id: int | None,
    code_version: str,
    now: datetime,
) -> int:
    """Keep a report on the change from the first to the second space; returns its number."""
    statement = insert(compat_reports).values(
        source_space_id=spaces[0],
        target_space_id=spaces[1],
        adapter_id=adapter_id,
        passed=report["passed"],
        code_version=code_version,
        report=dict(report),
        created_at=now,
    )
    return int(connection.execute(statement.returning(compat_reports.c.number)).scalar_one())


def load_compat_reports(connection: Connection, source: str, target: str) -> list[StoredReport]:
    """The newest report on this change by true vectors, and by each adapter; the newest first."""
    newest = (
        select(func.max(compat_reports.c.number))
        .join(_SOURCE, _SOURCE.c.space_id == compat_reports.c.source_space_id)
        .join(_TARGET, _TARGET.c.space_id == compat_reports.c.target_space_id)
        .where(_SOURCE.c.name == source, _TARGET.c.name == target)
        .group_by(compat_reports.c.adapter_id)
    )
    query = _reports().where(compat_reports.c.number.in_(newest)).order_by(compat_reports.c.number.desc())
    return [_report(row) for row in connection.execute(query)]


def load_twice_seen(connection: Connection, family: FamilyId, *, arm: str, spaces: tuple[int, int]) -> TwiceSeen:
    """The family's faces that have a true vector in both spaces, in the order of ids."""
    first, second = (face_embeddings.alias(name) for name in ("first", "second"))
    of_arm = select(arms.c.arm_id).where(arms.c.name == arm).scalar_subquery()
    query = (
        select(
            faces,
            assignments.c.person_id,
            as_binary(first.c.embedding).label("embedding"),
            as_binary(second.c.embedding).label("in_second"),
        )
        .join(first, same_face(first.c) & (first.c.space_id == spaces[0]))
        .join(second, same_face(second.c) & (second.c.space_id == spaces[1]))
        .outerjoin(
            assignments,
            same_face(assignments.c) & (assignments.c.arm_id == of_arm) & (assignments.c.state == "confirmed"),
        )
        .where(
            faces.c.family_id == family,
            ~faces.c.excluded,
            first.c.adapter_id.is_(None),
            second.c.adapter_id.is_(None),
        )
        .order_by(faces.c.face_id)
    )
    rows = connection.execute(query).all()
    return TwiceSeen(
        tuple(read_observation(row) for row in rows),
        tuple(PersonId(row.person_id) if row.person_id else None for row in rows),
        np.array([read_embedding(row.in_second) for row in rows], np.float32).reshape(-1, EMBEDDING_SIZE),
    )


def _reports() -> Select[Any]:
    return (
        select(compat_reports, _SOURCE.c.name.label("source"), _TARGET.c.name.label("target"), adapters.c.name)
        .join(_SOURCE, _SOURCE.c.space_id == compat_reports.c.source_space_id)
        .join(_TARGET, _TARGET.c.space_id == compat_reports.c.target_space_id)
        .outerjoin(adapters, adapters.c.adapter_id == compat_reports.c.adapter_id)
    )


def _report(row: Row[Any]) -> StoredReport:
    return StoredReport(
        row.number, row.source, row.target, row.name, row.passed, row.code_version, row.report, row.created_at
    )
