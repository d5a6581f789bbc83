"""What annotators are asked about, and what they may answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID, uuid5

from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId
from facealbum.errors import InvalidValueError


class Kind(StrEnum):
    """What one item of a sample is."""

    FACES = "faces"
    """Is this face the person of these other faces?"""
    PAIRS = "pairs"
    """Are these two faces one person?"""
    CLUSTERS = "clusters"
    """Which of these faces are not the person of the others?"""


class Answer(StrEnum):
    """`yes` says of a cluster that all its faces are one person."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    NOT_A_FACE = "not_a_face"


@dataclass(frozen=True, slots=True)
class Item:
    """One question, and the probability with which the draw had it in the sample.

    faces: of kind faces the one asked about, then up to REFERENCES others of its person; two of a pair; of a cluster
    those shown.  arm, person_id and child_id: whose, of faces and clusters.  together: the arms that hold a pair to be
    one person.  size: faces of the person, of a cluster.  decision: the family's decision that its labels became.
    """

    family_id: FamilyId
    item_id: UUID
    stratum: str
    probability: float
    faces: tuple[FaceId, ...]
    arm: str | None = None
    person_id: PersonId | None = None
    child_id: ChildId | None = None
    together: tuple[str, ...] = ()
    size: int = 1
    decision: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What one annotator says of an item; odd: the faces of a cluster that are somebody else, counted from 1."""

    item_id: UUID
    annotator: str
    answer: Answer
    odd: tuple[int, ...] = ()


def item_id(family: FamilyId, sample: str, arm: str | None, faces: Sequence[FaceId]) -> UUID:
    """The id of the sample's item about these faces."""
    return uuid5(family, f"item/{sample}/{arm or ''}/{'/'.join(map(str, faces))}")


def make_label(kind: Kind, item: Item, *, annotator: str, answer: str, odd: Sequence[int] = ()) -> Label:
    """The label, if this kind of item can have it; raises InvalidValueError."""
    if answer not in set(Answer):
        raise InvalidValueError(f"an answer must be one of {', '.join(Answer)}, got {answer!r}")
    if not annotator:
        raise InvalidValueError("a label must have an annotator, got none")
    said = Answer(answer)
    named = tuple(sorted(set(odd)))
    names_odd = kind is Kind.CLUSTERS and said is Answer.NO
    if names_odd != bool(named) or any(not 1 <= number <= len(item.faces) for number in named):
        raise InvalidValueError(
            f"the odd ones of a cluster go with the answer no, as numbers from 1 to {len(item.faces)}; "
            f"got {said} with {list(odd)}"
        )
    if kind is Kind.CLUSTERS and said is Answer.NOT_A_FACE:
        raise InvalidValueError("of a cluster, name what is no face among the odd ones, with the answer no")
    return Label(item.item_id, annotator, said, named)
