"""From what a user says to the rows that change.

Pure: nothing is written.  A decision takes effect at once under every arm: at home on the persons it names,
elsewhere on whoever holds most of the faces that stand for them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from facealbum.corrections.anchors import choose_anchors
from facealbum.corrections.conflict import find_conflict
from facealbum.corrections.decision import Decision, Request
from facealbum.corrections.draft import Draft
from facealbum.corrections.ledger import read_ledger
from facealbum.corrections.reach import Anchors
from facealbum.corrections.state import Album, Correction, compare_albums
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import DecisionId, PersonId
from facealbum.domain.people import Gender
from facealbum.domain.sentences import Sentence
from facealbum.errors import (
    ContradictionError,
    InvalidValueError,
    UnknownChildError,
    UnknownFaceError,
    UnknownPersonError,
)

_P_FEMALE = {Gender.FEMALE: 1.0, Gender.MALE: 0.0, None: None}


@dataclass(frozen=True, slots=True)
class Signature:
    """Under which number, for the persons of which arm, by whom and when something is decided."""

    decision_id: DecisionId
    number: int
    arm_id: int
    author: str
    decided_at: datetime


def plan_correction(
    album: Album, past: Sequence[Decision], request: Request, *, signed: Signature, anchors: Anchors | None = None
) -> tuple[Decision, Correction]:
    """The decision to record and the rows that it changes.

    past: every decision of the family, undone ones included.  Persons are followed to whom they were merged into.
    anchors: of whom that leads to, where the album has only the faces within reach; chosen from it if left out.
    Raises UnknownFaceError, UnknownPersonError and UnknownChildError, InvalidValueError if the faces are not what the
    kind needs, ContradictionError if earlier decisions rule it out.
    """
    _check(album, request, signed.arm_id)
    request = _follow(album, past, request)
    places = [album.places.get((signed.arm_id, face)) for face in request.faces]
    held = {place and place.person_id for place in places}
    if request.kind is Kind.SPLIT and held != {request.person}:
        raise InvalidValueError(Sentence("a split needs faces of one person, and not all of these are of it"))
    decision = Decision(
        signed.decision_id,
        signed.number,
        signed.arm_id,
        request,
        signed.author,
        signed.decided_at,
        {
            person: choose_anchors(album, person, without=request.faces) if anchors is None else tuple(anchors[person])
            for person in request.persons
        },
    )
    after = album.copy()
    ledger = read_ledger([*past, decision], album.merged())
    if conflict := find_conflict(ledger):
        raise _contradiction([*past, decision], set(conflict) - {decision.number})
    for arm_id in sorted({row.arm_id for row in album.persons.values()} | {signed.arm_id}):
        _carry_out(Draft(after, ledger, arm_id, now=signed.decided_at), decision)
    return decision, compare_albums(album, after)


def _check(album: Album, request: Request, arm_id: int) -> None:
    """Everything named is there, in one arm."""
    for face in request.faces:
        if face not in album.faces:
            raise UnknownFaceError(f"the family has no face {face}")
    for who in request.persons:
        if who not in album.persons or album.persons[who].arm_id != arm_id:
            raise UnknownPersonError(f"the family has no person {who} under the arm that is decided about")
    if request.child is not None and request.child not in album.children:
        raise UnknownChildError(f"the family has no child {request.child}")
    excluded = [str(face) for face in request.faces if face in album.excluded]
    if excluded:
        said = Sentence("%(face)s was said to be no face; undo that decision first", face=excluded[0])
        raise InvalidValueError(said)


def _follow(album: Album, past: Sequence[Decision], request: Request) -> Request:
    """The request about the persons that these were merged into."""
    ledger = read_ledger(past, album.merged())
    person, other = (None if who is None else ledger.root(who) for who in (request.person, request.other))
    if person is not None and person == other:
        merges = {one.number for one in past if one.undone_at is None and one.request.kind is Kind.MERGE}
        about = {one.number for one in past if {request.person, request.other} & set(one.request.persons)}
        raise _contradiction(past, merges & about)
    return replace(request, person=person, other=other)


def _contradiction(decisions: Iterable[Decision], numbers: set[int]) -> ContradictionError:
    named = [f"{one.number} ({one.request.kind})" for one in decisions if one.number in numbers]
    return ContradictionError(
        f"earlier decisions say otherwise: {', '.join(named)}; undo one of them first, or leave this out",
        numbers=tuple(sorted(numbers)),
    )


def _carry_out(draft: Draft, decision: Decision) -> None:
    """What the decision changes under one arm."""
    request = decision.request
    person, other = (None if who is None else draft.find(who) for who in (request.person, request.other))
    if request.faces:
        _settle_faces(draft, decision, person, other)
    elif request.kind is Kind.MERGE and person is not None and other is not None and person != other:
        draft.merge(person, other)
    elif request.kind is Kind.DIFFERENT and draft.arm_id != decision.arm_id:
        draft.separate(*request.persons)
    elif person is not None:
        _describe(draft, request, person)


def _settle_faces(draft: Draft, decision: Decision, person: PersonId | None, other: PersonId | None) -> None:
    faces = decision.request.faces
    match decision.request.kind:
        case Kind.CONFIRM:
            draft.put(faces, person)
        case Kind.MOVE:
            draft.take(faces, person)
            draft.put(faces, other)
        case Kind.SPLIT if draft.arm_id == decision.arm_id:
            draft.add_person(decision.new_person)
            draft.put(faces, decision.new_person)
        case Kind.REJECT | Kind.SPLIT:
            draft.take(faces, person)
        case Kind.DIFFERENT:
            draft.part(*faces)
        case Kind.SAME:
            draft.join(*faces)
        case Kind.NOT_A_FACE:
            draft.exclude(faces)
        case Kind.AGE:
            draft.tell(faces, Kind.AGE, decision.request.age)
        case Kind.GENDER:
            draft.tell(faces, Kind.GENDER, _P_FEMALE[decision.request.gender])


def _describe(draft: Draft, request: Request, person: PersonId) -> None:
    match request.kind:
        case Kind.NAME:
            draft.call(person, request.name)
        case Kind.HIDE | Kind.UNHIDE:
            draft.hide(person, hidden=request.kind is Kind.HIDE)
        case Kind.LINK if request.child is not None:
            draft.link(person, request.child)
        case Kind.UNLINK if request.child is not None:
            draft.unlink(person, request.child)
