"""Where faces, links and albums come from, and what models were used for."""

from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.ids import FaceId, FamilyId, PersonId
from facealbum.domain.lineage import AlbumLineage, FaceLineage, FamilyUse, LinkLineage, Uses
from facealbum.domain.prov import MEDIA_TYPE, write_prov
from facealbum.steps.lineage import trace_album, trace_face, trace_link
from facealbum.steps.uses import find_uses, list_faces_made
from facealbum.web.accept import prefers
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Number
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1", tags=["lineage"], responses=responses(HTTPStatus.UNPROCESSABLE_ENTITY))
_IDS = Keys(tuple[UUID])
_OURS = "application/json"
_Found = TypeVar("_Found", FaceLineage, LinkLineage, AlbumLineage)
_PROV: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}}
Form = Annotated[
    Literal["json", "prov-json"] | None,
    Query(
        alias="format",
        description=f"`prov-json`: the document of W3C PROV in place of ours, as with `Accept: {MEDIA_TYPE}`",
    ),
]
_SEES_FACES, _SEES_FIGURES = requires(Right.SEE_FACES), requires(Right.SEE_FIGURES)


def wants_prov(request: Request, response: Response, form: Form = None) -> bool:
    """Whether PROV-JSON is asked for: by the parameter, else by the header Accept."""
    response.headers["Vary"] = "Accept"
    if form is not None:
        return form == "prov-json"
    return prefers(request.headers.get("accept", ""), MEDIA_TYPE, _OURS)


Prov = Annotated[bool, Depends(wants_prov)]


class UsesPage(BaseModel):
    """What a model was used for, and some of the families that ever had something of it."""

    uses: Uses
    items: list[FamilyUse]
    next: str | None = Field(examples=["WzQyXQ"])


@router.get(
    "/families/{family_id}/faces/{face_id}/lineage",
    dependencies=[_SEES_FACES],
    response_model=FaceLineage,
    responses=_PROV,
    summary="Where a face is from",
)
def face(family_id: UUID, face_id: UUID, world: World, prov: Prov) -> FaceLineage | JSONResponse:
    """Its photo, analysis, embeddings, runs, links and decisions, with the models, code and data behind each."""
    return _told(trace_face(world, FamilyId(family_id), FaceId(face_id)), prov=prov)


@router.get(
    "/families/{family_id}/persons/{person_id}/lineage",
    dependencies=[_SEES_FACES],
    response_model=LinkLineage,
    responses=_PROV,
    summary="Where a link is from",
)
def link(family_id: UUID, person_id: UUID, world: World, prov: Prov) -> LinkLineage | JSONResponse:
    """Why the person is taken for a child: evidence, run and decisions."""
    return _told(trace_link(world, FamilyId(family_id), PersonId(person_id)), prov=prov)


@router.get(
    "/families/{family_id}/albums/{album_id}/lineage",
    dependencies=[_SEES_FACES],
    response_model=AlbumLineage,
    responses=_PROV,
    summary="Where an album is from",
)
def album(family_id: UUID, album_id: str, world: World, prov: Prov) -> AlbumLineage | JSONResponse:
    """The analyses, embeddings, runs, links and decisions behind the faces of those whom it shows."""
    return _told(trace_album(world, FamilyId(family_id), album_id), prov=prov)


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


def _told(found: _Found, *, prov: bool) -> _Found | JSONResponse:
    """As ours, which FastAPI writes by its model, or as PROV-JSON."""
    return JSONResponse(write_prov(found), headers={"Vary": "Accept"}, media_type=MEDIA_TYPE) if prov else found
