"""Arms and the networks below them: what families see, what may take its place, and what was measured before."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from facealbum.domain.access import Right
from facealbum.steps.arms import promote_arm, rollback_arm
from facealbum.steps.dashboard import read_page
from facealbum.steps.models import list_models
from facealbum.steps.registry import list_versions
from facealbum.web.pages.page import Sure, expect_sure, lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/models", include_in_schema=False)
Manager = Annotated[Known, requires(Right.MANAGE)]


@router.get("")
def models(request: Request, world: World, known: Annotated[Known, requires(Right.SEE_FIGURES)]) -> Response:
    """All of them, and what became of them."""
    rows, versions = read_page(world, "models"), list_versions(world)
    return render(request, known, "models.html", rows=rows, embedders=list_models(world), versions=versions)


@router.post("/promote")
def promote(request: Request, world: World, known: Manager, arm: Annotated[str, Form()], sure: Sure = "") -> Response:
    """Let families see the arm, each once the monthly job has brought it as far; the gate may refuse."""
    expect_sure(sure)
    promote_arm(world, arm, author=known.caller.name)
    return lead_back(request, "/models", "Families move to %(arm)s as the monthly run comes to them.", arm=arm)


@router.post("/rollback")
def rollback(request: Request, world: World, known: Manager, sure: Sure = "") -> Response:
    """Take the newest promotion back at once."""
    expect_sure(sure)
    undone = rollback_arm(world, author=known.caller.name)
    return lead_back(request, "/models", "%(arm)s is taken back; families see what they saw before.", arm=undone.arm)
