"""The groups of one clustering as a plan: scores, nearest nodes, the nearest rival, and why a face waits."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering.items import Items
from facealbum.clustering.linkage import NOBODY, Agglomeration
from facealbum.clustering.parameters import ClusteringParameters
from facealbum.clustering.plan import (
    Attach,
    Barred,
    ClusterPlan,
    Leave,
    LeaveReason,
    Move,
    MoveReason,
    NewGroup,
    Outcome,
    Rival,
    Settled,
)
from facealbum.clustering.problem import ClusteringProblem
from facealbum.clustering.vectors import UNIT
from facealbum.domain.ids import FaceId, PersonId

_BLOCK = 1 << 24  # similarities held at once: 64 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """The groups of one clustering; `stands` (bool[groups]) tells those that are, or become, a person."""

    items: Items
    groups: Agglomeration
    stands: NDArray[np.bool_]

    def cluster_of(self) -> dict[FaceId, int]:
        """The group of every face and node that is in one that stands."""
        group = self.groups.group_of[self.items.item_of].tolist()
        return {
            member.face_id: number
            for member, number in zip(self.items.members, group, strict=True)
            if number != NOBODY and self.stands[number]
        }


def build_plan(problem: ClusteringProblem, found: Grouping, parameters: ClusteringParameters) -> ClusterPlan:
    """The plan in canonical order; the faces of a group that does not stand wait."""
    persons = _persons_of(found)
    person_of = {group: _stays(some, problem) for group, some in persons.items()}
    faces = _measure(found, person_of)
    joined: dict[int, list[int]] = defaultdict(list)
    founded: dict[int, list[int]] = defaultdict(list)
    leave = []
    for row, group in enumerate(faces.group.tolist()):
        if group in person_of:
            joined[group].append(row)
        elif group != NOBODY and found.stands[group]:
            founded[group].append(row)
        else:
            leave.append(faces.leave(row, found.groups, parameters))
    attach = sorted(
        (one for group, rows in joined.items() for one in _attach(found, faces, person_of[group], rows)),
        key=attrgetter("face_id.int"),
    )
    move = _moves(found, persons, person_of)
    return ClusterPlan(
        attach=tuple(attach),
        create=tuple(sorted((faces.found(rows) for rows in founded.values()), key=lambda one: one.founder)),
        leave=tuple(leave),
        move=move,
        settled=_settle(problem, attach, leave, {one.source: one.target for one in move}),
    )


def _persons_of(found: Grouping) -> dict[int, list[PersonId]]:
    """The persons in each group that has any."""
    persons: dict[int, list[PersonId]] = defaultdict(list)
    for item, person in enumerate(found.items.persons):
        persons[int(found.groups.group_of[item])].append(person)
    return persons


def _stays(persons: list[PersonId], problem: ClusteringProblem) -> PersonId:
    """Which of persons that are one goes on: the one in most photos."""
    return min(
        persons,
        key=lambda person: (-len(problem.photos_of.get(person, ())), person),
    )


def _moves(
    found: Grouping, persons: Mapping[int, list[PersonId]], person_of: Mapping[int, PersonId]
) -> tuple[Move, ...]:
    moves = [
        Move(person, person_of[group], MoveReason.SAME_CHILD, _likeness(found.items, person, person_of[group]))
        for group, some in persons.items()
        for person in some
        if person != person_of[group]
    ]
    return tuple(sorted(moves, key=lambda move: move.source))


def _likeness(items: Items, one: PersonId, other: PersonId) -> float:
    """The mean similarity of two persons' nodes."""
    owner = items.item_of[: items.nodes]
    mine, others = (items.vectors[: items.nodes][owner == items.persons.index(who)] for who in (one, other))
    return _score(np.mean(mine @ others.T, dtype=np.float64) / UNIT)


def _settle(
    problem: ClusteringProblem, attach: list[Attach], leave: list[Leave], merged: Mapping[PersonId, PersonId]
) -> tuple[Settled, ...]:
    joined = {one.face_id: one.person_id for one in attach}
    waiting = {one.face_id for one in leave}

    def outcome(face: FaceId, person: PersonId) -> Outcome:
        if face in waiting:
            return Outcome.DROPPED
        return Outcome.CONFIRMED if joined.get(face) == merged.get(person, person) else Outcome.MOVED

    return tuple(
        Settled(face, problem.provisional[face], outcome(face, problem.provisional[face]))
        for face in sorted(problem.provisional.keys() & {face.face_id for face in problem.faces})
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """The faces of a clustering, one row each, in the order of ids.

    group: its group, or NOBODY.  own: mean similarity to the other sound members of its group.  asked: what the ages
    of face and rival ask beyond a threshold, 0 without a rival.
    """

    ids: tuple[FaceId, ...]
    sound: NDArray[np.bool_]
    group: NDArray[np.intp]
    own: NDArray[np.float64]
    asked: NDArray[np.float64]
    rivals: tuple[Rival | None, ...]

    def found(self, rows: list[int]) -> NewGroup:
        ids = tuple(self.ids[row] for row in rows)
        return NewGroup(
            ids[0], ids, tuple(_score(self.own[row]) for row in rows), tuple(self.rivals[row] for row in rows)
        )

    def leave(self, row: int, groups: Agglomeration, parameters: ClusteringParameters) -> Leave:
        group, rival, reason = int(self.group[row]), self.rivals[row], LeaveReason.ALONE
        enough = parameters.similarity if self.sound[row] else parameters.poor_similarity
        if group != NOBODY and groups.counts[group] > 1:
            reason = LeaveReason.TOO_FEW
        elif rival is not None and rival.score - self.asked[row] >= enough:
            reason = LeaveReason.FORBIDDEN
        elif not self.sound[row]:
            reason = LeaveReason.POOR
        return Leave(self.ids[row], reason, rival)


def _measure(found: Grouping, person_of: Mapping[int, PersonId]) -> _Measured:
    items, groups = found.items, found.groups
    vectors, sound = items.vectors[items.nodes :], items.sound[items.nodes :]
    group = groups.group_of[items.item_of[items.nodes :]]
    inside = np.flatnonzero(group != NOBODY)
    own = np.zeros(len(vectors))
    mine, mates = vectors[inside].astype(np.float64), groups.counts[group[inside]] - sound[inside]
    total = np.einsum("ij,ij->i", mine, groups.sums[group[inside]].astype(np.float64))
    total -= sound[inside] * np.einsum("ij,ij->i", mine, mine)
    own[inside] = total / np.maximum(mates, 1) / UNIT
    nearest, scores, asked = _nearest_others(found, group)
    barred = _Bars(found)
    rivals = (
        Rival(person_of.get(rival), _score(score), barred.between(int(item), rival)) if np.isfinite(score) else None
        for item, rival, score in zip(
            items.item_of[items.nodes :].tolist(), nearest.tolist(), scores.tolist(), strict=True
        )
    )
    ids = tuple(member.face_id for member in items.members[items.nodes :])
    return _Measured(ids, sound, group, own, asked, tuple(rivals))


def _nearest_others(
    found: Grouping, group: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """For each face the nearest other group that stands, the similarity to it, and what ages ask beyond a threshold.

    The nearest is the one with most similarity left after that; -inf and 0 where there is none.
    """
    items, standing = found.items, np.flatnonzero(found.stands)
    vectors, ages = items.vectors[items.nodes :], items.ages[items.nodes :]
    means, mean_ages = found.groups.means[standing], found.groups.ages[standing]
    nearest = np.full(len(vectors), NOBODY, np.intp)
    scores, asked = np.full(len(vectors), -np.inf), np.zeros(len(vectors))
    if not len(standing):
        return nearest, scores, asked
    step = max(1, _BLOCK // len(standing))
    for start in range(0, len(vectors), step):
        block = slice(start, start + step)
        more = ages[block] @ mean_ages.T
        others = vectors[block] @ means.T - more
        others[group[block][:, None] == standing[None, :]] = -np.inf
        best = others.argmax(axis=1)
        pick = np.arange(len(best)), best
        nearest[block], asked[block] = standing[best], more[pick] / UNIT
        scores[block] = others[pick] / UNIT + asked[block]
    return nearest, scores, asked


class _Bars:
    """Why items stay out of groups."""

    def __init__(self, found: Grouping) -> None:
        self._apart = found.items.apart
        self._of_item: dict[int, list[int]] = defaultdict(list)
        self._of_group: dict[int, set[int]] = defaultdict(set)
        group_of = found.groups.group_of.tolist()
        for item, meeting in found.items.meetings.tolist():
            self._of_item[item].append(meeting)
            self._of_group[group_of[item]].add(meeting)

    def between(self, item: int, group: int) -> Barred | None:
        for number in self._of_item.get(item, ()):
            if number in self._of_group.get(group, ()):
                return self._apart[number].barred(item)
        return None


def _attach(found: Grouping, faces: _Measured, person: PersonId, rows: list[int]) -> list[Attach]:
    """The faces in `rows` as they join the person."""
    items, groups = found.items, found.groups
    group = faces.group[rows[0]]
    nodes = np.flatnonzero(groups.group_of[items.item_of[: items.nodes]] == group)
    similar = items.vectors[items.nodes + np.array(rows)] @ items.vectors[nodes].T
    best = similar.argmax(axis=1)
    likeness = (similar[np.arange(len(rows)), best] / UNIT).tolist()
    return [
        Attach(
            face_id=faces.ids[row],
            person_id=person,
            score=_score(faces.own[row]),
            nearest=items.members[node].face_id,
            similarity=_score(like),
            rival=faces.rivals[row],
        )
        for row, node, like in zip(rows, nodes[best].tolist(), likeness, strict=True)
    ]


def _score(value: float) -> float:
    """Six digits are more than a score can tell, and short in JSON."""
    return round(float(value), 6)
