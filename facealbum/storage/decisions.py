"""Users' decisions: recording, undoing, and what they mean for the runs of an arm.

Whatever writes here does so in the caller's transaction, under `lock_family`.  A decision on faces that are gone,
with their photo or because another detector no longer finds them, stays on record, but says nothing any more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Text,
    case,
    cast,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, array, insert

from facealbum.corrections import (
    Album,
    Anchors,
    ArmWords,
    Correction,
    Decision,
    Demands,
    Ledger,
    PersonWords,
    Request,
    Signature,
    company_of_request,
    company_of_undoing,
    constrain_decisions,
    describe_persons,
    find_in_force,
    kept_persons,
    plan_correction,
    plan_undo,
    reach_of_request,
    reach_of_undoing,
    read_ledger,
)
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, DecisionId, FaceId, FamilyId, PersonId, PhotoId, decision_id
from facealbum.domain.months import Month
from facealbum.errors import UndoError
from facealbum.storage.corrections import add_company, add_reach, load_anchors, load_people, save_correction
from facealbum.storage.schema import assignments, decisions, faces, links, persons

_REQUEST = TypeAdapter(Request)
_ANCHORS = TypeAdapter(dict[PersonId, tuple[FaceId, ...]])
_CORRECTION = TypeAdapter(Correction)
_PAIRED = (Kind.SAME, Kind.DIFFERENT)


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as it was made.

    faces_gone: how many of the faces that it names are no longer there.  over: it says nothing without them.
    """

    decision: Decision
    correction: Correction
    faces_gone: int
    over: bool


def apply_request(
    connection: Connection, family: FamilyId, request: Request, *, arm_id: int, author: str, now: datetime
) -> tuple[Decision, Correction]:
    """Record what a user says and carry it out; raises InvalidValueError and ContradictionError.

    arm_id: of the persons it names, and where it names none, whose persons the user sees.
    """
    album, past = load_people(connection, family), load_past(connection, family)
    query = select(func.coalesce(func.max(decisions.c.number), 0)).where(decisions.c.family_id == family)
    number = connection.execute(query).scalar_one() + 1
    home = next((album.persons[who].arm_id for who in request.persons if who in album.persons), arm_id)
    signed = Signature(decision_id(family, number), number, home, author, now)
    anchors = _anchors(connection, family, album, request)
    add_reach(connection, family, album, reach_of_request(past, request, anchors))
    add_company(connection, family, album, company_of_request(album, past, request, anchors))
    decision, correction = plan_correction(album, past, request, signed=signed, anchors=anchors)
    connection.execute(
        insert(decisions).values(
            family_id=family,
            decision_id=decision.decision_id,
            number=number,
            arm_id=home,
            kind=decision.request.kind.value,
            subject=_REQUEST.dump_python(decision.request, mode="json"),
            anchors=_ANCHORS.dump_python(dict(decision.anchors), mode="json"),
            correction=_CORRECTION.dump_python(correction, mode="json"),
            author=author,
            decided_at=now,
        )
    )
    save_correction(connection, family, correction)
    return decision, correction


def apply_undo(
    connection: Connection, family: FamilyId, number: int, *, author: str, now: datetime
) -> tuple[Decision, Correction]:
    """Take a decision back, so that all its rows are as they were before; raises UnknownDecisionError, UndoError."""
    if any(one.over for one in load_records(connection, family, decisions.c.number == number)):
        raise UndoError(f"decision {number} says nothing any more, as its faces are gone; there is nothing to undo")
    recorded = _load_recorded(connection, family, since=number)
    mine, album = find_in_force(recorded, number), load_people(connection, family)
    add_reach(connection, family, album, reach_of_undoing([decision for decision, _ in recorded], mine))
    add_company(connection, family, album, company_of_undoing(mine[1]))
    correction = plan_undo(album, recorded, number)
    connection.execute(
        update(decisions)
        .where(decisions.c.family_id == family, decisions.c.number == number)
        .values(undone_at=now, undone_by=author)
    )
    save_correction(connection, family, correction)
    return replace(mine[0], undone_at=now, undone_by=author), correction


def load_past(connection: Connection, family: FamilyId) -> list[Decision]:
    """Every decision whose faces are still there, undone ones too, by number."""
    rows = _rows(connection, family)
    known = _known_faces(connection, family, rows)
    return [decision for row in rows if (decision := _decision(row, known)) is not None]


def load_records(connection: Connection, family: FamilyId, *where: ColumnElement[bool]) -> list[Record]:
    """Every decision ever made of which this holds, by number."""
    rows = _rows(connection, family, decisions.c.correction, where=where)
    known = _known_faces(connection, family, rows)
    return [
        Record(
            _as_recorded(row),
            _CORRECTION.validate_python(row.correction),
            faces_gone=sum(UUID(face) not in known for face in row.subject["faces"]),
            over=_decision(row, known) is None,
        )
        for row in rows
    ]


def rename_faces(connection: Connection, family: FamilyId, heirs: Mapping[FaceId, FaceId]) -> None:
    """Have all decisions speak of these faces by their new ids: in what they say, changed, and would put back.

    An id occurs nowhere but as itself, and no new one is among the old, so that renaming is replacing text.
    """
    parts = (decisions.c.subject, decisions.c.anchors, decisions.c.correction)
    pairs = [(str(old), str(new)) for old, new in heirs.items()]
    speaks = or_(*(cast(part, Text).contains(old) for part in parts for old, _ in pairs))
    connection.execute(
        update(decisions)
        .where(decisions.c.family_id == family, speaks)
        .values({part: _replaced(part, pairs) for part in parts})
    )


def repeat_facts(connection: Connection, family: FamilyId, found: Collection[FaceId]) -> None:
    """Have these faces be what decisions in force say of them alone, as if each had been said again."""
    speaks = decisions.c.subject["faces"].has_any(array([str(face) for face in found]))
    facts = decisions.c.kind.in_([Kind.NOT_A_FACE.value, Kind.AGE.value, Kind.GENDER.value])
    in_force = (speaks, facts, decisions.c.undone_at.is_(None))
    for row in _rows(connection, family, decisions.c.correction, where=in_force):
        whole = _CORRECTION.validate_python(row.correction)
        excluded = tuple(change for change in whole.excluded if change.key in found)
        told = tuple(change for change in whole.facts if change.key[0] in found)
        save_correction(connection, family, Correction(excluded=excluded, facts=told))


def load_words(connection: Connection, family: FamilyId, arm_id: int) -> ArmWords:
    """The decisions in force as this arm has to read them."""
    rows = [row for row in _rows(connection, family) if row.undone_at is None]
    if not rows:
        return ArmWords(Ledger(), arm_id, {})
    known = _known_faces(connection, family, rows)
    merged = select(persons.c.person_id, persons.c.merged_into).where(
        persons.c.family_id == family, persons.c.merged_into.is_not(None)
    )
    held = select(assignments.c.face_id, assignments.c.person_id).where(
        assignments.c.family_id == family,
        assignments.c.arm_id == arm_id,
        assignments.c.state == "confirmed",
        assignments.c.face_id.in_(known),
    )
    found = (_decision(row, known) for row in rows)
    return ArmWords(
        read_ledger(
            (one for one in found if one), {row.person_id: row.merged_into for row in connection.execute(merged)}
        ),
        arm_id,
        {row.face_id: row.person_id for row in connection.execute(held)},
    )


def load_demands(
    connection: Connection,
    family: FamilyId,
    arm_id: int,
    *,
    faces: Mapping[FaceId, PhotoId],
    node_of: Mapping[PersonId, FaceId],
    photos_of: Mapping[PersonId, Collection[PhotoId]],
) -> tuple[Demands, frozenset[PersonId]]:
    """What decisions demand of a run on these faces, given with their photos, and the persons that they are about.

    node_of: a node of each person that has any.  photos_of: all that show it.
    """
    words = load_words(connection, family, arm_id)
    return constrain_decisions(words, faces, node_of, photos_of), kept_persons(words)


def load_person_words(connection: Connection, family: FamilyId, arm_id: int) -> PersonWords:
    """What users said of the arm's persons, in whichever arm they said it."""
    return describe_persons(load_words(connection, family, arm_id))


def apply_person_words(connection: Connection, family: FamilyId, arm_id: int, *, now: datetime) -> None:
    """Give the arm's persons the names, the hiding and the children that users gave them, and no others.

    To be called after each run: persons of this run may be whom a user named under another arm.
    """
    if not _rows(connection, family):
        return
    words = load_person_words(connection, family, arm_id)
    query = select(persons).where(persons.c.family_id == family, persons.c.arm_id == arm_id)
    for row in connection.execute(query).all():
        said = {"name": words.names.get(row.person_id), "hidden": row.person_id in words.hidden}
        if (row.name, row.hidden) != (said["name"], said["hidden"]) and row.merged_into is None:
            mine = (persons.c.family_id == family) & (persons.c.person_id == row.person_id)
            connection.execute(update(persons).where(mine).values(**said))
    _confirm_links(connection, family, arm_id, words.children, now=now)


def load_decision_marks(connection: Connection, family: FamilyId, month: Month) -> list[str]:
    """What a run of the month depends on: the decisions whose newest face is of that month, and whether they hold.

    A decision is about the faces that it names or moves, or else about the anchors of its persons.  Undoing it
    changes its mark, so the month runs again.
    """
    moved = func.jsonb_path_query_array(decisions.c.correction, "$.places[*].key[1]").label("moved")
    about = {}
    for row in _rows(connection, family, moved):
        anchors = [face for faces_of in row.anchors.values() for face in faces_of]
        about[f"{row.number}{'' if row.undone_at is None else ' undone'}"] = {
            *row.subject["faces"],
            *row.moved,
        } or anchors
    everything = {UUID(face) for named in about.values() for face in named}
    query = select(faces.c.face_id, faces.c.taken_at).where(
        faces.c.family_id == family, faces.c.face_id.in_(everything)
    )
    taken = {str(row.face_id): row.taken_at for row in connection.execute(query)} if everything else {}
    newest = {
        mark: max((taken[face] for face in named if face in taken), default=None) for mark, named in about.items()
    }
    return [mark for mark, moment in newest.items() if moment is not None and Month.of(moment) == month]


def _load_recorded(connection: Connection, family: FamilyId, *, since: int) -> list[tuple[Decision, Correction]]:
    """The same with what each changed, of those before `since` nothing, which may be long."""
    changed = case((decisions.c.number >= since, decisions.c.correction), else_=cast({}, JSONB)).label("correction")
    rows = _rows(connection, family, changed)
    known = _known_faces(connection, family, rows)
    return [
        (decision, _CORRECTION.validate_python(row.correction))
        for row in rows
        if (decision := _decision(row, known)) is not None
    ]


def _anchors(connection: Connection, family: FamilyId, album: Album, request: Request) -> Anchors:
    """Of each person that the request leads to."""
    root = Ledger(album.merged()).root
    known = [root(who) for who in request.persons if who in album.persons]
    return {
        who: load_anchors(connection, family, album.persons[who].arm_id, who, without=request.faces) for who in known
    }


def _replaced(part: Column[Any], pairs: Iterable[tuple[str, str]]) -> ColumnElement[Any]:
    told: ColumnElement[Any] = cast(part, Text)
    for old, new in pairs:
        told = func.replace(told, old, new)
    return cast(told, JSONB)


def _rows(
    connection: Connection, family: FamilyId, *more: ColumnElement[Any], where: Iterable[ColumnElement[bool]] = ()
) -> Sequence[Row[Any]]:
    """Decisions by number, and `more` of each; what it changed may be long, and is read only if asked for."""
    short = [column for column in decisions.c if column.name != "correction"]
    query = select(*short, *more).where(decisions.c.family_id == family, *where).order_by(decisions.c.number)
    return connection.execute(query).all()


def _known_faces(connection: Connection, family: FamilyId, rows: Iterable[Row[Any]]) -> set[FaceId]:
    """The faces that decisions are about and that are still there."""
    about = {face for row in rows for named in (row.subject["faces"], *row.anchors.values()) for face in named}
    query = select(faces.c.face_id).where(faces.c.family_id == family, faces.c.face_id.in_(about))
    return {FaceId(row.face_id) for row in connection.execute(query)}


def _decision(row: Row[Any], known: set[FaceId]) -> Decision | None:
    """The decision without the faces that are gone; None if it says nothing without them."""
    whole = _as_recorded(row)
    named = whole.request.faces
    left = tuple(face for face in named if face in known)
    if named and (not left or (row.kind in _PAIRED and left != named)):
        return None
    return replace(
        whole,
        request=replace(whole.request, faces=left),
        anchors={person: tuple(face for face in of if face in known) for person, of in whole.anchors.items()},
    )


def _as_recorded(row: Row[Any]) -> Decision:
    return Decision(
        DecisionId(row.decision_id),
        row.number,
        row.arm_id,
        _REQUEST.validate_python(row.subject),
        row.author,
        row.decided_at,
        _ANCHORS.validate_python(row.anchors),
        row.undone_at,
        row.undone_by,
    )


def _confirm_links(
    connection: Connection, family: FamilyId, arm_id: int, said: Mapping[PersonId, ChildId], *, now: datetime
) -> None:
    """The links that users gave the arm's persons are there and marked, and no others are marked."""
    of_arm = select(persons.c.person_id).where(persons.c.family_id == family, persons.c.arm_id == arm_id)
    mine = (links.c.family_id == family) & links.c.person_id.in_(of_arm)
    connection.execute(update(links).where(mine, links.c.confirmed).values(confirmed=False))
    for person, child in said.items():
        statement = insert(links).values(
            family_id=family,
            person_id=person,
            child_id=child,
            probability=1.0,
            evidence={},
            confirmed=True,
            linked_at=now,
        )
        update_ = {"confirmed": True, "child_id": child}
        connection.execute(statement.on_conflict_do_update(index_elements=["family_id", "person_id"], set_=update_))
