"""What the review of one family is made from: its faces, whom they are shown with, and what users said of that."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

from facealbum.clustering import Observation
from facealbum.corrections import Album, Ledger
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face and whom it is shown with, None for nobody; told: a user said so."""

    face: Observation
    person: PersonId | None
    told: bool = False


@dataclass(frozen=True, slots=True)
class UnsureLink:
    """A person who may be a registered child; chance: that it is, 0 to 1."""

    person: PersonId
    child: ChildId
    chance: float


@dataclass(frozen=True, slots=True)
class Census:
    """What is known of all faces of a family under one arm.

    sizes: how many each person has.  met: two persons whom one photo shows.  person_of, shown: whom a face and a photo
    show, of those faces and photos at least that are asked for.
    """

    sizes: Mapping[PersonId, int]
    met: frozenset[frozenset[PersonId]]
    person_of: Mapping[FaceId, PersonId]
    shown: Mapping[PhotoId, frozenset[PersonId]]

    @classmethod
    def of(cls, album: Album, arm_id: int) -> Self:
        """Of an album with all its faces."""
        person_of = {face: place.person_id for (arm, face), place in album.places.items() if arm == arm_id}
        shown: dict[PhotoId, set[PersonId]] = defaultdict(set)
        for face, person in person_of.items():
            shown[album.faces[face].photo_id].add(person)
        met = frozenset(frozenset(pair) for persons in shown.values() for pair in combinations(persons, 2))
        return cls(Counter(person_of.values()), met, person_of, {photo: frozenset(who) for photo, who in shown.items()})


@dataclass(frozen=True, slots=True, eq=False)
class FamilyView:
    """One family under one arm.

    faces: those to judge by, of a person with very many a part.  sizes: how many faces each person has in all.
    shown: whom each photo of these faces shows.  apart: persons who are two people, by a photo, a user's word, two
    names or two children.  rejected: faces that are said not to be a person.  kept: persons with a name or a child,
    into whom others are merged.  links: those in doubt.  broken: persons whose pseudo-label broke in the last run.
    """

    faces: tuple[SeenFace, ...]
    sizes: Mapping[PersonId, int]
    shown: Mapping[PhotoId, frozenset[PersonId]]
    apart: frozenset[frozenset[PersonId]] = frozenset()
    rejected: frozenset[tuple[FaceId, PersonId]] = frozenset()
    kept: frozenset[PersonId] = frozenset()
    links: tuple[UnsureLink, ...] = ()
    broken: frozenset[PersonId] = frozenset()

    @classmethod
    def of(
        cls,
        album: Album,
        census: Census,
        ledger: Ledger,
        faces: Sequence[Observation],
        *,
        links: Sequence[UnsureLink] = (),
        broken: frozenset[PersonId] = frozenset(),
    ) -> Self:
        """With the decisions in force; of the album its people and what is no face, and of no face who it is."""
        sure, person_of = ledger.sure_faces(), census.person_of
        kept = {who for who in census.sizes if album.persons[who].name is not None or who in album.links}
        rejected = _rejected(ledger, person_of)
        told = {(person_of[face], person) for face, person in rejected if face in sure and face in person_of}
        apart = _said_apart(ledger) | _known_apart(album, kept) | {frozenset(pair) for pair in told}
        return cls(
            faces=tuple(
                SeenFace(face, person_of.get(face.face_id), told=face.face_id in sure)
                for face in sorted(faces, key=lambda face: face.face_id.int)
                if face.face_id not in album.excluded
            ),
            sizes=census.sizes,
            shown=census.shown,
            apart=frozenset(apart | census.met),
            rejected=frozenset(rejected),
            kept=frozenset(kept),
            links=tuple(links),
            broken=broken,
        )


def _rejected(ledger: Ledger, person_of: Mapping[FaceId, PersonId]) -> set[tuple[FaceId, PersonId]]:
    """Faces that are not a person, or not the same as a face of it."""
    found = set()
    for word in (word for word in ledger.words.values() if not word.same):
        for one, other in ((word.one, word.other), (word.other, word.one)):
            person = other if other in ledger.homes else person_of.get(FaceId(other))
            if one not in ledger.homes and person is not None:
                found.add((FaceId(one), PersonId(person)))
    return found


def _said_apart(ledger: Ledger) -> set[frozenset[PersonId]]:
    words = (word for word in ledger.words.values() if not word.same)
    pairs = ((word.one, word.other) for word in words if word.one in ledger.homes and word.other in ledger.homes)
    return {frozenset((PersonId(one), PersonId(other))) for one, other in pairs}


def _known_apart(album: Album, kept: set[PersonId]) -> set[frozenset[PersonId]]:
    """Those with two names, and those linked to two children."""
    called = {who: (album.persons[who].name, album.links[who].child_id if who in album.links else None) for who in kept}
    return {
        frozenset((one, other))
        for one, other in combinations(sorted(kept), 2)
        if any(mine and its and mine != its for mine, its in zip(called[one], called[other], strict=True))
    }
