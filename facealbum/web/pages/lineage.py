"""Where a face comes from, back to the models, data and decisions behind it."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from facealbum.domain.ids import FaceId, FamilyId
from facealbum.steps.lineage import trace_face
from facealbum.web.pages.page import render
from facealbum.web.pages.persons import Seer
from facealbum.web.world import World

router = APIRouter(prefix="/families/{family_id}", include_in_schema=False)


@router.get("/faces/{face_id}/lineage")
def lineage(request: Request, known: Seer, world: World, family_id: UUID, face_id: UUID) -> Response:
    """A face back to everything that it was made from and by."""
    found = trace_face(world, FamilyId(family_id), FaceId(face_id))
    return render(request, known, "lineage.html", found=found)
