"""What travels through the queues: ids only, as JSON, with the version of the message's form.

A task parses its message on its first line.  Old forms stay readable as long as a queue may hold one; the samples in
tests/golden/messages are what "readable" is held against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError


def _fields(message: Mapping[str, Any], version: int, *names: str) -> list[str]:
    """The message's fields, if it is of this form; raises InvalidValueError otherwise."""
    if message.get("version") != version or set(message) != {"version", *names}:
        raise InvalidValueError(f"a message must have version {version} and {names}, got the fields {sorted(message)}")
    return [str(message[name]) for name in names]


@dataclass(frozen=True, slots=True)
class AnalyzeFamily:
    """Analyse what is pending in this family."""

    VERSION: ClassVar = 1
    family_id: FamilyId

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"version": self.VERSION, "family_id": str(self.family_id)}

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises InvalidValueError if it is no such message."""
        (family,) = _fields(message, cls.VERSION, "family_id")
        return cls(FamilyId(UUID(family)))


@dataclass(frozen=True, slots=True)
class ClusterFamily:
    """Run every month of this family up to `through` that isn't done."""

    VERSION: ClassVar = 1
    family_id: FamilyId
    through: Month

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"version": self.VERSION, "family_id": str(self.family_id), "through": str(self.through)}

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises InvalidValueError if it is no such message."""
        family, through = _fields(message, cls.VERSION, "family_id", "through")
        return cls(FamilyId(UUID(family)), Month.parse(through))
