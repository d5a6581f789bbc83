"""What travels through the queues: ids only, as JSON, with the version of the message's form.

Each queue has one message type; a task parses its message on its first line.  Every form that a queue may still hold
stays readable: the samples in tests/golden/messages are what that is held against.  A message is written in the
oldest form that can say it, so that workers of the release before read it too while a new release is rolled out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

from facealbum.domain.ids import BatchId, FamilyId
from facealbum.domain.months import Month
from facealbum.errors import BadMessageError, UnknownVersionError

NO_FAMILY = FamilyId(UUID(int=0))
"""Stands for the family where a message is about none, or can't be read."""


class Message(Protocol):
    """What every message type has; `family_id` is NO_FAMILY where it is about none."""

    QUEUE: ClassVar[str]

    @property
    def family_id(self) -> FamilyId:
        """Whom it is about."""
        ...

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        ...


@dataclass(frozen=True, slots=True)
class AnalyzeFamily:
    """Analyse what is pending in this family; `again` also what other models analysed, and what failed."""

    QUEUE: ClassVar = "analysis"
    family_id: FamilyId
    again: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        plain = {"version": 1, "family_id": str(self.family_id)}
        return plain | {"version": 2, "again": True} if self.again else plain

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        given = _fields(message, {1: {"family_id"}, 2: {"family_id", "again"}})
        return cls(_family(given), given.get("again", False) is True)


@dataclass(frozen=True, slots=True)
class MatchFamily:
    """Show the family's new faces with the people it knows."""

    QUEUE: ClassVar = "matching"
    family_id: FamilyId

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"version": 1, "family_id": str(self.family_id)}

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        return cls(_family(_fields(message, {1: {"family_id"}})))


@dataclass(frozen=True, slots=True)
class ClusterFamily:
    """Run every month of this family up to `through` that isn't done; `batch_id`: as a part of this monthly job."""

    QUEUE: ClassVar = "clustering"
    family_id: FamilyId
    through: Month
    batch_id: BatchId | None = None

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        plain = {"version": 1, "family_id": str(self.family_id), "through": str(self.through)}
        return plain | ({"version": 2, "batch_id": str(self.batch_id)} if self.batch_id else {})

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        given = _fields(message, {1: {"family_id", "through"}, 2: {"family_id", "through", "batch_id"}})
        try:
            month = Month.parse(str(given["through"]))
        except ValueError as error:
            raise BadMessageError("`through` of a message must be a month such as 2026-10") from error
        return cls(_family(given), month, _batch(given) if "batch_id" in given else None)


@dataclass(frozen=True, slots=True)
class EvaluateBatch:
    """Sum up this monthly job: each of its families has ended."""

    QUEUE: ClassVar = "evaluation"
    family_id: ClassVar = NO_FAMILY
    batch_id: BatchId

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"version": 1, "batch_id": str(self.batch_id)}

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        return cls(_batch(_fields(message, {1: {"batch_id"}})))


@dataclass(frozen=True, slots=True)
class RelayOutbox:
    """Send what waits in the outbox."""

    QUEUE: ClassVar = "maintenance"
    family_id: ClassVar = NO_FAMILY

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"version": 1}

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        _fields(message, {1: set()})
        return cls()


def family_of(message: object) -> FamilyId:
    """Whom a message is about that may be of any form, or no message at all; NO_FAMILY if it doesn't say."""
    try:
        return FamilyId(UUID(message["family_id"])) if isinstance(message, Mapping) else NO_FAMILY
    except (KeyError, ValueError, TypeError, AttributeError):
        return NO_FAMILY


def _fields(message: object, forms: Mapping[int, set[str]]) -> Mapping[str, Any]:
    """The message, if it has exactly the fields of its version's form; a wrong one is told without its values."""
    if not isinstance(message, Mapping) or not isinstance(version := message.get("version"), int):
        raise BadMessageError(f"a message must be an object with a version, got {type(message).__name__}")
    if version not in forms:
        raise UnknownVersionError(f"this release reads the versions {sorted(forms)} of the message, got {version}")
    if set(message) != {"version", *forms[version]}:
        raise BadMessageError(f"version {version} of the message has the fields {sorted(forms[version])} and no other")
    return message


def _family(given: Mapping[str, Any]) -> FamilyId:
    family = family_of(given)
    if family == NO_FAMILY:
        raise BadMessageError("`family_id` of a message must be the UUID of a family")
    return family


def _batch(given: Mapping[str, Any]) -> BatchId:
    try:
        return BatchId(UUID(given["batch_id"]))
    except (ValueError, TypeError, AttributeError) as error:
        raise BadMessageError("`batch_id` of a message must be the UUID of a monthly job") from error
