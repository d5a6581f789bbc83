"""What this process can tell of the installation's health without asking anybody but its database."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.steps.doctor import examine_here
from facealbum.web.api.values import Shown
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/health", tags=["jobs"], dependencies=[requires(Right.RUN_JOBS)])


class Finding(Shown):
    """One thing that was looked at; `fine` is false where an operator has to act."""

    subject: str = Field(examples=["waiting"])
    fine: bool
    detail: str = Field(examples=["0 photos to analyse, the oldest for 0 s"])


class Health(BaseModel):
    """Whether nobody has to act, and why."""

    fine: bool
    findings: list[Finding]


@router.get("", responses=responses(), summary="What the doctor finds")
def show_health(world: World) -> Health:
    """Tell what `facealbum doctor` finds of this machine and its database."""
    findings = [Finding.model_validate(one) for one in examine_here(world)]
    return Health(fine=all(one.fine for one in findings), findings=findings)
