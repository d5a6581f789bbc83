"""What a reviewer is asked, and which decisions each answer is."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from facealbum.corrections import Request
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId


class Asked(StrEnum):
    """The kinds of questions."""

    SAME = "same"
    """Are these two persons one?"""
    ONE = "one"
    """Is this person one, or are the two sides two people?"""
    BROKEN = "broken"
    """The same of a person whose pseudo-label broke: what happened to it?"""
    THEIRS = "theirs"
    """Are all these faces of the person, as they are shown?  They are its least sure ones."""
    JOINS = "joins"
    """Are all these faces, which wait, of the person?"""
    CHILD = "child"
    """Is this person the registered child?"""


class Answer(StrEnum):
    """What a reviewer may say."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


_OF_FACES = (Asked.THEIRS, Asked.JOINS)


@dataclass(frozen=True, slots=True)
class Question:
    """One question about a person.

    other: who may be the same, and stays if so.  child: whom it may be.  beside: faces to compare with, of `other`, of
    the child's persons, or of the person itself.  faces: those asked about.  part: all faces of the side that would be
    split off.  chance: that something has to change (that two are one, that a face joins, that one of them is wrong).
    settles: how many faces an answer is expected to put right.
    """

    kind: Asked
    person: PersonId
    faces: tuple[FaceId, ...]
    beside: tuple[FaceId, ...]
    chance: float
    settles: float
    other: PersonId | None = None
    child: ChildId | None = None
    part: tuple[FaceId, ...] = ()

    def identify(self, family: FamilyId) -> UUID:
        """By what is asked: the same as long as that is, whatever else changes in the family."""
        about = [self.person, *filter(None, (self.other, self.child))]
        about += sorted(self.faces) if self.kind in _OF_FACES else sorted(self.part)
        return uuid5(family, f"review/{self.kind}/{'/'.join(map(str, about))}")

    def requests(self, answer: Answer, wrong: Collection[FaceId] = ()) -> tuple[Request, ...]:
        """The answer as decisions; wrong: of the faces asked about, those that are not the person (all if empty)."""
        if answer is Answer.UNSURE:
            return ()
        yes = answer is Answer.YES
        match self.kind:
            case Asked.SAME:
                kind = Kind.MERGE if yes else Kind.DIFFERENT
                return (Request(kind, person=self.person, other=self.other),)
            case Asked.CHILD:
                return (Request(Kind.LINK if yes else Kind.UNLINK, person=self.person, child=self.child),)
            case Asked.ONE | Asked.BROKEN if not yes:
                return (Request(Kind.SPLIT, self.part, self.person),)
            case Asked.ONE | Asked.BROKEN:
                return (Request(Kind.CONFIRM, (*self.beside, *self.faces), self.person),)
        those = () if yes else tuple(face for face in self.faces if face in wrong) or self.faces
        rest = tuple(face for face in self.faces if face not in those)
        said = ((Kind.REJECT, those), (Kind.CONFIRM, rest))
        return tuple(Request(kind, faces, self.person) for kind, faces in said if faces)
