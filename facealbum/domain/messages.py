"""What travels through the queues: ids only, as JSON, with the version of the message's form.

Each queue has one message type; a task parses its message on its first line.  Every form that a queue may still hold
stays readable: the samples in tests/golden/messages are what that is held against.  A message is written in the
oldest form that can say it, so that workers of the release before read it too while a new release is rolled out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self
from uuid import UUID

from facealbum.domain.ids import BatchId, FamilyId, PhotoId
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
    """Analyse these photos of the family, as far as they are pending; without any, everything that is pending.

    `again`, without photos: also what other models analysed, and what failed.
    """

    QUEUE: ClassVar = "analysis"
    family_id: FamilyId
    again: bool = False
    photo_ids: tuple[PhotoId, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        plain = {"version": 1, "family_id": str(self.family_id)}
        if self.photo_ids:
            return plain | {"version": 3, "photo_ids": [str(one) for one in self.photo_ids]}
        return plain | {"version": 2, "again": True} if self.again else plain

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        given = _fields(message, {1: {"family_id"}, 2: {"family_id", "again"}, 3: {"family_id", "photo_ids"}})
        photos = _photos(given["photo_ids"]) if given["version"] == 3 else ()  # noqa: PLR2004 - the form
        return cls(_family(given), given.get("again", False) is True, photos)


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
class Maintain:
    """Do a job that is due by the clock; workers/maintenance.py tells which there are."""

    QUEUE: ClassVar = "maintenance"
    family_id: ClassVar = NO_FAMILY
    job: str = "relay"

    def to_json(self) -> dict[str, Any]:
        """As it travels."""
        return {"version": 1} if self.job == "relay" else {"version": 2, "job": self.job}

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Self:
        """Read a message; raises BadMessageError, UnknownVersionError if it is of a newer release."""
        job = _fields(message, {1: set(), 2: {"job"}}).get("job", "relay")
        if not isinstance(job, str):
            raise BadMessageError(f"`job` of a message must be text, got {type(job).__name__}")
        return cls(job)


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


def _photos(given: object) -> tuple[PhotoId, ...]:
    try:
        photos = tuple(PhotoId(UUID(one)) for one in given) if isinstance(given, list) else ()
    except (ValueError, TypeError, AttributeError):
        photos = ()
    if not photos:
        raise BadMessageError("`photo_ids` of a message must be a list of UUIDs, of one at least")
    return photos
