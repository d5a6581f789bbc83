"""A family for tests of review: faces that look like numbered people, decided about in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from facealbum.clustering import ClusteringParameters, Observation
from facealbum.corrections import (
    Album,
    Decision,
    FaceRow,
    PersonRow,
    Place,
    Request,
    Signature,
    correct_album,
    plan_correction,
    read_ledger,
)
from facealbum.domain.ids import PersonId, decision_id, family_id
from facealbum.review import Census, FamilyView, Review, UnsureLink, plan_review
from tests.unit.clustering.family import face, person_id

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FAMILY = family_id("Mori")
PARAMETERS = ClusteringParameters()


@dataclass(slots=True)
class Small:
    """Rows and faces; `decide` changes the rows as the product does."""

    faces: tuple[Observation, ...]
    album: Album
    links: tuple[UnsureLink, ...] = ()
    broken: frozenset[PersonId] = frozenset()
    past: list[Decision] = field(default_factory=list)

    def decide(self, *requests: Request) -> None:
        for request in requests:
            number = len(self.past) + 1
            signed = Signature(decision_id(FAMILY, number), number, 1, "ann", NOW)
            decision, correction = plan_correction(self.album, self.past, request, signed=signed)
            self.album = correct_album(self.album, correction)
            self.past.append(decision)

    def view(self) -> FamilyView:
        ledger = read_ledger(self.past, self.album.merged())
        census = Census.of(self.album, 1)
        return FamilyView.of(self.album, census, ledger, self.faces, links=self.links, broken=self.broken)

    def review(self) -> Review:
        return plan_review(self.view(), PARAMETERS)


def small(
    persons: Mapping[int, Sequence[Mapping[int, float]]],
    *,
    waiting: Sequence[Mapping[int, float]] = (),
    photos: Mapping[int, int] | None = None,
) -> Small:
    """The looks of each person's faces, numbered from 0 through all persons and then those of nobody.

    photos: the photo of a face, where it isn't one of its own.
    """
    album, made = Album(), list[Observation]()
    for person, looks in [*persons.items(), *((None, (look,)) for look in waiting)]:
        for look in looks:
            number = len(made)
            seen = face(number, look, photo=(photos or {}).get(number))
            made.append(seen)
            album.faces[seen.face_id] = FaceRow(seen.photo_id, seen.taken_at, seen.quality)
            if person is not None:
                album.persons[person_id(person)] = PersonRow(1, None)
                place = Place(person_id(person), None, "confirmed", 1.0, NOW)
                album.places[1, seen.face_id] = place
    return Small(tuple(made), album)


def named(family: Small, person: int, name: str) -> None:
    """Give the person a name."""
    key = person_id(person)
    family.album.persons[key] = replace(family.album.persons[key], name=name)
