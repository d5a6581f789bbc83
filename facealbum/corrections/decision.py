"""What a user says, and the decision that is kept of it.

A person is known under one arm only, so a decision keeps `anchors`: faces that stood for each person it names
when it was made.  By them it means the same people under every other arm, algorithm and model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from unicodedata import category

from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, DecisionId, FaceId, PersonId, split_person_id
from facealbum.domain.people import Gender
from facealbum.domain.sentences import Number, Sentence, Term
from facealbum.errors import InvalidValueError

_NOTHING: tuple[object, ...] = (None, (), "")

NEEDS: Mapping[Kind, frozenset[str]] = {
    Kind.CONFIRM: frozenset({"faces", "person"}),
    Kind.REJECT: frozenset({"faces", "person"}),
    Kind.MOVE: frozenset({"faces", "person", "other"}),
    Kind.SPLIT: frozenset({"faces", "person"}),
    Kind.MERGE: frozenset({"person", "other"}),
    Kind.SAME: frozenset({"faces"}),
    Kind.LINK: frozenset({"person", "child"}),
    Kind.UNLINK: frozenset({"person", "child"}),
    Kind.HIDE: frozenset({"person"}),
    Kind.UNHIDE: frozenset({"person"}),
    Kind.NOT_A_FACE: frozenset({"faces"}),
}
"""What each kind is about; `CHOICES` are of those that have a choice."""

CHOICES: Mapping[Kind, tuple[frozenset[str], ...]] = {
    Kind.NAME: (frozenset({"person", "name"}), frozenset({"person"})),
    Kind.DIFFERENT: (frozenset({"faces"}), frozenset({"person", "other"})),
    Kind.AGE: (frozenset({"faces", "age"}), frozenset({"faces"})),
    Kind.GENDER: (frozenset({"faces", "gender"}), frozenset({"faces"})),
}

LONGEST_NAME = 200
OLDEST = 120.0
"""Years; nobody is said to be older."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a user says.

    other: the person that the faces move to, that the person is merged into, or that is different from it.
    age: in years when the photo was taken.
    """

    kind: Kind
    faces: tuple[FaceId, ...] = ()
    person: PersonId | None = None
    other: PersonId | None = None
    child: ChildId | None = None
    name: str | None = None
    age: float | None = None
    gender: Gender | None = None

    def __post_init__(self) -> None:
        given = {one.name for one in fields(self) if one.name != "kind" and getattr(self, one.name) not in _NOTHING}
        wanted = CHOICES[self.kind] if self.kind in CHOICES else (NEEDS[self.kind],)
        if given not in wanted:
            choices = " or ".join(sorted(", ".join(sorted(parts)) for parts in wanted))
            raise InvalidValueError(f"{self.kind} needs exactly {choices}, got {', '.join(sorted(given)) or 'nothing'}")
        kind = Term(self.kind.value)
        pair = self.kind in (Kind.SAME, Kind.DIFFERENT) and self.faces
        if len(set(self.faces)) != len(self.faces) or (pair and len(self.faces) != 2):  # noqa: PLR2004 - two
            two, some = (
                Sentence("%(kind)s needs two different faces", kind=kind),
                Sentence("%(kind)s needs different faces", kind=kind),
            )
            raise InvalidValueError(two if pair else some)
        if self.person is not None and self.person == self.other:
            raise InvalidValueError(Sentence("%(kind)s needs two persons", kind=kind))
        if self.age is not None and not 0 <= self.age <= OLDEST:
            raise InvalidValueError(
                Sentence(
                    "an age must be %(least)s to %(most)s years, got %(age)s",
                    least=0,
                    most=int(OLDEST),
                    age=Number(self.age, 1),
                )
            )
        if self.gender is Gender.UNKNOWN:
            raise InvalidValueError("a gender must be female or male; leave it out where the models are wrong")

    @property
    def persons(self) -> tuple[PersonId, ...]:
        """The persons that it names."""
        return tuple(person for person in (self.person, self.other) if person is not None)


def check_name(name: str) -> None:
    """Raise InvalidValueError for what can't be a name; of what is on record, only new names are asked this."""
    if len(name) > LONGEST_NAME or any(category(one) in {"Cc", "Cs"} for one in name):
        raise InvalidValueError(
            Sentence("a name must have up to %(most)s characters, and none that controls a terminal", most=LONGEST_NAME)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A request as it was recorded.

    number: counts the family's decisions from 1.  arm_id: whose persons it names.  anchors: of each of them up to
    ANCHORS faces, the best first.
    """

    decision_id: DecisionId
    number: int
    arm_id: int
    request: Request
    author: str
    decided_at: datetime
    anchors: Mapping[PersonId, tuple[FaceId, ...]] = field(default_factory=dict)
    undone_at: datetime | None = None
    undone_by: str | None = None

    @property
    def new_person(self) -> PersonId:
        """The person that a split makes."""
        return split_person_id(self.decision_id)
