"""The embedders of this installation and the registry of all models: what there is, and what becomes of it."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from facealbum.domain.access import Right
from facealbum.domain.model_versions import Stage
from facealbum.steps.models import check_models
from facealbum.steps.models import list_models as list_all
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Shown
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/models", tags=["models"])
_BY_NAME = Keys(tuple[str])


class Model(Shown):
    """An embedder by the space that it fills; bytes: of its weights, null if they are not known."""

    name: str = Field(examples=["fused-1"])
    state: Literal["in use", "packaged", "trained", "installed", "available"]
    licence: str = Field(examples=["Apache-2.0"])
    research_only: bool
    bytes: int | None = Field(examples=[13_000_000])
    about: str
    page: str
    stage: Stage | None = Field(description="Of its newest version in the registry", examples=["production"])


class File(Shown):
    """A model file of the machine that answers; detail: where it lies, or what is wrong with it."""

    name: str = Field(examples=["arcface-r50-1"])
    fine: bool
    detail: str


class Checked(BaseModel):
    """Whether every file is as it was published."""

    fine: bool
    files: list[File]


@router.get(
    "", dependencies=[requires(Right.SEE_FIGURES)], responses=responses(), summary="Embedders and their licences"
)
def list_models(world: World, wanted: Paging) -> Page[Model]:
    """List every embedder that is packaged, trained or can be installed, with its licence."""
    rows, following = _BY_NAME.part(list_all(world), wanted, lambda one: (one.name,))
    return Page(items=[Model.model_validate(one) for one in rows], next=following)


@router.get(
    "/files", dependencies=[requires(Right.RUN_JOBS)], responses=responses(), summary="Whether model files are whole"
)
def check_files(world: World) -> Checked:
    """Read every model file of the machine that answers and hold it against its checksum; this takes a second or so."""
    files = [File.model_validate(one) for one in check_models(world.settings)]
    return Checked(fine=all(one.fine for one in files), files=files)
