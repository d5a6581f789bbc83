"""The groups of one clustering as a plan: scores, nearest nodes, and why a face waits."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items
from facealbum.clustering.linkage import NOBODY, Agglomeration
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.plan import Attach, ClusterPlan, Leave, LeaveReason, NewGroup
from facealbum.clustering.vectors import UNIT
from facealbum.domain.ids import FaceId


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """The faces of a clustering, one row each, in the order of ids.

    group: its group, or NOBODY.  own: mean similarity to the other sound members of its group.
    rival: similarity to the nearest other group that stands, -inf where there is none.
    """

    ids: tuple[FaceId, ...]
    sound: NDArray[np.bool_]
    group: NDArray[np.intp]
    own: NDArray[np.float64]
    rival: NDArray[np.float64]


def build_plan(
    items: Items, groups: Agglomeration, *, stands: NDArray[np.bool_], parameters: ClusteringParameters
) -> ClusterPlan:
    """The plan in canonical order; the faces of a group that does not stand wait."""
    faces = _measure(items, groups, stands)
    item_of_group = {int(groups.group_of[item]): item for item in range(len(items.persons))}
    joined: dict[int, list[int]] = defaultdict(list)
    founded: dict[int, list[int]] = defaultdict(list)
    leave = []
    for row, group in enumerate(faces.group.tolist()):
        if group in item_of_group:
            joined[item_of_group[group]].append(row)
        elif group != NOBODY and stands[group]:
            founded[group].append(row)
        else:
            leave.append(Leave(faces.ids[row], _reason(faces, row, groups, parameters)))
    attach = [one for item, rows in joined.items() for one in _attach(items, faces, item, rows)]
    return ClusterPlan(
        attach=tuple(sorted(attach, key=lambda one: one.face_id)),
        create=tuple(sorted((_found(faces, rows) for rows in founded.values()), key=lambda one: one.founder)),
        leave=tuple(leave),
    )


def _measure(items: Items, groups: Agglomeration, stands: NDArray[np.bool_]) -> _Measured:
    vectors, sound = items.vectors[items.nodes :], items.sound[items.nodes :]
    group = groups.group_of[items.item_of[items.nodes :]]
    inside = np.flatnonzero(group != NOBODY)
    others = vectors @ groups.means.T
    others[:, ~stands] = -np.inf
    others[inside, group[inside]] = -np.inf
    own = np.zeros(len(vectors))
    mine, mates = vectors[inside].astype(np.float64), groups.counts[group[inside]] - sound[inside]
    total = (mine * groups.sums[group[inside]]).sum(axis=1) - sound[inside] * np.square(mine).sum(axis=1)
    own[inside] = total / np.maximum(mates, 1) / UNIT
    return _Measured(
        ids=tuple(member.face_id for member in items.members[items.nodes :]),
        sound=sound,
        group=group,
        own=own,
        rival=others.max(axis=1, initial=-np.inf).astype(np.float64) / UNIT,
    )


def _attach(items: Items, faces: _Measured, item: int, rows: list[int]) -> list[Attach]:
    """The faces in `rows` as they join the person of `item`."""
    nodes = np.flatnonzero(items.item_of[: items.nodes] == item)
    similar = items.vectors[items.nodes + np.array(rows)] @ items.vectors[nodes].T
    return [
        Attach(
            face_id=faces.ids[row],
            person_id=items.persons[item],
            score=_score(faces.own[row]),
            nearest=items.members[nodes[nearest]].face_id,
            runner_up=_score(faces.rival[row]) if np.isfinite(faces.rival[row]) else None,
        )
        for row, nearest in zip(rows, similar.argmax(axis=1).tolist(), strict=True)
    ]


def _found(faces: _Measured, rows: list[int]) -> NewGroup:
    ids = tuple(faces.ids[row] for row in rows)
    return NewGroup(ids[0], ids, tuple(_score(faces.own[row]) for row in rows))


def _reason(faces: _Measured, row: int, groups: Agglomeration, parameters: ClusteringParameters) -> LeaveReason:
    group, sound = int(faces.group[row]), bool(faces.sound[row])
    if group != NOBODY and groups.counts[group] > 1:
        return LeaveReason.TOO_FEW
    if faces.rival[row] >= (parameters.similarity if sound else parameters.poor_similarity):
        return LeaveReason.FORBIDDEN
    return LeaveReason.ALONE if sound else LeaveReason.POOR


def _score(value: float) -> float:
    """Six digits are more than a score can tell, and short in JSON."""
    return round(float(value), 6)
