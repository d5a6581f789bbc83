"""A monthly plan by the book: sets of faces, one merger after the other, nothing clever.

It knows the rules of docs/clustering.md and none of the product's clustering code but the parameters; must-links are
left out, as tests hold them to a rule of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np

from facealbum.clustering import ClusteringParameters, ClusteringProblem, Observation
from facealbum.domain.ids import FaceId, PersonId


@dataclass(eq=False)
class Group:
    """Persons and faces that are one so far; `sound` members speak for it."""

    members: list[Observation]
    sound: list[Observation]
    persons: set[PersonId] = field(default_factory=set)


@dataclass
class ByTheBook:
    """The groups of one problem; `margin` is by how little the closest decision was taken."""

    problem: ClusteringProblem
    parameters: ClusteringParameters
    margin: float = np.inf

    def partition(self) -> tuple[set[frozenset[FaceId | PersonId]], set[FaceId]]:
        """What is one person, its known persons among it, and who waits."""
        groups, poor = self._start()
        self._merge(groups, self.parameters.similarity, self._may_be_one)
        self._merge(groups, self.parameters.child_similarity, self._one_child)
        standing = [g for g in groups if g.persons or len(g.sound) >= self.parameters.min_faces]
        waiting = {one.face_id for g in groups if g not in standing for one in g.members}
        waiting |= self._place_poor(poor, standing)
        nodes = {node.observation.face_id for node in self.problem.nodes}
        named = {
            frozenset(g.persons) | frozenset(one.face_id for one in g.members if one.face_id not in nodes)
            for g in standing
        }
        return named, waiting

    def _start(self) -> tuple[list[Group], list[Observation]]:
        nodes: dict[PersonId, list[Observation]] = {}
        for node in self.problem.nodes:
            nodes.setdefault(node.person_id, []).append(node.observation)
        groups = []
        for person, faces in nodes.items():
            sound = [one for one in faces if self._is_sound(one)] or faces
            groups.append(Group(list(faces), sound, {person}))
        good = [one for one in self.problem.faces if self._is_sound(one)]
        groups += [Group([one], [one]) for one in good]
        return groups, [one for one in self.problem.faces if not self._is_sound(one)]

    def _is_sound(self, one: Observation) -> bool:
        p = self.parameters
        return one.quality >= p.min_quality and one.size >= p.min_size and abs(one.yaw) <= p.max_yaw

    def _merge(self, groups: list[Group], least: float, allowed: Callable[[Group, Group], bool]) -> None:
        while True:
            pairs = [(self._alike(a, b), a, b) for a, b in combinations(groups, 2) if allowed(a, b)]
            if not pairs:
                return
            pairs.sort(key=lambda pair: -pair[0])
            best, a, b = pairs[0]
            self._note(best, least)
            if best < least:
                return
            if len(pairs) > 1 and {a, b} & {pairs[1][1], pairs[1][2]}:
                self._note(best, pairs[1][0])
            groups.remove(b)
            a.members += b.members
            a.sound += b.sound
            a.persons |= b.persons

    def _place_poor(self, poor: list[Observation], standing: list[Group]) -> set[FaceId]:
        centres = {id(g): Group(list(g.members), list(g.sound)) for g in standing}
        alone = {one.face_id: Group([one], [one]) for one in poor}
        choices = [(self._alike(alone[one.face_id], centres[id(g)]), one, g) for one in poor for g in standing]
        choices.sort(key=lambda choice: -choice[0])
        for (before, *_), (after, *_) in pairwise(choices):
            self._note(before, after)
        left = {one.face_id for one in poor}
        for alike, one, group in choices:
            self._note(alike, self.parameters.poor_similarity)
            enough = alike >= self.parameters.poor_similarity
            if enough and one.face_id in left and self._may_be_one(alone[one.face_id], group):
                group.members.append(one)
                left.remove(one.face_id)
        return left

    def _alike(self, a: Group, b: Group) -> float:
        return float(
            np.mean([one.embedding @ other.embedding - self._asked(one, other) for one in a.sound for other in b.sound])
        )

    def _asked(self, one: Observation, other: Observation) -> float:
        p = self.parameters
        (young, grown), (its_young, its_grown) = (self._ages(face.age) for face in (one, other))
        return p.young_likeness * young * its_young + p.grown_likeness * grown * its_grown

    def _ages(self, age: float | None) -> tuple[float, float]:
        if age is None:
            return 0.0, 0.0
        return max(0.0, 1 - age / self.parameters.young_until), min(1.0, max(0.0, (age - 10) / 10))

    def _note(self, value: float, other: float) -> None:
        self.margin = min(self.margin, abs(value - other))

    def _may_be_one(self, a: Group, b: Group) -> bool:
        ids = [{one.face_id for one in g.members} for g in (a, b)]
        told_apart = self.problem.constraints.cannot_link | {(y, x) for x, y in self.problem.constraints.cannot_link}
        ruled_out = self.problem.constraints.rejected
        return not (
            self._photos(a) & self._photos(b)
            or any(x in ids[0] and y in ids[1] for x, y in told_apart)
            or any(face in ids[0] and who in b.persons for face, who in ruled_out)
            or any(face in ids[1] and who in a.persons for face, who in ruled_out)
            or any(self._stay_two(x, y) for x in a.persons for y in b.persons)
        )

    def _stay_two(self, one: PersonId, other: PersonId) -> bool:
        child = self.problem.child_of.get(one)
        return child is None or child != self.problem.child_of.get(other)

    def _one_child(self, a: Group, b: Group) -> bool:
        children = self.problem.child_of
        shared = {children.get(one) for one in a.persons} & {children.get(one) for one in b.persons} - {None}
        return bool(shared) and self._may_be_one(a, b)

    def _photos(self, group: Group) -> set[object]:
        seen: set[object] = {one.photo_id for one in group.members}
        for person in group.persons:
            seen |= self.problem.photos_of.get(person, frozenset())
        return seen
