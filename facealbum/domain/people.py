"""Registered children and what they are called by."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from facealbum.domain.ids import ChildId


class Gender(StrEnum):
    """As the family registered it."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Child:
    """A registered child: name, birth date and gender come from the family."""

    child_id: ChildId
    name: str
    birth_date: date
    gender: Gender
