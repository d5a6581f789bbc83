"""What is said of a feature: whose it is, what its numbers are, and what it is computed from."""

from dataclasses import dataclass
from enum import StrEnum


class Entity(StrEnum):
    """Whom a feature is of."""

    FACE = "face"
    PERSON = "person"
    FAMILY_MONTH = "family-month"

    @property
    def keys(self) -> tuple[str, str]:
        """The columns that name one of them."""
        return "family_id", {"face": "face_id", "person": "person_id", "family-month": "month"}[self.value]


class Dtype(StrEnum):
    """What a value is; all but `BOOL` and `MOMENT` may be unknown."""

    BOOL = "bool"
    COUNT = "int64"
    SINGLE = "float32"
    DOUBLE = "float64"
    ID = "uuid"
    MOMENT = "timestamp"
    VECTOR = "float32[512]"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature; version: raised when its code changes what it gives.  source: the tables and code it is made of."""

    name: str
    entity: Entity
    dtype: Dtype
    unit: str
    description: str
    source: str
    version: int = 1
