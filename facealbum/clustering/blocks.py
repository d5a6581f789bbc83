"""Must-linked faces as blocks, and which things may never come together."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from facealbum.clustering.plan import Bar, Barred
from facealbum.clustering.problem import ClusteringProblem
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId


def block_faces(
    problem: ClusteringProblem, faces: Sequence[FaceId], *, items: Mapping[PersonId, int]
) -> dict[FaceId, int]:
    """The item of every node and face: must-linked faces share one, with the person they are linked to if any.

    `items` holds the numbers of the persons, which come first.  Pairs are followed in the order of ids; a pair
    that would bring a cannot-link pair, a rejected face and its person, or two persons together is not followed.
    """
    block = {node.observation.face_id: items[node.person_id] for node in problem.nodes}
    block |= dict(zip(faces, count(len(items)), strict=False))
    if not problem.constraints.must_link:
        return block
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


@dataclass(frozen=True, slots=True)
class Meeting:
    """Items that never come together, sorted, and why: the photo, or what each of two sides is to the other."""

    items: tuple[int, ...]
    bar: Bar
    ids: tuple[PhotoId | FaceId | PersonId, ...] = ()

    def barred(self, item: int) -> Barred:
        """How it reads to the item."""
        if self.bar is Bar.KNOWN:
            return Barred(self.bar)
        if self.bar is Bar.PHOTO:
            return Barred(self.bar, self.ids[0])
        return Barred(self.bar, self.ids[self.items.index(item)])


def list_meetings(
    problem: ClusteringProblem, item_of: Mapping[FaceId, int], *, items: Mapping[PersonId, int]
) -> tuple[Meeting, ...]:
    """Every reason why items stay apart, in an order of its own.

    A meeting is a photo, a cannot-link pair, a rejection, or the fact that two known persons stay two.
    """
    several = [meeting for meeting in _meetings(problem, item_of, items) if len(meeting.items) > 1]
    return tuple(sorted(several, key=lambda meeting: (meeting.items, meeting.bar, meeting.ids)))


def _meetings(
    problem: ClusteringProblem, item_of: Mapping[FaceId, int], items: Mapping[PersonId, int]
) -> Iterator[Meeting]:
    photos: dict[PhotoId, set[int]] = defaultdict(set)
    for face in problem.faces:
        photos[face.photo_id].add(item_of[face.face_id])
    for node in problem.nodes:
        photos[node.observation.photo_id].add(items[node.person_id])
    for person, item in items.items():
        for photo in problem.photos_of.get(person, frozenset()):
            photos[photo].add(item)
    for photo in [photo for photo, shown in photos.items() if len(shown) > 1]:
        yield Meeting(tuple(sorted(photos[photo])), Bar.PHOTO, (photo,))
    for pair in problem.constraints.cannot_link:
        if item_of.keys() >= set(pair):
            yield _two_sided(Bar.FACES, {item_of[pair[0]]: pair[1], item_of[pair[1]]: pair[0]})
    for rejected, person in problem.constraints.rejected:
        if rejected in item_of and person in items:
            yield _two_sided(Bar.PERSON, {item_of[rejected]: person, items[person]: rejected})
    kept = [(items[person], problem.child_of.get(person)) for person in sorted(items)]
    yield from (Meeting(company, Bar.KNOWN) for company in _known_apart(kept))


def _known_apart(kept: Sequence[tuple[int, ChildId | None]]) -> Iterator[tuple[int, ...]]:
    """Companies that hold every two persons but those of one child: one of each child, and the others by pairs."""
    first: dict[ChildId, int] = {}
    for item, child in kept:
        if child is not None:
            first.setdefault(child, item)
    others = [(item, child) for item, child in kept if child is not None and first[child] != item]
    yield tuple(item for item, child in kept if (item, child) not in others)
    for item, child in others:
        yield from (tuple(sorted((item, other))) for other, its_child in kept if its_child != child)


def _two_sided(bar: Bar, other: Mapping[int, FaceId | PersonId]) -> Meeting:
    """Two items, each with what the other one is; one item only where both sides are in it."""
    return Meeting(tuple(sorted(other)), bar, tuple(other[item] for item in sorted(other)))
