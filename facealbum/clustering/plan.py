"""What a clustering proposes: faces that join persons, found new ones or wait, and persons that turn out to be one.

A plan is a value in canonical order: equal inputs give equal plans, and equal plans equal JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from facealbum.domain.ids import FaceId, PersonId
from facealbum.errors import InvalidValueError


class LeaveReason(StrEnum):
    """Why a face still belongs to nobody."""

    ALONE = "alone"
    """Nobody is near enough."""
    POOR = "poor"
    """Too poor to found a group, and no group or person is near enough."""
    TOO_FEW = "too_few"
    """Its group has too few sound faces to be a person."""
    FORBIDDEN = "forbidden"
    """Somebody is near enough, but in the same photo, or ruled out by a user."""


class Bar(StrEnum):
    """What keeps two groups of faces apart, whatever they look like."""

    PHOTO = "photo"
    """Both are in one photo."""
    FACES = "faces"
    """A user, or a video that shows both at once, says that a face of each is somebody else."""
    PERSON = "person"
    """The same is said of a face and a person as a whole."""
    KNOWN = "known"
    """Both are known persons, and not linked to one child."""


@dataclass(frozen=True, slots=True)
class Barred:
    """Why two groups stay apart; `id` is the photo's, or that of a face or person on the other side."""

    bar: Bar
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Rival:
    """The nearest other group: a person, or None where it is a new one.  barred: why it was out of the question."""

    person_id: PersonId | None
    score: float
    barred: Barred | None = None


@dataclass(frozen=True, slots=True)
class Attach:
    """A face that joins a person.

    score: mean cosine similarity to the other sound faces that make up the person after this plan.
    nearest: the node of the person that is most similar, `similarity` to it.  rival: the nearest other group.
    """

    face_id: FaceId
    person_id: PersonId
    score: float
    nearest: FaceId
    similarity: float
    rival: Rival | None


@dataclass(frozen=True, slots=True)
class NewGroup:
    """Faces that become a new person.

    face_ids: sorted, the `founder` first.  scores and rivals: beside them, as in Attach.
    """

    founder: FaceId
    face_ids: tuple[FaceId, ...]
    scores: tuple[float, ...]
    rivals: tuple[Rival | None, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """A face that stays without a person and takes part again next time."""

    face_id: FaceId
    reason: LeaveReason
    rival: Rival | None = None


class MoveReason(StrEnum):
    """Why faces change their person."""

    SAME_CHILD = "same_child"
    """Both were linked to one child without a user's word, never met, and are not too far apart."""


@dataclass(frozen=True, slots=True)
class Move:
    """All faces of the person `source` join the person `target`; score: mean similarity of their nodes."""

    source: PersonId
    target: PersonId
    reason: MoveReason
    score: float


class Outcome(StrEnum):
    """What became of a provisional match."""

    CONFIRMED = "confirmed"
    MOVED = "moved"
    """To another person, known or new."""
    DROPPED = "dropped"
    """The face waits again."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A face that had been shown with the person since its analysis, and whether that was right."""

    face_id: FaceId
    provisional: PersonId
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Every face of the problem exactly once in attach, create or leave; each part sorted by its first id."""

    attach: tuple[Attach, ...] = ()
    create: tuple[NewGroup, ...] = ()
    leave: tuple[Leave, ...] = ()
    move: tuple[Move, ...] = ()
    settled: tuple[Settled, ...] = ()

    def about(self, face: FaceId) -> "ClusterPlan":
        """What it says of this face, with the group that it founds; empty if nothing."""
        return ClusterPlan(
            attach=tuple(one for one in self.attach if one.face_id == face),
            create=tuple(group for group in self.create if face in group.face_ids),
            leave=tuple(one for one in self.leave if one.face_id == face),
        )

    def mentioned(self) -> set[UUID]:
        """Every face, person and photo that it speaks of."""
        return set(_ids(astuple(self)))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        values: dict[str, Any] = _JSON.dump_python(self, mode="json")
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "ClusterPlan":
        """Read what `to_dict` gave; raises InvalidValueError if it is anything else."""
        try:
            return _JSON.validate_python(values)
        except ValidationError as error:
            raise InvalidValueError(f"a clustering plan must be as to_dict gives it: {error}") from error


_JSON = TypeAdapter(ClusterPlan)


def _ids(value: object) -> Iterator[UUID]:
    if isinstance(value, UUID):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _ids(part)
