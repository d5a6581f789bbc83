"""What users' decisions demand of the next run of an arm, and what they say of its persons."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from facealbum.clustering import Constraints
from facealbum.corrections.anchors import find_person
from facealbum.corrections.ledger import Ledger, One
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId


@dataclass(frozen=True, slots=True)
class PersonWords:
    """What users said of the persons of one arm.

    names, hidden: of those who have a name or are hidden.  children: whom a user said each is.  not_children: whom
    a user said each is not.
    """

    names: Mapping[PersonId, str] = field(default_factory=dict)
    hidden: frozenset[PersonId] = frozenset()
    children: Mapping[PersonId, ChildId] = field(default_factory=dict)
    not_children: Mapping[PersonId, frozenset[ChildId]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArmWords:
    """The decisions in force as one arm has to read them.

    person_of: whom the faces that decisions are about belong to; a face that is still to be settled is left out.
    """

    ledger: Ledger
    arm_id: int
    person_of: Mapping[FaceId, PersonId]

    def find(self, who: PersonId) -> PersonId | None:
        """Who the person, as a user named it, is under this arm."""
        return find_person(self.ledger, who, self.person_of, arm_id=self.arm_id)


@dataclass(frozen=True, slots=True)
class Demands:
    """What the decisions demand of one run.

    withheld: faces that a user said are a person of whom this run knows nothing yet, or whom their photo shows
    already under this arm; they wait for a later run.
    """

    constraints: Constraints
    withheld: frozenset[FaceId]


def constrain_decisions(
    words: ArmWords,
    faces: Mapping[FaceId, PhotoId],
    node_of: Mapping[PersonId, FaceId],
    photos_of: Mapping[PersonId, Collection[PhotoId]],
) -> Demands:
    """The decisions as constraints on the run's faces, given with their photos.

    node_of: a node of each person that has any.  photos_of: all that show it.  A face that has its person already is
    spoken of as that person; a face that only stands for somebody never brings that one into a photo twice.
    """
    must: set[tuple[FaceId, FaceId]] = set()
    cannot: set[tuple[FaceId, FaceId]] = set()
    rejected: set[tuple[FaceId, PersonId]] = set()
    withheld: set[FaceId] = set()
    present = {*faces, *node_of.values()}
    holder = {node: person for person, node in node_of.items()}
    for told, hubs in _told(words, node_of):
        waiting = [face for face in told if face in faces]
        shown = {faces[face] for face in waiting}
        fit = (one for one in hubs if one in waiting or _photos(words, one, faces).isdisjoint(shown))
        hub = next((one for one in fit if one in present), None)
        person = None if hub is None else holder.get(hub)
        for face in waiting:
            there = person is not None and faces[face] in photos_of.get(person, ())
            if hub is None or (there and not _said_here(words, face, person)):
                withheld.add(face)
            elif face != hub:
                must.add((min(face, hub), max(face, hub)))
    for group in _merged(words, faces, node_of, photos_of):
        must.update((min(face, group[0]), max(face, group[0])) for face in group[1:])
    for one, other in _apart(words, faces):
        cannot.update((min(pair), max(pair)) for pair in product(one.faces, other.faces) if pair[0] != pair[1])
        rejected.update(product(one.faces, other.persons))
        rejected.update(product(other.faces, one.persons))
    return Demands(Constraints(frozenset(must), frozenset(cannot), frozenset(rejected)), frozenset(withheld))


def outrank(told: Constraints, found: Constraints) -> Constraints:
    """What users told and what the tracks of videos found; where the two differ, the users are right."""
    return Constraints(
        told.must_link | found.must_link,
        told.cannot_link | (found.cannot_link - told.must_link),
        told.rejected | found.rejected,
    )


def kept_persons(words: ArmWords) -> frozenset[PersonId]:
    """The persons of the arm that decisions are about; an algorithm never has them join another."""
    faces = {one for word in words.ledger.words.values() for one in (word.one, word.other)}
    held = {words.person_of.get(FaceId(one)) for one in faces}
    return frozenset({words.find(who) for who in words.ledger.homes} | held) - {None}  # type: ignore[return-value]


def describe_persons(words: ArmWords) -> PersonWords:
    """What the decisions say of the arm's persons; where two are one here, the later word counts."""
    names: dict[PersonId, str] = {}
    hidden: set[PersonId] = set()
    children: dict[PersonId, ChildId] = {}
    not_children: dict[PersonId, set[ChildId]] = defaultdict(set)
    ledger = words.ledger
    for named in ledger.names:
        if (person := words.find(named)) is not None and (name := ledger.name(ledger.root(named))) is not None:
            names[person] = name
    for named, hides in ledger.hidden.items():
        if (person := words.find(named)) is not None and named not in ledger.merged:
            (hidden.add if hides else hidden.discard)(person)
    for word in sorted(ledger.children.values(), key=lambda word: word.number):
        if (person := words.find(word.person)) is None:
            continue
        if word.same:
            children[person] = word.child
            not_children[person].discard(word.child)
        else:
            not_children[person].add(word.child)
            children = {one: child for one, child in children.items() if (one, child) != (person, word.child)}
    ruled_out = {person: frozenset(ruled) for person, ruled in not_children.items() if ruled}
    return PersonWords(names, frozenset(hidden), children, ruled_out)


@dataclass(frozen=True, slots=True)
class _Side:
    """One of two that are two people: faces without a person, and persons of the arm."""

    faces: tuple[FaceId, ...]
    persons: frozenset[PersonId]


def _told(words: ArmWords, node_of: Mapping[PersonId, FaceId]) -> Iterator[tuple[Sequence[FaceId], Sequence[FaceId]]]:
    """Faces that users said are one person, with those that may stand for it, the best first."""
    members: dict[One, list[One]] = defaultdict(list)
    ledger = words.ledger
    for one, first in ledger.parts().items():
        members[first].append(one)
    for group in members.values():
        faces = sorted(FaceId(one) for one in group if one not in ledger.homes)
        persons = sorted(PersonId(one) for one in group if one in ledger.homes)
        holders = [words.find(who) for who in persons] + [words.person_of.get(face) for face in faces]
        others = [face for who in persons for face in ledger.stand_ins(who) if face not in faces]
        yield faces, _nodes(holders, node_of) or others or faces


def _said_here(words: ArmWords, face: FaceId, person: PersonId | None) -> bool:
    """Whether a user said that the face is this very person of the arm, or the same as one of its faces."""
    group = words.ledger.together(face)
    return any(words.person_of.get(one) == person for one in group) or any(
        same and who == person for who, same in words.ledger.persons_of(group)
    )


def _merged(
    words: ArmWords,
    faces: Mapping[FaceId, PhotoId],
    node_of: Mapping[PersonId, FaceId],
    photos_of: Mapping[PersonId, Collection[PhotoId]],
) -> Iterator[list[FaceId]]:
    """Faces that stand for persons who were merged under another arm, each photo once, after the node of who it is."""
    ledger = words.ledger
    for root in {ledger.root(kept) for _, kept in ledger.merges}:
        if ledger.homes[root] == words.arm_id:
            continue
        person = words.find(root)
        group = _nodes([person], node_of)
        shown = set() if person is None else set(photos_of.get(person, ()))
        for face in ledger.stand_ins(root):
            its = _photos(words, face, faces)
            if face in faces and its.isdisjoint(shown):
                group.append(face)
                shown |= its
        yield group


def _photos(words: ArmWords, face: FaceId, faces: Mapping[FaceId, PhotoId]) -> set[PhotoId]:
    """Where the face, and those that are the same, bring whomever they join, as far as they take part in the run."""
    return {faces[one] for one in words.ledger.together(face) if one in faces}


def _nodes(persons: Iterable[PersonId | None], node_of: Mapping[PersonId, FaceId]) -> list[FaceId]:
    return [node_of[person] for person in persons if person is not None and person in node_of]


def _apart(words: ArmWords, faces: Collection[FaceId]) -> Iterator[tuple[_Side, _Side]]:
    for word in words.ledger.words.values():
        if not word.same:
            yield _side(words, word.one, faces), _side(words, word.other, faces)


def _side(words: ArmWords, one: One, faces: Collection[FaceId]) -> _Side:
    ledger = words.ledger
    if one in ledger.homes:
        person = words.find(PersonId(one))
        at_home = ledger.homes[PersonId(one)] == words.arm_id
        group = [] if at_home else ledger.stand_ins(PersonId(one))
        held = set() if person is None else {person}
    else:
        group = ledger.together(FaceId(one))
        held = {words.person_of[face] for face in group if face in words.person_of}
    return _Side(tuple(face for face in group if face in faces), frozenset(held))
