"""The page on which an arm is made: algorithm, embedding space, trained models and numbers, as its command takes them.

Fields are text as they were written, so that whatever can't be is told above a form that still holds them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel

from facealbum.clustering import ALGORITHMS
from facealbum.domain.access import Right
from facealbum.domain.model_versions import ModelKind
from facealbum.errors import FacealbumError, InvalidValueError, ModelError
from facealbum.steps.arm_parameters import list_parameters
from facealbum.steps.arms import create_arm
from facealbum.steps.context import Context
from facealbum.steps.models import list_models
from facealbum.steps.packaged_models import PACKAGED
from facealbum.steps.registry import list_versions
from facealbum.web.pages.fields import read_number, written
from facealbum.web.pages.page import expect_sure, lead_back, render
from facealbum.web.problems import problem_of
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/new-arm", include_in_schema=False)
Manager = Annotated[Known, requires(Right.MANAGE)]
_HERE = {"in use", "packaged", "trained", "installed"}  # states of networks that can embed


class Wanted(BaseModel):
    """The form as it was filled in: a value beside each parameter, or nothing for what the space has."""

    name: str = ""
    algorithm: str = "constrained"
    space: str = ""
    calibrator: str = ""
    quality: str = ""
    parameter: list[str] = []
    value: list[str] = []
    sure: str = ""

    @property
    def changes(self) -> Mapping[str, str]:
        """What is written by parameter."""
        return written(self.parameter, self.value)

    def arm(self) -> dict[str, Any]:
        """As the step takes it; raises InvalidValueError for what is no number."""
        return {
            "name": self.name.strip(),
            "algorithm": self.algorithm,
            "space": self.space or None,
            "calibrator": self.calibrator or None,
            "quality": self.quality or None,
            "changes": {key: read_number(value, key) for key, value in self.changes.items()},
        }


@router.get("")
def blank(request: Request, world: World, known: Manager) -> Response:
    """The form, with what is usual chosen."""
    return _form(request, known, world, Wanted())


@router.post("")
def make(request: Request, world: World, known: Manager, wanted: Annotated[Wanted, Form()]) -> Response:
    """Make the arm; nobody sees anything of it before it is tried or promoted."""
    try:
        expect_sure(wanted.sure)
        arm = create_arm(world, **wanted.arm(), author=known.caller.name)
    except (InvalidValueError, ModelError) as error:
        return _form(request, known, world, wanted, error)
    return lead_back(request, "/models", "The arm %(arm)s is there. An experiment tries it.", arm=arm.name)


def _form(
    request: Request, known: Known, world: Context, wanted: Wanted, error: FacealbumError | None = None
) -> Response:
    """The form as it was filled in; error: what can't be."""
    found = problem_of(error) if error else None
    trained = [one for one in list_versions(world) if one.source != PACKAGED]
    return render(
        request,
        known,
        "new_arm.html",
        status=found.status if found else HTTPStatus.OK,
        wanted=wanted,
        problem=found,
        algorithms=sorted(ALGORITHMS),
        spaces=[one for one in list_models(world) if one.state in _HERE],
        calibrators=[one for one in trained if one.kind is ModelKind.CALIBRATOR],
        predictors=[one for one in trained if one.kind is ModelKind.QUALITY],
        parameters=list_parameters(world),
    )
