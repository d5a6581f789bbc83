"""Which faces stand for a person, and whom they stand for under another arm."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import pairwise

from facealbum.corrections.ledger import Ledger
from facealbum.corrections.state import Album
from facealbum.domain.ids import FaceId, PersonId

ANCHORS = 10


def choose_anchors(album: Album, person: PersonId, *, without: Collection[FaceId]) -> tuple[FaceId, ...]:
    """The best face of each of up to ANCHORS stretches of the person's time, the best first."""
    arm = album.persons[person].arm_id
    faces = [
        face
        for (arm_id, face), place in album.places.items()
        if place.person_id == person and arm_id == arm and face not in without
    ]
    faces.sort(key=lambda face: (album.faces[face].taken_at, face))
    parts = min(ANCHORS, len(faces))
    ends = [len(faces) * part // parts for part in range(parts + 1)] if parts else []
    best = [max(faces[start:end], key=album.goodness) for start, end in pairwise(ends)]
    return tuple(sorted(best, key=album.goodness, reverse=True))


def find_person(
    ledger: Ledger, person: PersonId, person_of: Mapping[FaceId, PersonId], *, arm_id: int
) -> PersonId | None:
    """Who the person is under this arm: itself at home, elsewhere whoever holds most of the faces that stand for it."""
    root = ledger.root(person)
    if ledger.homes.get(root) == arm_id:
        return root
    held = Counter(person_of[face] for face in ledger.stand_ins(root) if face in person_of)
    return min(held, key=lambda one: (-held[one], one), default=None)
