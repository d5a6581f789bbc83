"""Faces and problems for tests, with similarities that are chosen."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering import ClusteringProblem, ClusterPlan, Node, Observation
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_SIZE = 512
_OWN_AXES = 100


def face_id(number: int) -> FaceId:
    return FaceId(UUID(int=number))


def photo_id(number: int) -> PhotoId:
    return PhotoId(UUID(int=1_000_000 + number))


def person_id(number: int) -> PersonId:
    return PersonId(UUID(int=2_000_000 + number))


def child_id(number: int) -> ChildId:
    return ChildId(UUID(int=3_000_000 + number))


def vector(number: int, looks: Mapping[int, float]) -> NDArray[np.float32]:
    """Length 1: these shares on the axes of people, the rest on an axis that only face `number` has.

    Two faces with shares a and b on one common axis have the similarity a x b.
    """
    found = np.zeros(_SIZE)
    for axis, share in looks.items():
        found[axis] = share
    found[_OWN_AXES + number] = np.sqrt(1 - np.square(found).sum())
    return found.astype(np.float32)


def face(number: int, looks: Mapping[int, float] | None = None, *, photo: int | None = None) -> Observation:
    """A sound face in a photo of its own unless told; faces that look 0.8 like one axis have similarity 0.64."""
    return Observation(
        face_id=face_id(number),
        photo_id=photo_id(number if photo is None else photo),
        taken_at=START + timedelta(days=number),
        quality=0.9,
        yaw=0.0,
        size=100.0,
        embedding=vector(number, {0: 0.8} if looks is None else looks),
    )


def poor(observation: Observation) -> Observation:
    return replace(observation, quality=0.01)


def carry_out(problem: ClusteringProblem, plan: ClusterPlan) -> ClusteringProblem:
    """The problem after the plan: every face with a person is a node of it, the others wait."""
    person_of = {one.face_id: one.person_id for one in plan.attach}
    for group in plan.create:
        person_of |= dict.fromkeys(group.face_ids, PersonId(group.founder))
    nodes = (*problem.nodes, *(Node(f, person_of[f.face_id]) for f in problem.faces if f.face_id in person_of))
    moved = {move.source: move.target for move in plan.move}
    nodes = tuple(replace(node, person_id=moved.get(node.person_id, node.person_id)) for node in nodes)
    photos: dict[PersonId, set[PhotoId]] = defaultdict(set)
    for person, seen in problem.photos_of.items():
        photos[moved.get(person, person)] |= seen
    for node in nodes:
        photos[node.person_id].add(node.observation.photo_id)
    return replace(
        problem,
        faces=tuple(f for f in problem.faces if f.face_id not in person_of),
        nodes=nodes,
        photos_of={person: frozenset(seen) for person, seen in photos.items()},
    )


def persons_after(problem: ClusteringProblem, plan: ClusterPlan) -> dict[FaceId, PersonId]:
    return {node.observation.face_id: node.person_id for node in carry_out(problem, plan).nodes}


def groups_of(plan: ClusterPlan) -> list[list[int]]:
    """The numbers of the faces of each new person."""
    return [[one.int for one in group.face_ids] for group in plan.create]


def nodes_of(person: int, faces: Sequence[Observation]) -> tuple[Node, ...]:
    return tuple(Node(one, person_id(person)) for one in faces)
