"""What may be wrong with a person: how it would be split in two, and whom it may be one with."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.steps.suggestions import SimilarPerson, Why, similar_persons, suggest_split
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(
    prefix="/v1/families/{family_id}/persons/{person_id}", tags=["decisions"], dependencies=[requires(Right.SEE_FACES)]
)


class SuggestedSplit(BaseModel):
    """Faces that stay, and those that may be somebody else; none leave where users said that all are one.

    `similarity`: of the two sides, -1 to 1, the smaller the likelier two people; `asked`: from which on a run would
    take two groups for one.
    """

    model_config = ConfigDict(from_attributes=True)

    person_id: UUID
    stays: list[UUID]
    leaves: list[UUID]
    similarity: float | None = Field(examples=[0.08])
    asked: float = Field(examples=[0.26])


class Similar(BaseModel):
    """Somebody who may be the same person, how similar, and why the two are not one already."""

    person_id: UUID
    name: str | None = Field(examples=["Hana"])
    child: UUID | None
    faces: int = Field(examples=[24])
    similarity: float = Field(examples=[0.31])
    asked: float = Field(examples=[0.26])
    why: list[Why] = Field(examples=[["runs_keep_known_persons_apart"]])

    @classmethod
    def of(cls, found: SimilarPerson) -> Self:
        """As a step tells it."""
        return cls(
            person_id=found.person.person_id,
            name=found.person.name,
            child=found.person.child_id,
            faces=found.person.faces,
            similarity=found.similarity,
            asked=found.asked,
            why=list(found.why),
        )


class SimilarPersons(BaseModel):
    """Most similar first."""

    items: list[Similar]


@router.get("/split", responses=responses(), summary="How a person would be split")
def split(family_id: UUID, person_id: UUID, world: World) -> SuggestedSplit:
    """How the person's faces would fall into two; nothing is changed: decide `split` with the faces that leave."""
    return SuggestedSplit.model_validate(suggest_split(world, FamilyId(family_id), PersonId(person_id)))


@router.get("/similar", responses=responses(), summary="Who may be the same person")
def similar(
    family_id: UUID, person_id: UUID, world: World, limit: Annotated[int, Query(ge=1, le=50)] = 10
) -> SimilarPersons:
    """Who resembles the person most: decide `merge` if they are one, `different` if they aren't."""
    found = similar_persons(world, FamilyId(family_id), PersonId(person_id), limit=limit)
    return SimilarPersons(items=[Similar.of(one) for one in found])
