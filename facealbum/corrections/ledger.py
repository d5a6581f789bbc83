"""What holds by the decisions that are not undone: the last word on each pair.

A later word on the same pair takes the place of the earlier one, and a face that is confirmed for a person is no
longer confirmed for another.  Decisions are few, so everything is plain dictionaries, rebuilt whenever asked.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from facealbum.corrections.decision import Decision, Request
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, PersonId

One: TypeAlias = FaceId | PersonId
"""A face or a person; the ids of the two never meet."""


@dataclass(frozen=True, slots=True)
class Word:
    """Two are one, or two are two people, as the decision of this number says."""

    one: One
    other: One
    same: bool
    number: int


@dataclass(frozen=True, slots=True)
class ChildWord:
    """The person is the child, or is not."""

    person: PersonId
    child: ChildId
    same: bool
    number: int


@dataclass(slots=True)
class Ledger:
    """The decisions in force; persons stand as the ones they were merged into.

    merged: person -> the one it was merged into, by a user or a run.  homes: the arm of each person named.
    words and children: by the two that they are about; of: the words on each.  merges, names (the last at the end),
    hidden and anchors (faces that stand for a person): by persons as they were named.  excluded: what is no face.
    """

    merged: Mapping[PersonId, PersonId] = field(default_factory=dict)
    homes: dict[PersonId, int] = field(default_factory=dict)
    words: dict[frozenset[One], Word] = field(default_factory=dict)
    of: dict[One, list[Word]] = field(default_factory=lambda: defaultdict(list))
    children: dict[tuple[PersonId, ChildId], ChildWord] = field(default_factory=dict)
    merges: list[tuple[PersonId, PersonId]] = field(default_factory=list)
    names: dict[PersonId, str | None] = field(default_factory=dict)
    hidden: dict[PersonId, bool] = field(default_factory=dict)
    anchors: dict[PersonId, dict[FaceId, None]] = field(default_factory=lambda: defaultdict(dict))
    excluded: set[FaceId] = field(default_factory=set)

    def root(self, person: PersonId) -> PersonId:
        """Whom the person was merged into, over any number of steps."""
        while person in self.merged:
            person = self.merged[person]
        return person

    def said_of(self, one: One) -> list[tuple[One, bool]]:
        """With whom it was said to be one, or not."""
        return [(word.other if word.one == one else word.one, word.same) for word in self.of[one]]

    def persons_of(self, faces: Iterable[FaceId]) -> list[tuple[PersonId, bool]]:
        """The persons that these faces were said to be, or not to be."""
        return [(PersonId(who), same) for face in faces for who, same in self.said_of(face) if who in self.homes]

    def faces_of(self, one: One, *, same: bool) -> list[FaceId]:
        """The faces that were said to be the person or the face, or not to be it, sorted."""
        return sorted(FaceId(face) for face, said in self.said_of(one) if said == same and face not in self.homes)

    def together(self, face: FaceId) -> list[FaceId]:
        """The face and all that were said to be the same, over any number of steps, sorted."""
        found, todo = {face}, [face]
        while todo:
            mates = set(self.faces_of(todo.pop(), same=True)) - found
            found |= mates
            todo += mates
        return sorted(found)

    def apart(self, face: FaceId) -> set[FaceId]:
        """The faces that were said to be somebody else than this one."""
        told = {other for one in self.together(face) for other in self.faces_of(one, same=False)}
        return {one for other in told for one in self.together(other)}

    def faces(self) -> set[FaceId]:
        """All that anything was said of, but for what is no face."""
        return {FaceId(one) for word in self.words.values() for one in (word.one, word.other) if one not in self.homes}

    def sure_faces(self) -> set[FaceId]:
        """The faces that were said to be a person, and those that are the same as they."""
        told = {face for who in self.homes for face in self.faces_of(who, same=True)}
        return {one for face in told for one in self.together(face)}

    def stand_ins(self, person: PersonId) -> list[FaceId]:
        """The faces that stand for the person under any arm: those said to be it, then its anchors."""
        own = [one for face in self.faces_of(person, same=True) for one in self.together(face)]
        anchors = [face for named, faces in self.anchors.items() if self.root(named) == person for face in faces]
        free = [face for face in anchors if all(same == (who == person) for who, same in self.persons_of([face]))]
        return [face for face in dict.fromkeys([*own, *free]) if face not in self.excluded]

    def parts(self) -> dict[One, One]:
        """For all that were said to be one, over any number of steps, the same one of them."""
        return connect(self.words.values())

    def name(self, person: PersonId) -> str | None:
        """Its own last name, else the last one of a person that was merged into it."""
        inherited = [name for named, name in self.names.items() if self.root(named) == person]
        return self.names[person] if person in self.names else next(reversed(inherited), None)


def connect(words: Iterable[Word]) -> dict[One, One]:
    """For all that these words say are one, over any number of steps, the same one of them."""
    part: dict[One, One] = {}
    ways = ways_of(words)
    for start in ways:
        todo = [] if start in part else [start]
        while todo:
            one = todo.pop()
            part[one] = start
            todo += [other for other, _ in ways[one] if other not in part]
    return part


def ways_of(words: Iterable[Word]) -> dict[One, list[tuple[One, int]]]:
    """From each face or person to those it was said to be, with the decision that said so."""
    ways: dict[One, list[tuple[One, int]]] = defaultdict(list)
    for word in words:
        if word.same:
            ways[word.one].append((word.other, word.number))
            ways[word.other].append((word.one, word.number))
    return ways


def read_ledger(decisions: Iterable[Decision], merged: Mapping[PersonId, PersonId]) -> Ledger:
    """The ledger of the decisions that are not undone, taken by their numbers."""
    ledger = Ledger(merged)
    for decision in sorted(decisions, key=lambda one: one.number):
        if decision.undone_at is None:
            _enter(ledger, decision)
    for word in ledger.words.values():
        ledger.of[word.one].append(word)
        ledger.of[word.other].append(word)
    return ledger


def _enter(ledger: Ledger, decision: Decision) -> None:
    request, number = decision.request, decision.number
    persons = [ledger.root(person) for person in request.persons]
    if request.kind is Kind.SPLIT:
        persons.append(ledger.root(decision.new_person))
    for person in (*decision.anchors, *persons):
        ledger.homes[person] = decision.arm_id
    for named, faces in decision.anchors.items():
        ledger.anchors[named] = dict.fromkeys([*faces, *ledger.anchors[named]])
    for word in _words(request.kind, list(request.faces), persons, number):
        if word.one != word.other:  # the persons of a merge that was carried out are one
            _say(ledger, word)
    if request.kind is Kind.NOT_A_FACE:
        ledger.excluded |= set(request.faces)
    elif request.child is not None:
        _say_child(ledger, ChildWord(persons[0], request.child, request.kind is Kind.LINK, number))
    elif persons:
        _note(ledger, request)


def _note(ledger: Ledger, request: Request) -> None:
    """What was said of persons as they were named."""
    person = request.persons[0]
    if request.kind is Kind.MERGE:
        ledger.merges.append((person, request.persons[1]))
    elif request.kind is Kind.NAME:
        ledger.names.pop(person, None)
        ledger.names[person] = request.name
    elif request.kind in (Kind.HIDE, Kind.UNHIDE):
        ledger.hidden[person] = request.kind is Kind.HIDE


def _words(kind: Kind, faces: list[FaceId], persons: list[PersonId], number: int) -> Iterator[Word]:
    """What a decision says of pairs."""
    if kind is Kind.CONFIRM:
        yield from (Word(face, persons[0], same=True, number=number) for face in faces)
    elif kind is Kind.REJECT:
        yield from (Word(face, persons[0], same=False, number=number) for face in faces)
    elif kind is Kind.MOVE:
        yield from (Word(face, persons[0], same=False, number=number) for face in faces)
        yield from (Word(face, persons[1], same=True, number=number) for face in faces)
    elif kind is Kind.SPLIT:
        yield Word(persons[0], persons[1], same=False, number=number)
        yield from (Word(face, persons[1], same=True, number=number) for face in faces)
    elif kind in (Kind.SAME, Kind.DIFFERENT, Kind.MERGE):
        one, other = faces or persons
        yield Word(one, other, same=kind is not Kind.DIFFERENT, number=number)


def _say(ledger: Ledger, word: Word) -> None:
    """The last word on two; a face is one person of an arm at most."""
    if word.same and word.other in ledger.homes and word.one not in ledger.homes:
        arm_id = ledger.homes[PersonId(word.other)]
        for pair, earlier in list(ledger.words.items()):
            if earlier.same and earlier.one == word.one and ledger.homes.get(PersonId(earlier.other)) == arm_id:
                del ledger.words[pair]
    ledger.words[frozenset((word.one, word.other))] = word


def _say_child(ledger: Ledger, word: ChildWord) -> None:
    """The last word on a person and a child; a person is one child at most."""
    if word.same:
        for key, earlier in list(ledger.children.items()):
            if earlier.same and earlier.person == word.person:
                del ledger.children[key]
    ledger.children[word.person, word.child] = word
