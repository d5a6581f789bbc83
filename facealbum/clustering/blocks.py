"""Must-linked faces as blocks, and which things may never come together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count

from facealbum.clustering.problem import ClusteringProblem
from facealbum.domain.ids import FaceId, PersonId


def block_faces(
    problem: ClusteringProblem, faces: Sequence[FaceId], *, items: Mapping[PersonId, int]
) -> dict[FaceId, int]:
    """The item of every node and face: must-linked faces share one, with the person they are linked to if any.

    `items` holds the numbers of the persons, which come first.  Pairs are followed in the order of ids; a pair
    that would bring a cannot-link pair, a rejected face and its person, or two persons together is not followed.
    """
    block = {node.observation.face_id: items[node.person_id] for node in problem.nodes}
    block |= dict(zip(faces, count(len(items)), strict=False))
    inside: dict[int, set[FaceId]] = defaultdict(set)
    for face, item in block.items():
        inside[item].add(face)
    apart = _apart(problem)
    for pair in sorted((min(pair), max(pair)) for pair in problem.constraints.must_link):
        if not block.keys() >= set(pair):
            continue
        keep, gone = sorted(block[face] for face in pair)
        if keep == gone or gone < len(items) or any(apart[face] & inside[gone] for face in inside[keep]):
            continue
        block |= dict.fromkeys(inside[gone], keep)
        inside[keep] |= inside.pop(gone)
    number = {item: index for index, item in enumerate(sorted(inside))}
    return {face: number[item] for face, item in block.items()}


def _apart(problem: ClusteringProblem) -> dict[FaceId, set[FaceId]]:
    """For each face those it must never be with, both ways; a rejected person counts as all its nodes."""
    nodes: dict[PersonId, set[FaceId]] = defaultdict(set)
    for node in problem.nodes:
        nodes[node.person_id].add(node.observation.face_id)
    apart: dict[FaceId, set[FaceId]] = defaultdict(set)
    for one, other in problem.constraints.cannot_link:
        apart[one].add(other)
        apart[other].add(one)
    for face, person in problem.constraints.rejected:
        apart[face] |= nodes[person]
        for other in nodes[person]:
            apart[other].add(face)
    return apart


def list_meetings(
    problem: ClusteringProblem, item_of: Mapping[FaceId, int], *, items: Mapping[PersonId, int]
) -> list[tuple[int, int]]:
    """Pairs (item, meeting), sorted: two items with a meeting in common must never come together.

    A meeting is a photo, a cannot-link pair, a rejection, or the fact that two known persons stay two.
    """
    photos: dict[object, set[int]] = defaultdict(set)
    for face in problem.faces:
        photos[face.photo_id].add(item_of[face.face_id])
    for node in problem.nodes:
        photos[node.observation.photo_id].add(items[node.person_id])
    for person, item in items.items():
        for photo in problem.photos_of.get(person, frozenset()):
            photos[photo].add(item)
    meetings = [
        *photos.values(),
        *({item_of[face] for face in pair if face in item_of} for pair in problem.constraints.cannot_link),
        *(
            {item_of[face], items[person]}
            for face, person in problem.constraints.rejected
            if face in item_of and person in items
        ),
        set(items.values()),
    ]
    several = sorted(sorted(meeting) for meeting in meetings if len(meeting) > 1)
    return sorted((item, number) for number, meeting in enumerate(several) for item in meeting)
