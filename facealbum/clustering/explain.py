"""The groups of one run as a plan: scores, nearest nodes, and why a face waits."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items
from facealbum.clustering.linkage import NOBODY, Agglomeration
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.plan import Attach, ClusterPlan, Leave, LeaveReason, NewGroup
from facealbum.clustering.vectors import UNIT
from facealbum.domain.ids import FaceId, PersonId


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """The faces of a clustering beside the groups; one row a face, `first` being the member of row 0.

    group: its group, or NOBODY.  similar: float32[faces, groups], 0 to UNIT, -inf for groups that do not stand.
    own: its mean similarity, -1 to 1, to the other sound members of its group.
    """

    first: int
    group: NDArray[np.intp]
    similar: NDArray[np.float32]
    own: NDArray[np.float64]


def build_plan(
    items: Items, groups: Agglomeration, *, stands: NDArray[np.bool_], parameters: ClusteringParameters
) -> ClusterPlan:
    """The plan in canonical order; a group that does not stand is left waiting."""
    faces = _measure(items, groups, stands)
    person_of = {int(groups.group_of[item]): person for item, person in enumerate(items.persons)}
    attach, leave = [], []
    create: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(faces.group.tolist()):
        if group in person_of:
            attach.append(_attach(items, faces, row, person=person_of[group]))
        elif group != NOBODY and stands[group]:
            create[group].append(row)
        else:
            leave.append(Leave(_id(items, faces, row), _reason(items, groups, faces, row, parameters)))
    return ClusterPlan(
        attach=tuple(attach),
        create=tuple(sorted((_new(items, faces, rows) for rows in create.values()), key=lambda g: g.founder)),
        leave=tuple(leave),
    )


def _measure(items: Items, groups: Agglomeration, stands: NDArray[np.bool_]) -> _Faces:
    vectors = items.vectors[items.nodes :]
    group = groups.group_of[items.item_of[items.nodes :]]
    similar = vectors @ groups.means.T
    similar[:, ~stands] = -np.inf
    inside = np.flatnonzero(group != NOBODY)
    own = np.zeros(len(vectors))
    mine, sound = vectors[inside].astype(np.float64), items.sound[items.nodes :][inside]
    total = (mine * groups.sums[group[inside]]).sum(axis=1) - sound * np.square(mine).sum(axis=1)
    own[inside] = total / np.maximum(groups.counts[group[inside]] - sound, 1) / UNIT
    return _Faces(items.nodes, group, similar, own)


def _attach(items: Items, faces: _Faces, row: int, *, person: PersonId) -> Attach:
    nodes = np.flatnonzero(items.item_of[: items.nodes] == items.persons.index(person))
    near = items.vectors[nodes] @ items.vectors[faces.first + row]
    others = np.delete(faces.similar[row], faces.group[row])
    best = float(others.max(initial=-np.inf))
    return Attach(
        face_id=_id(items, faces, row),
        person_id=person,
        score=_score(faces.own[row]),
        nearest=items.members[nodes[near.argmax()]].face_id,
        runner_up=_score(best / UNIT) if np.isfinite(best) else None,
    )


def _new(items: Items, faces: _Faces, rows: list[int]) -> NewGroup:
    ids = tuple(_id(items, faces, row) for row in rows)
    return NewGroup(ids[0], ids, tuple(_score(faces.own[row]) for row in rows))


def _reason(
    items: Items, groups: Agglomeration, faces: _Faces, row: int, parameters: ClusteringParameters
) -> LeaveReason:
    sound = bool(items.sound[faces.first + row])
    group = int(faces.group[row])
    if group != NOBODY and groups.counts[group] > 1:
        return LeaveReason.TOO_FEW
    least = parameters.similarity if sound else parameters.poor_similarity
    if faces.similar[row].max(initial=-np.inf) >= least * UNIT:
        return LeaveReason.FORBIDDEN
    return LeaveReason.ALONE if sound else LeaveReason.POOR


def _id(items: Items, faces: _Faces, row: int) -> FaceId:
    return items.members[faces.first + row].face_id


def _score(value: float) -> float:
    """Six digits: what a score tells, and short in JSON."""
    return round(float(value), 6)
