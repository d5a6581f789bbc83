"""Named features: what there are, and those of one family, now or as they were known."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FamilyId
from facealbum.features import FEATURES, Dtype, Entity, find_features
from facealbum.steps.features import Asked, page_features
from facealbum.web.api.bodies import Moment
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import OfArm, Shown
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1", tags=["features"])
_BY_NAME, _BY_KEY = Keys(tuple[str, str]), Keys(tuple[str])


class Definition(Shown):
    """A feature; version: raised when its code changes what it gives."""

    name: str = Field(examples=["age"])
    entity: Entity
    dtype: Dtype
    unit: str = Field(examples=["years"])
    description: str
    source: str = Field(examples=["faces"])
    version: int = Field(examples=[1])


class Described(BaseModel):
    """The values of one face, person or month; key: its id, or the month.  Null is unknown."""

    key: str = Field(examples=["69082a1e-6bec-5491-9b15-ca664bc2920a"])
    values: dict[str, bool | int | float | datetime | UUID | None]


@router.get(
    "/features", dependencies=[requires(Right.SEE_FIGURES)], responses=responses(), summary="What features there are"
)
def list_features(wanted: Paging) -> Page[Definition]:
    """List every feature with its version."""
    rows, following = _BY_NAME.part(FEATURES, wanted, lambda one: (one.entity, one.name))
    return Page(items=[Definition.model_validate(one) for one in rows], next=following)


@router.get(
    "/families/{family_id}/features",
    dependencies=[requires(Right.SEE_FACES)],
    responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY),
    summary="Features of a family",
)
def list_family_features(
    family_id: UUID,
    world: World,
    wanted: Paging,
    entity: Annotated[Entity, Query(description="Whose")] = Entity.FACE,
    as_of: Annotated[Moment | None, Query(description="As known then; without it now")] = None,
    arm: OfArm = None,
) -> Page[Described]:
    """List the features of a family's faces, persons or months, by id or month; all but embeddings."""
    names = [one.name for one in find_features(entity) if one.dtype is not Dtype.VECTOR]
    (after,) = _BY_KEY.read(wanted) or (None,)
    asked = Asked(entity, names, as_of.astimezone(UTC) if as_of else None, arm)
    found = page_features(world, FamilyId(family_id), asked, after=after, limit=wanted.limit + 1)
    rows, following = _BY_KEY.page(found, wanted, lambda one: (one.key,))
    return Page(items=[Described.model_validate(one, from_attributes=True) for one in rows], next=following)
