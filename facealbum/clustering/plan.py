"""What a clustering proposes: faces that join persons, groups that become persons, faces that wait.

A plan is a value in canonical order: equal inputs give equal plans, and equal plans equal JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from facealbum.domain.ids import FaceId, PersonId


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


@dataclass(frozen=True, slots=True)
class Attach:
    """A face that joins a person.

    score: mean cosine similarity to the other sound faces that make up the person after this plan.
    nearest: the one of them that is most similar.  runner_up: the best score with any other person or group.
    """

    face_id: FaceId
    person_id: PersonId
    score: float
    nearest: FaceId
    runner_up: float | None


@dataclass(frozen=True, slots=True)
class NewGroup:
    """Faces that become a new person.

    face_ids: sorted, the `founder` first.  scores: beside them, as in Attach.
    """

    founder: FaceId
    face_ids: tuple[FaceId, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """A face that stays without a person and takes part again next time."""

    face_id: FaceId
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Every face of the problem exactly once, each part sorted by face id."""

    attach: tuple[Attach, ...] = ()
    create: tuple[NewGroup, ...] = ()
    leave: tuple[Leave, ...] = ()

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """As JSON values."""
        return {
            "attach": [
                {
                    "face": str(a.face_id),
                    "person": str(a.person_id),
                    "score": a.score,
                    "nearest": str(a.nearest),
                    "runner_up": a.runner_up,
                }
                for a in self.attach
            ],
            "create": [{"faces": [str(f) for f in g.face_ids], "scores": list(g.scores)} for g in self.create],
            "leave": [{"face": str(one.face_id), "reason": str(one.reason)} for one in self.leave],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(
            attach=tuple(
                Attach(
                    _face(a["face"]),
                    PersonId(UUID(a["person"])),
                    a["score"],
                    _face(a["nearest"]),
                    a["runner_up"],
                )
                for a in values["attach"]
            ),
            create=tuple(
                NewGroup(_face(g["faces"][0]), tuple(map(_face, g["faces"])), tuple(g["scores"]))
                for g in values["create"]
            ),
            leave=tuple(Leave(_face(one["face"]), LeaveReason(one["reason"])) for one in values["leave"]),
        )


def _face(text: str) -> FaceId:
    return FaceId(UUID(text))
