"""Undoing a decision: every row that it changed is again as it was before.

What runs did to these rows in between is undone with it.  Later decisions that built on the rows are not: as long
as there are any, undoing is refused and they are named.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias, TypeVar

from facealbum.corrections.conflict import find_conflict
from facealbum.corrections.decision import Decision
from facealbum.corrections.ledger import Ledger, read_ledger
from facealbum.corrections.state import Album, Change, Correction, Place, compare_albums
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, PersonId, PhotoId
from facealbum.domain.sentences import Sentence
from facealbum.errors import UndoError, UnknownDecisionError

Recorded: TypeAlias = tuple[Decision, Correction]
Key = TypeVar("Key")
Row = TypeVar("Row")
_OF_FACES_ALONE = (Kind.AGE, Kind.GENDER)  # true of a face whoever it is


def plan_undo(album: Album, decisions: Sequence[Recorded], number: int) -> Correction:
    """The rows that change so that decision `number` never was.

    decisions: all of the family; what those before this one changed isn't looked at.
    Raises UnknownDecisionError, and UndoError if it is undone already or later ones build on it.
    """
    mine = find_in_force(decisions, number)
    later = [one for one in decisions if one[0].number > number and one[0].undone_at is None]
    blocking = {one[0].number for one in later if _builds_on(album, one, mine)}
    left = [one for one, _ in decisions if one.number != number]
    after = _restore(album, mine, left)
    blocking |= set(find_conflict(read_ledger(left, after.merged())) or ())
    if blocking:
        named = ", ".join(f"{one.number} ({one.request.kind})" for one, _ in decisions if one.number in blocking)
        raise UndoError(
            f"decision {number} can't be undone while later ones build on it: {named}; undo those first",
            numbers=tuple(sorted(blocking)),
        )
    return compare_albums(album, after)


def find_in_force(decisions: Iterable[Recorded], number: int) -> Recorded:
    """The decision of this number; raises UnknownDecisionError, and UndoError if it is undone already."""
    found = next((one for one in decisions if one[0].number == number), None)
    if found is None:
        raise UnknownDecisionError(f"the family has no decision {number}; `facealbum decisions list` shows all")
    if found[0].undone_at is not None:
        raise UndoError(
            Sentence("decision %(number)s was undone already, by %(who)s", number=number, who=str(found[0].undone_by))
        )
    return found


def _builds_on(album: Album, later: Recorded, mine: Recorded) -> bool:
    """Whether the later one changed the same rows, names what these are about, or took or shared a room by our word."""
    (said, ours), (decision, its) = mine, later
    faces = {change.key for change in ours.excluded} | {change.key[1] for change in ours.places}
    named = set() if decision.request.kind in _OF_FACES_ALONE else set(decision.request.faces)
    persons = {change.key for change in ours.persons}
    homes = {change.before.person_id for change in ours.places if change.before}
    homes |= {change.key for change in ours.links}
    merges = {*decision.request.persons, *(change.key for change in its.persons)}
    merges = merges if decision.request.kind is Kind.MERGE else set()
    left = _rooms(album, ((change.key[1], change.before) for change in ours.places))
    came = _rooms(album, ((change.key[1], change.after) for change in its.places))
    moved = {change.key for change in ours.places}
    unmoved = {key for key in album.places.keys() - moved if key[1] in said.request.faces}
    stayed = _rooms(album, ((key[1], album.places[key]) for key in unmoved))
    return bool(
        ours.touched() & its.touched()
        or faces & named
        or persons & set(decision.request.persons)
        or homes & merges
        or (left | stayed) & came
    )


def _rooms(album: Album, places: Iterable[tuple[FaceId, Place | None]]) -> set[tuple[PersonId, PhotoId]]:
    """The person of each face, as whoever that is today, and the photo."""
    today = Ledger(album.merged()).root
    return {(today(one.person_id), album.faces[face].photo_id) for face, one in places if one and face in album.faces}


def _restore(album: Album, recorded: Recorded, left: Sequence[Decision]) -> Album:
    """The album with the rows as they were, as far as their faces and children are still there.

    Faces that a run has put into a person that was not there before, or into the room of one that comes back, wait.
    """
    decision, correction = recorded
    after = album.copy()
    _put_back(after.persons, correction.persons)
    _put_back(after.excluded, (change for change in correction.excluded if change.key in album.faces))
    _put_back(after.links, (one for one in correction.links if not one.before or one.before.child_id in album.children))
    _put_back(after.facts, (change for change in correction.facts if change.key[0] in album.faces))
    _put_back(after.places, (change for change in correction.places if change.key[1] in album.faces))
    ledger = read_ledger(left, after.merged())
    restored = {change.key for change in correction.places if change.before and change.key in after.places}
    for key in restored:
        after.places[key] = replace(after.places[key], person_id=ledger.root(after.places[key].person_id))
    _make_room(after, restored, ledger, since=decision.decided_at)
    after.places = {key: place for key, place in after.places.items() if place.person_id in after.persons}
    for person, row in list(after.persons.items()):
        if row.merged_into is not None and row.merged_into not in after.persons:
            after.persons[person] = replace(row, merged_into=None)
    after.links = {person: link for person, link in after.links.items() if person in after.persons}
    return after


def _make_room(after: Album, restored: Collection[tuple[int, FaceId]], ledger: Ledger, *, since: datetime) -> None:
    """Faces that came since into a photo where one is restored leave its person, with those that are the same."""
    rooms = {(after.places[key].person_id, after.faces[key[1]].photo_id) for key in restored}
    sure = ledger.sure_faces()
    for key, place in list(after.places.items()):
        crowded = (place.person_id, after.faces[key[1]].photo_id) in rooms and place.assigned_at >= since
        if key in restored or key[1] in sure or not crowded:
            continue
        for mate in {(key[0], face) for face in ledger.together(key[1])} - set(restored):
            if mate in after.places and after.places[mate].person_id == place.person_id:
                del after.places[mate]


def _put_back(rows: dict[Key, Row], changes: Iterable[Change[Key, Row]]) -> None:
    for change in changes:
        if change.before is None:
            rows.pop(change.key, None)
        else:
            rows[change.key] = change.before
