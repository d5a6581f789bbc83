"""A small album for tests of decisions: numbered faces, persons and photos, at a fixed time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from facealbum.corrections import (
    Album,
    Company,
    Correction,
    Decision,
    FaceRow,
    PersonRow,
    Place,
    Reach,
    Request,
    Signature,
    company_of_request,
    company_of_undoing,
    correct_album,
    find_in_force,
    plan_correction,
    plan_undo,
    reach_of_request,
    reach_of_undoing,
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


def within(whole: Album, reach: Reach, company: Company = Company()) -> Album:  # noqa: B008 - it is frozen
    """The album without the faces that need not be known."""
    shown: dict[PhotoId, set[PersonId]] = defaultdict(set)
    for (_, one), place in whole.places.items():
        shown[whole.faces[one].photo_id].add(place.person_id)
    faces = set(reach.faces) | {one for (_, one), place in whole.places.items() if place.person_id in company.whole}
    crowds = {whole.faces[one].photo_id for one in reach.crowded if one in whole.faces}
    crowds |= {its for its, persons in shown.items() if all(side & persons for side in company.sides)}
    faces |= {one for one, row in whole.faces.items() if row.photo_id in crowds}
    return replace(
        whole,
        faces={one: row for one, row in whole.faces.items() if one in faces},
        places={key: place for key, place in whole.places.items() if key[1] in faces},
        excluded={one: is_none for one, is_none in whole.excluded.items() if one in faces},
        facts={key: fact for key, fact in whole.facts.items() if key[0] in faces},
    )


class Told:
    """An album with the decisions of its users; each is planned by the whole album, and alike by what is in reach."""

    def __init__(self, start: Album) -> None:
        self.album = start
        self.recorded: list[tuple[Decision, Correction]] = []

    def say(self, request: Request, *, arm: int = HOME) -> int:
        """Record and carry out; the number of the decision."""
        number = len(self.recorded) + 1
        signed = Signature(DecisionId(UUID(int=6000 + number)), number, arm, "ann", NOW)
        past = [decision for decision, _ in self.recorded]
        decision, correction = plan_correction(self.album, past, request, signed=signed)
        part = within(self.album, reach_of_request(past, request, decision.anchors))
        more = company_of_request(part, past, request, decision.anchors)
        part = within(self.album, reach_of_request(past, request, decision.anchors), more)
        assert plan_correction(part, past, request, signed=signed, anchors=decision.anchors) == (decision, correction)
        self.recorded.append((decision, correction))
        self.album = correct_album(self.album, correction)
        return number

    def undo(self, number: int) -> None:
        """Take a decision back."""
        correction = plan_undo(self.album, self.recorded, number)
        mine = find_in_force(self.recorded, number)
        reach = reach_of_undoing([decision for decision, _ in self.recorded], mine)
        part = within(self.album, reach, company_of_undoing(mine[1]))
        assert plan_undo(part, self.recorded, number) == correction
        self.album = correct_album(self.album, correction)
        self.recorded = [
            (replace(one, undone_at=NOW) if one.number == number else one, its) for one, its in self.recorded
        ]
