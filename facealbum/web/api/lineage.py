"""Where faces, links and albums come from, and what models were used for."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.domain.lineage import AlbumLineage, FaceLineage, FamilyUse, LinkLineage, Uses
from facealbum.steps.lineage import trace_album, trace_face, trace_link
from facealbum.steps.uses import find_uses, list_faces_made
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Number
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1", tags=["lineage"], responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY))
_IDS = Keys(tuple[UUID])
_SEES_FACES, _SEES_FIGURES = requires(Right.SEE_FACES), requires(Right.SEE_FIGURES)


class UsesPage(BaseModel):
    """What a model was used for, and some of the families that ever had something of it."""

    uses: Uses
    items: list[FamilyUse]
    next: str | None = Field(examples=["WzQyXQ"])


@router.get("/families/{family_id}/faces/{face_id}/lineage", dependencies=[_SEES_FACES], summary="Where a face is from")
def face(family_id: UUID, face_id: UUID, world: World) -> FaceLineage:
    """Its photo, analysis, embeddings, runs, links and decisions, with the models, code and data behind each."""
    return trace_face(world, FamilyId(family_id), FaceId(face_id))


@router.get(
    "/families/{family_id}/persons/{person_id}/lineage", dependencies=[_SEES_FACES], summary="Where a link is from"
)
def link(family_id: UUID, person_id: UUID, world: World) -> LinkLineage:
    """Why the person is taken for a child: evidence, run and decisions."""
    return trace_link(world, FamilyId(family_id), PersonId(person_id))


@router.get(
    "/families/{family_id}/albums/{album_id}/lineage", dependencies=[_SEES_FACES], summary="Where an album is from"
)
def album(family_id: UUID, album_id: str, world: World) -> AlbumLineage:
    """The analyses, embeddings, runs, links and decisions behind the faces of those whom it shows."""
    return trace_album(world, FamilyId(family_id), album_id)


@router.get("/models/{model_id}/uses", dependencies=[_SEES_FIGURES], summary="What a model was used for")
def uses(model_id: Number, world: World, wanted: Paging) -> UsesPage:
    """Arms, runs, and the families that ever had something of it, by id, with what they have of it now."""
    keys = _IDS.read(wanted)
    found, families = find_uses(world, str(model_id), limit=wanted.limit + 1, after=keys[0] if keys else None)
    shown, after = _IDS.page(families, wanted, lambda one: (one.family_id,))
    return UsesPage(uses=found, items=list(shown), next=after)


@router.get("/families/{family_id}/lineage/faces", dependencies=[_SEES_FACES], summary="The faces of a model")
def faces(
    family_id: UUID,
    world: World,
    wanted: Paging,
    by: Annotated[str, Query(max_length=200, description="A model's id, `snapshot:DIGEST` or `code:VERSION`")],
) -> Page[UUID]:
    """The faces of the family that the model found or embedded, by id."""
    keys = _IDS.read(wanted)
    after = keys[0] if keys else None
    found = list_faces_made(world, FamilyId(family_id), by, limit=wanted.limit + 1, after=after)
    shown, then = _IDS.page(found, wanted, lambda one: (one,))
    return Page(items=list(shown), next=then)
