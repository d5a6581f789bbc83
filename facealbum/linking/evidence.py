"""What is known of a person before it is linked: the ages and genders that its faces show."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from facealbum.domain.ids import ChildId, FaceId, PersonId


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """One face: estimated age in years, P(female) and quality, 0 to 1, and when the photo was taken.

    told_age, told_female: whether a user said so; None is then that the models are wrong.
    face_id: None of a face that is stored nowhere.
    """

    taken_at: datetime
    age: float | None
    p_female: float | None
    quality: float
    told_age: bool = False
    told_female: bool = False
    face_id: FaceId | None = None


@dataclass(frozen=True, slots=True)
class PersonEvidence:
    """One person.

    meets: persons who are in at least one photo together with this one.
    linked: the child that an earlier run or a user linked.  rejected_children: those a user has ruled out.
    confirmed: whether a user linked it or agreed to it.
    """

    person_id: PersonId
    faces: tuple[FaceEvidence, ...]
    meets: frozenset[PersonId] = frozenset()
    linked: ChildId | None = None
    rejected_children: frozenset[ChildId] = frozenset()
    confirmed: bool = False

    def afresh(self) -> Self:
        """The person as if no run had linked it; what users said stays."""
        return self if self.confirmed else replace(self, linked=None)
