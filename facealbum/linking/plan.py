"""What linking proposes: persons that are registered children, and persons of whom that stays open."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from facealbum.domain.ids import ChildId, PersonId
from facealbum.linking.attribution import Attribution


class OpenReason(StrEnum):
    """Why a person is linked to no child."""

    NO_CHILDREN = "no_children"
    """The family registered no child."""
    NO_FACES = "no_faces"
    """The person has no face to judge by."""
    SOMEBODY_ELSE = "somebody_else"
    """Most likely an adult or another child."""
    UNSURE = "unsure"
    """One child is the likeliest, but not likely enough."""
    AMBIGUOUS = "ambiguous"
    """Two children explain the faces about equally well, such as twins."""
    TAKEN = "taken"
    """The likeliest child belongs to a person who is in a photo together with this one."""


@dataclass(frozen=True, slots=True)
class Link:
    """A person that is a registered child.

    faces: how many were judged.  age_error: mean over them of the estimated age minus the child's age at the
    photo's date, years.  p_female: their mean.  kept: whether the link was there before.
    inputs: what drove it; None where a user's word alone does, and in plans of releases that didn't tell.
    """

    person_id: PersonId
    child_id: ChildId
    probability: float
    faces: int
    age_error: float
    p_female: float
    kept: bool
    inputs: Attribution | None = None


@dataclass(frozen=True, slots=True)
class OpenPerson:
    """A person that is linked to nobody; `child_id` is the likeliest child, where there is one."""

    person_id: PersonId
    reason: OpenReason
    child_id: ChildId | None
    probability: float


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """Every person exactly once, each part sorted by person id."""

    links: tuple[Link, ...] = ()
    open: tuple[OpenPerson, ...] = ()

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """As JSON values."""
        return {
            "links": [
                {
                    "person": str(link.person_id),
                    "child": str(link.child_id),
                    "probability": link.probability,
                    "faces": link.faces,
                    "age_error": link.age_error,
                    "p_female": link.p_female,
                    "kept": link.kept,
                    "inputs": link.inputs.to_dict() if link.inputs else None,
                }
                for link in self.links
            ],
            "open": [
                {
                    "person": str(one.person_id),
                    "reason": str(one.reason),
                    "child": None if one.child_id is None else str(one.child_id),
                    "probability": one.probability,
                }
                for one in self.open
            ],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(
            links=tuple(
                Link(
                    PersonId(UUID(link["person"])),
                    ChildId(UUID(link["child"])),
                    link["probability"],
                    link["faces"],
                    link["age_error"],
                    link["p_female"],
                    link["kept"],
                    Attribution.from_dict(link["inputs"]) if link.get("inputs") else None,
                )
                for link in values["links"]
            ),
            open=tuple(
                OpenPerson(
                    PersonId(UUID(one["person"])),
                    OpenReason(one["reason"]),
                    None if one["child"] is None else ChildId(UUID(one["child"])),
                    one["probability"],
                )
                for one in values["open"]
            ),
        )
