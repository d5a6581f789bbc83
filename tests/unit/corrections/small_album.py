"""A small album for tests of decisions: numbered faces, persons and photos, at a fixed time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from facealbum.corrections import (
    Album,
    Correction,
    Decision,
    FaceRow,
    PersonRow,
    Place,
    Request,
    Signature,
    correct_album,
    plan_correction,
    plan_undo,
)
from facealbum.domain.ids import ChildId, DecisionId, FaceId, PersonId, PhotoId, RunId

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOME, OTHER = 1, 2


def face(number: int) -> FaceId:
    return FaceId(UUID(int=number))


def person(number: int) -> PersonId:
    return PersonId(UUID(int=1000 + number))


def elsewhere(number: int) -> PersonId:
    """The person of this number under the other arm."""
    return PersonId(UUID(int=2000 + number))


def photo(number: int) -> PhotoId:
    return PhotoId(UUID(int=3000 + number))


def child(number: int) -> ChildId:
    return ChildId(UUID(int=4000 + number))


RUN = RunId(UUID(int=5000))
CHILDREN = 3


def album(
    held: Mapping[int, Sequence[int]],
    *,
    others: Mapping[int, Sequence[int]] | None = None,
    waiting: Sequence[int] = (),
    photos: Mapping[int, int] | None = None,
) -> Album:
    """The faces of each person at home, and under the other arm; each face in a photo of its own unless told."""
    made = Album(children=frozenset(map(child, range(CHILDREN))))
    for number in {*waiting, *(one for of in (*held.values(), *(others or {}).values()) for one in of)}:
        taken = NOW - timedelta(days=100 - number)
        made.faces[face(number)] = FaceRow(photo((photos or {}).get(number, number)), taken, 0.5 + number / 1000)
    for arm, name, persons in ((HOME, person, held), (OTHER, elsewhere, others or {})):
        for number, of in persons.items():
            made.persons[name(number)] = PersonRow(arm, RUN)
            for one in of:
                made.places[arm, face(one)] = Place(name(number), RUN, "confirmed", 0.7, NOW - timedelta(days=1))
    return made


class Told:
    """An album with the decisions of its users."""

    def __init__(self, start: Album) -> None:
        self.album = start
        self.recorded: list[tuple[Decision, Correction]] = []

    def say(self, request: Request, *, arm: int = HOME) -> int:
        """Record and carry out; the number of the decision."""
        number = len(self.recorded) + 1
        signed = Signature(DecisionId(UUID(int=6000 + number)), number, arm, "ann", NOW)
        past = [decision for decision, _ in self.recorded]
        decision, correction = plan_correction(self.album, past, request, signed=signed)
        self.recorded.append((decision, correction))
        self.album = correct_album(self.album, correction)
        return number

    def undo(self, number: int) -> None:
        """Take a decision back."""
        self.album = correct_album(self.album, plan_undo(self.album, self.recorded, number))
        self.recorded = [
            (replace(one, undone_at=NOW) if one.number == number else one, its) for one, its in self.recorded
        ]
