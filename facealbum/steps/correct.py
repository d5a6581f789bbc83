"""What a user may say of an album: decide, list, undo, and look up whom and what to name.

Programs name faces, persons and children by their ids.  People at a terminal name them by the beginning of the id, as
long as only one begins so; a child also by its name.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from facealbum.corrections import Correction, Decision, Request, check_name
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId
from facealbum.domain.people import Gender
from facealbum.errors import InvalidValueError, UnknownDecisionError
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import Record, apply_request, apply_undo, load_records
from facealbum.storage.families import load_children, load_families, load_family
from facealbum.storage.people import (
    NamedFace,
    NamedPerson,
    find_faces,
    find_persons,
    load_named_faces,
    load_named_persons,
    load_served_arm_id,
)
from facealbum.storage.runs import lock_family
from facealbum.storage.seen import Seen, expect_seen
from facealbum.storage.shown_decisions import load_latest_records

Id = TypeVar("Id")
LOCK_SECONDS = 10.0
"""How long a program waits for a family that is being worked on; a month of a usual family takes less than one."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a user says, by the beginnings of ids as they were typed."""

    kind: Kind
    faces: tuple[str, ...] = ()
    person: str | None = None
    other: str | None = None
    child: str | None = None
    name: str | None = None
    age: float | None = None
    gender: Gender | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A face whose person changes, under the arm that was decided about; None for nobody."""

    face_id: FaceId
    before: PersonId | None
    after: PersonId | None


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision for people: what it says, and how many rows it, or undoing it, changes or changed.

    new_person: whom a split made.  moved: the faces whose person changes.  faces_left: how many faces wait now that had
    a person before, under any arm.  faces_gone: how many of the faces it names are no longer there.  holds: whether it
    still says anything.
    """

    number: int
    kind: str
    author: str
    decided_at: datetime
    faces: tuple[FaceId, ...]
    person: PersonId | None
    other: PersonId | None
    child: ChildId | None
    name: str | None
    age: float | None
    gender: Gender | None
    new_person: PersonId | None
    changed: int
    moved: tuple[Moved, ...]
    faces_left: int
    faces_gone: int = 0
    holds: bool = True
    undone_at: datetime | None = None
    undone_by: str | None = None


def decide(context: Context, family: str, said: Said, *, author: str) -> Decided:
    """Record what the author says, and carry it out at once.

    Raises UnknownFamilyError, InvalidValueError if something named is not there, ContradictionError if earlier
    decisions rule it out.
    """
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        return record(transaction, one.family_id, said, author=author, now=context.clock())


def record(transaction: Transaction, family: FamilyId, said: Said, *, author: str, now: datetime) -> Decided:
    """The same in the caller's transaction, which an error leaves to be rolled back."""
    lock_family(transaction, family)
    arm_id = _arm_to_correct(transaction, family)
    request = _request(transaction, family, said)
    return _decided(*apply_request(transaction, family, request, arm_id=arm_id, author=author, now=now))


def decide_by_ids(
    context: Context, family: FamilyId, request: Request, *, author: str, seen: Seen | None = None
) -> Decided:
    """The same by full ids, for callers that wait no longer than LOCK_SECONDS.

    Raises UnknownFamilyError, UnknownFaceError, UnknownPersonError, UnknownChildError, InvalidValueError,
    ContradictionError, FamilyBusyError, and ChangedMeanwhileError if anything is not as the author has seen it.
    """
    check_name(request.name or "")
    with context.database.begin() as transaction:
        lock_family(transaction, family, wait_seconds=LOCK_SECONDS)
        load_family(transaction, family)
        arm_id = _arm_to_correct(transaction, family)
        if seen is not None:
            expect_seen(transaction, family, arm_id, seen)
        return _decided(*apply_request(transaction, family, request, arm_id=arm_id, author=author, now=context.clock()))


def undo(context: Context, family: str, number: int, *, author: str) -> int:
    """Take a decision back; tells how many rows changed.

    Raises UnknownFamilyError, UnknownDecisionError, UndoError.
    """
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        lock_family(transaction, one.family_id)
        return _decided(*apply_undo(transaction, one.family_id, number, author=author, now=context.clock())).changed


def undo_by_id(context: Context, family: FamilyId, number: int, *, author: str) -> Decided:
    """The same by full id, and the decision with what undoing it changed; raises FamilyBusyError, too."""
    with context.database.begin() as transaction:
        lock_family(transaction, family, wait_seconds=LOCK_SECONDS)
        load_family(transaction, family)
        return _decided(*apply_undo(transaction, family, number, author=author, now=context.clock()))


def list_decisions(context: Context, family: str) -> list[Decided]:
    """Every decision of the family, undone ones and those whose faces are gone too; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        return [_told(record) for record in load_records(transaction, one.family_id)]


def latest_decisions(
    context: Context,
    family: FamilyId,
    *,
    limit: int,
    before: int | None = None,
    person: PersonId | None = None,
    numbers: Collection[int] | None = None,
) -> list[Decided]:
    """Decisions, newest first: with numbers below `before`, about this person, or of these numbers alone.

    Raises UnknownFamilyError.
    """
    with context.database.begin() as transaction:
        load_family(transaction, family)
        found = load_latest_records(transaction, family, limit=limit, before=before, person=person, numbers=numbers)
    return [_told(record) for record in found]


def decision_by_number(context: Context, family: FamilyId, number: int) -> tuple[Decided, Correction]:
    """A decision and every row that it changed; raises UnknownFamilyError, UnknownDecisionError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        found = load_latest_records(transaction, family, limit=1, numbers=[number])
    if not found:
        raise UnknownDecisionError(f"the family has no decision {number}")
    return _told(found[0]), found[0].correction


def list_persons(context: Context, family: str) -> list[NamedPerson]:
    """Every person of the family that has faces, those with most faces first; raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        return load_named_persons(transaction, one.family_id, load_served_arm_id(transaction, one.family_id))


def list_faces(
    context: Context, family: str, person: str | None = None, *, photo: str | None = None
) -> list[NamedFace]:
    """The faces of one person, or those that belong to nobody, or all of one photo, oldest first.

    Raises UnknownFamilyError, and InvalidValueError if there is no such person.
    """
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        who = None if person is None else _person(transaction, one.family_id, person)
        return load_named_faces(
            transaction, one.family_id, load_served_arm_id(transaction, one.family_id), who, photo=photo
        )


def find_face(context: Context, family: str, beginning: str) -> FaceId:
    """The only face of the family whose id begins so; raises UnknownFamilyError and InvalidValueError."""
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        return _the_one("face", beginning, find_faces(transaction, one.family_id, beginning))


def find_person(context: Context, family: str, beginning: str) -> PersonId:
    """The only person of the family whose id begins so; raises UnknownFamilyError and InvalidValueError."""
    with context.database.begin() as transaction:
        (one,) = load_families(transaction, family)
        return _person(transaction, one.family_id, beginning)


def _arm_to_correct(transaction: Transaction, family: FamilyId) -> int:
    arm_id = load_served_arm_id(transaction, family)
    if arm_id is None:
        raise InvalidValueError("nothing was clustered yet, so there is nothing to correct; run `facealbum cluster`")
    return arm_id


def _request(transaction: Transaction, family: FamilyId, said: Said) -> Request:
    return Request(
        said.kind,
        tuple(_the_one("face", face, find_faces(transaction, family, face)) for face in said.faces),
        None if said.person is None else _person(transaction, family, said.person),
        None if said.other is None else _person(transaction, family, said.other),
        None if said.child is None else _child(transaction, family, said.child),
        said.name,
        said.age,
        said.gender,
    )


def _person(transaction: Transaction, family: FamilyId, beginning: str) -> PersonId:
    return _the_one("person", beginning, find_persons(transaction, family, beginning))


def _child(transaction: Transaction, family: FamilyId, told: str) -> ChildId:
    children = load_children(transaction, family)
    named = [child.child_id for child in children if child.name == told]
    return _the_one("child", told, named or [one.child_id for one in children if str(one.child_id).startswith(told)])


def _the_one(what: str, told: str, found: Sequence[Id]) -> Id:
    if len(found) != 1:
        raise InvalidValueError(
            f"{told!r} begins the id of {'more than one' if found else 'no'} {what} of the family;"
            " `facealbum persons list` and `persons faces` show them"
        )
    return found[0]


def _told(record: Record) -> Decided:
    return replace(
        _decided(record.decision, record.correction),
        faces_gone=record.faces_gone,
        holds=not record.over and record.decision.undone_at is None,
    )


def _decided(decision: Decision, correction: Correction) -> Decided:
    request = decision.request
    return Decided(
        number=decision.number,
        kind=request.kind.value,
        author=decision.author,
        decided_at=decision.decided_at,
        faces=request.faces,
        person=request.person,
        other=request.other,
        child=request.child,
        name=request.name,
        age=request.age,
        gender=request.gender,
        new_person=decision.new_person if request.kind is Kind.SPLIT else None,
        changed=len(correction.touched()),
        moved=tuple(_moves(correction, decision.arm_id)),
        faces_left=sum(change.after is None for change in correction.places),
        holds=decision.undone_at is None,
        undone_at=decision.undone_at,
        undone_by=decision.undone_by,
    )


def _moves(correction: Correction, arm_id: int) -> Iterator[Moved]:
    for change in correction.places:
        arm, face = change.key
        before, after = (None if place is None else place.person_id for place in (change.before, change.after))
        if arm == arm_id and before != after:
            yield Moved(face, before, after)
