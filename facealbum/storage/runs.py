"""Runs: one clustering of one family for one month under one arm, and everything that it decided.

`apply_run` writes all of it in the caller's transaction, so a run is either whole or not there at all.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, delete, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from facealbum.clustering import ClusterPlan, Clusters, LabelBreakage, Move, Outcome, Settled
from facealbum.domain.ids import ChildId, FamilyId, PersonId, RunId, person_id
from facealbum.domain.months import Month
from facealbum.domain.sentences import Sentence
from facealbum.errors import FamilyBusyError
from facealbum.linking import Link, LinkPlan
from facealbum.storage.makers import ensure_number, note_maker
from facealbum.storage.observations import Arm
from facealbum.storage.schema import arms, assignments, breakage, links, persons, plans, runs

_CLUSTERS = "<i4"


@dataclass(frozen=True, slots=True)
class Run:
    """What a run is about, and what it took part in it."""

    family_id: FamilyId
    run_id: RunId
    arm: Arm
    month: Month
    input_digest: str
    code_version: str
    models: Mapping[str, str]
    faces: int
    nodes: int
    started_at: datetime
    maker_id: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """The run's unpinned clustering, by the digest of what it was made from, and what became of each label in it."""

    digest: str
    clusters: Clusters
    labels: tuple[LabelBreakage, ...]


def ensure_arm(
    connection: Connection, name: str, *, space_id: int, algorithm: str, parameters: Mapping[str, Any]
) -> Arm:
    """The arm of this name, with exactly these parameters from now on; each run keeps a copy of its own."""
    given = {"space_id": space_id, "algorithm": algorithm, "parameters": dict(parameters)}
    new = insert(arms).values(name=name, **given)
    arm_id = ensure_number(connection, arms.c.arm_id, arms.c.name == name, new)
    connection.execute(update(arms).where(arms.c.arm_id == arm_id).values(given))
    return Arm(arm_id, name, space_id, algorithm, dict(parameters))


def lock_family(connection: Connection, family: FamilyId, *, wait_seconds: float | None = None) -> None:
    """Wait until no other transaction decides about this family; held until this one ends.

    Raises FamilyBusyError if it takes longer than `wait_seconds`; without them it waits for ever.
    """
    number = int.from_bytes(hashlib.sha256(family.bytes).digest()[:8], signed=True)
    if wait_seconds:
        connection.execute(text(f"SET LOCAL lock_timeout = {round(wait_seconds * 1000)}"))
    try:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise FamilyBusyError(
            Sentence("family %(family)s is still being worked on elsewhere; try again later", family=str(family))
        ) from error
    if wait_seconds:
        connection.execute(text("SET LOCAL lock_timeout = 0"))


def has_run(connection: Connection, family: FamilyId, run: RunId) -> bool:
    """Whether the run was done."""
    query = exists().where(runs.c.family_id == family, runs.c.run_id == run, runs.c.status == "done")
    return bool(connection.execute(select(query)).scalar_one())


def load_clusters(connection: Connection, family: FamilyId, digest: str, *, code_version: str) -> Clusters | None:
    """The unpinned clusters that a run of this release has found from exactly the same, if there was one."""
    query = (
        select(plans.c.unpinned)
        .join(runs, (runs.c.family_id == plans.c.family_id) & (runs.c.run_id == plans.c.run_id))
        .where(plans.c.family_id == family, plans.c.unpinned_digest == digest, runs.c.code_version == code_version)
        .limit(1)
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else np.frombuffer(found, _CLUSTERS).astype(np.int32)


def apply_clustering(connection: Connection, run: Run, plan: ClusterPlan, unpinned: Broken, *, now: datetime) -> None:
    """Write the run, its plan, the persons it creates, the faces it assigns and the breakage it saw."""
    _save_run(connection, run, plan, now=now)
    _settle(connection, run, plan.settled)
    _move(connection, run, plan.move)
    key = {"family_id": run.family_id, "run_id": run.run_id}
    connection.execute(
        insert(plans).values(
            **key,
            clustering=plan.to_dict(),
            linking={},
            unpinned_digest=unpinned.digest or None,
            unpinned=unpinned.clusters.astype(_CLUSTERS).tobytes(),
        )
    )
    created = {group.founder: person_id(run.run_id, group.founder) for group in plan.create}
    rows = [(one.face_id, one.person_id, one.score) for one in plan.attach]
    rows += [
        (face, created[group.founder], score)
        for group in plan.create
        for face, score in zip(group.face_ids, group.scores, strict=True)
    ]
    if created:
        connection.execute(
            insert(persons),
            [key | {"person_id": person, "arm_id": run.arm.arm_id} for person in created.values()],
        )
    if rows:
        mine = key | {"arm_id": run.arm.arm_id, "state": "confirmed", "assigned_at": now}
        connection.execute(
            insert(assignments),
            [mine | {"face_id": face, "person_id": person, "score": score} for face, person, score in rows],
        )
    _save_breakage(connection, key, unpinned.labels)


def _settle(connection: Connection, run: Run, settled: Iterable[Settled]) -> None:
    """Take back the provisional matches; those that were right come back as the plan's own assignments."""
    faces = [one.face_id for one in settled]
    if faces:
        connection.execute(
            delete(assignments).where(
                assignments.c.family_id == run.family_id,
                assignments.c.arm_id == run.arm.arm_id,
                assignments.c.face_id.in_(faces),
                assignments.c.state == "provisional",
            )
        )


def _move(connection: Connection, run: Run, moves: Iterable[Move]) -> None:
    """Give all faces of each moved person to its target; the person stays as what was merged into it."""
    for move in moves:
        connection.execute(
            update(assignments)
            .where(
                assignments.c.family_id == run.family_id,
                assignments.c.arm_id == run.arm.arm_id,
                assignments.c.person_id == move.source,
            )
            .values(person_id=move.target)
        )
        connection.execute(
            update(persons)
            .where(persons.c.family_id == run.family_id, persons.c.person_id == move.source)
            .values(merged_into=move.target)
        )
        connection.execute(
            delete(links).where(
                links.c.family_id == run.family_id, links.c.person_id == move.source, ~links.c.confirmed
            )
        )


def _save_run(connection: Connection, run: Run, plan: ClusterPlan, *, now: datetime) -> None:
    connection.execute(
        insert(runs).values(
            family_id=run.family_id,
            run_id=run.run_id,
            arm_id=run.arm.arm_id,
            month=date(run.month.year, run.month.month, 1),
            input_digest=run.input_digest,
            status="done",
            code_version=run.code_version,
            algorithm=run.arm.algorithm,
            parameters=dict(run.arm.parameters),
            models=dict(run.models),
            faces=run.faces,
            nodes=run.nodes,
            attached=len(plan.attach),
            founded=sum(len(group.face_ids) for group in plan.create),
            waiting=len(plan.leave),
            persons_created=len(plan.create),
            moved=len(plan.move),
            **_settled(plan.settled),
            started_at=run.started_at,
            finished_at=now,
            maker_id=run.maker_id,
        )
    )
    note_maker(connection, run.family_id, run.maker_id, now=now)


def _settled(settled: Iterable[Settled]) -> dict[str, int]:
    """How many provisional matches ended in each way, by column."""
    counts = Counter(one.outcome for one in settled)
    return {f"provisional_{outcome}": counts[outcome] for outcome in Outcome}


def _save_breakage(connection: Connection, key: Mapping[str, Any], broken: Iterable[LabelBreakage]) -> None:
    rows = [
        {
            **key,
            "person_id": label.person_id,
            "nodes": label.nodes,
            "mixing": label.mixing,
            "disappearance": label.disappearance,
            "splitting": label.splitting,
            "clusters": list(label.clusters),
        }
        for label in broken
    ]
    if rows:
        connection.execute(insert(breakage), rows)


def load_linked_persons(connection: Connection, family: FamilyId, arm: Arm) -> dict[PersonId, ChildId]:
    """The child of each person that a run linked to one, and that nobody has named, hidden or confirmed."""
    query = (
        select(links.c.person_id, links.c.child_id)
        .join(persons, (persons.c.family_id == links.c.family_id) & (persons.c.person_id == links.c.person_id))
        .where(
            links.c.family_id == family,
            ~links.c.confirmed,
            persons.c.arm_id == arm.arm_id,
            persons.c.name.is_(None),
            ~persons.c.hidden,
            persons.c.merged_into.is_(None),
        )
    )
    return {PersonId(row.person_id): ChildId(row.child_id) for row in connection.execute(query)}


def apply_links(connection: Connection, family: FamilyId, plan: LinkPlan, *, run: RunId | None, now: datetime) -> int:
    """Write the links, and the plan beside its run; tells how many persons got, lost or changed their child."""
    if run is not None:
        connection.execute(
            plans.update().where(plans.c.family_id == family, plans.c.run_id == run).values(linking=plan.to_dict())
        )
    query = select(links.c.person_id, links.c.child_id).where(links.c.family_id == family)
    known = {PersonId(row.person_id): ChildId(row.child_id) for row in connection.execute(query)}
    dropped = [one.person_id for one in plan.open if one.person_id in known]
    if dropped:
        connection.execute(delete(links).where(links.c.family_id == family, links.c.person_id.in_(dropped)))
    _save_links(connection, family, plan.links, run=run, now=now)
    return len(dropped) + sum(known.get(link.person_id) != link.child_id for link in plan.links)


def _save_links(
    connection: Connection, family: FamilyId, said: Sequence[Link], *, run: RunId | None, now: datetime
) -> None:
    """Write the links; one that says the same as before keeps its row, run and moment."""
    if not said:
        return
    statement = insert(links)
    news = ("child_id", "probability", "evidence")
    changed = or_(*(links.c[name] != statement.excluded[name] for name in news))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[links.c.family_id, links.c.person_id],
            set_={name: statement.excluded[name] for name in (*news, "run_id", "linked_at")},
            where=changed,
        ),
        [
            {
                "family_id": family,
                "person_id": link.person_id,
                "child_id": link.child_id,
                "run_id": run,
                "probability": link.probability,
                "evidence": {"faces": link.faces, "age_error": link.age_error, "p_female": link.p_female},
                "linked_at": now,
            }
            for link in said
        ],
    )
