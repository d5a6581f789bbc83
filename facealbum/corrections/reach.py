"""Which faces must be known to plan a decision or its undoing, so that it costs what it touches, not the family.

Guarantee: with these faces, and all persons and links, the plan is the one that all rows of the family give.
Price: every face that users have spoken of is among them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from facealbum.corrections.decision import Decision, Request
from facealbum.corrections.ledger import read_ledger
from facealbum.corrections.state import Album, Correction
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, PersonId

Anchors: TypeAlias = Mapping[PersonId, Sequence[FaceId]]


@dataclass(frozen=True, slots=True)
class Reach:
    """What to know first: these faces, and whoever is in a photo with the `crowded` ones."""

    faces: frozenset[FaceId]
    crowded: frozenset[FaceId]


@dataclass(frozen=True, slots=True)
class Company:
    """What to know then: all faces of the `whole` persons, and the photos that show one of each side."""

    whole: frozenset[PersonId] = frozenset()
    sides: tuple[frozenset[PersonId], frozenset[PersonId]] = (frozenset(), frozenset())


def reach_of_request(past: Sequence[Decision], request: Request, anchors: Anchors) -> Reach:
    """The faces that the request may place, with those that take their room.

    anchors: those of the persons that it names.
    """
    ledger = read_ledger(past, {})
    named = {one for face in request.faces for one in ledger.together(face)}
    stand = {face for faces in anchors.values() for face in faces}
    return Reach(frozenset(_spoken_of(past) | named | stand), frozenset(named))


def company_of_request(album: Album, past: Sequence[Decision], request: Request, anchors: Anchors) -> Company:
    """Whoever may go or lose a link by the request; `album` has the faces within its reach."""
    if request.kind not in (Kind.MERGE, Kind.LINK):
        return Company()
    ledger = read_ledger(past, album.merged())

    def may_be(who: PersonId) -> frozenset[PersonId]:
        root = ledger.root(who)
        faces = {*ledger.stand_ins(root), *anchors.get(root, ())}
        return frozenset({root, *(place.person_id for (_, face), place in album.places.items() if face in faces)})

    persons = [may_be(who) for who in request.persons]
    if request.kind is Kind.MERGE:
        return Company(persons[0], (persons[0], persons[1]))
    rivals = (who for who, link in album.links.items() if link.child_id == request.child and not link.confirmed)
    return Company(sides=(persons[0], frozenset(rivals)))


def reach_of_undoing(decisions: Sequence[Decision], mine: tuple[Decision, Correction]) -> Reach:
    """The faces that go back, with those that took their room."""
    decision, correction = mine
    placed = {*decision.request.faces, *(change.key[1] for change in correction.places)}
    others = {change.key for change in correction.excluded} | {change.key[0] for change in correction.facts}
    return Reach(frozenset(_spoken_of(decisions) | placed | others), frozenset(placed))


def company_of_undoing(correction: Correction) -> Company:
    """The persons that go."""
    return Company(frozenset(change.key for change in correction.persons if change.before is None))


def _spoken_of(decisions: Iterable[Decision]) -> set[FaceId]:
    """The faces that decisions in force name, and those that stand for their persons."""
    in_force = [one for one in decisions if one.undone_at is None]
    stand = {face for one in in_force for faces in one.anchors.values() for face in faces}
    return stand | {face for one in in_force for face in one.request.faces}
