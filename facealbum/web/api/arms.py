"""Arms: creating one, and choosing what families see."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, SkipValidation

from facealbum.domain.access import Right
from facealbum.steps import arms as steps
from facealbum.steps.arm_parameters import list_parameters as find_parameters
from facealbum.steps.context import Context
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Name, Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/arms", tags=["arms"])
_BY_NAME, _BY_NUMBER = Keys(tuple[str]), Keys(tuple[int])
_SEE = [requires(Right.SEE_FIGURES)]
Admin = Annotated[Known, requires(Right.MANAGE)]


class Arm(Shown):
    """Algorithm and parameters under a name; installed: families see it unless an experiment says otherwise.

    calibrator, quality: the trained model that its ages and genders, and its qualities, come from, as NAME@VERSION;
    null where it goes by what is packaged.
    """

    name: str = Field(examples=["default"])
    algorithm: str = Field(examples=["constrained"])
    space: str = Field(examples=["fused-1"])
    calibrator: str | None = Field(examples=["own-calibrator@1"])
    quality: str | None = Field(examples=["own-quality@1"])
    installed: bool
    parameters: dict[str, Any]


class NewArm(BaseModel):
    """An arm that never changes; space: without it the one in use; changes: what differs from the release.

    calibrator: a trained one, by its id, NAME@VERSION, or NAME for the newest; the arm goes by its ages and genders.
    quality: a trained predictor likewise; the arm goes by its qualities.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "stricter", "changes": {"similarity": 0.31}},
                {"name": "trained", "calibrator": "own-calibrator@1", "quality": "own-quality@1"},
            ]
        }
    )

    name: Text
    algorithm: Text = "constrained"
    space: Text | None = None
    changes: dict[Text, FiniteFloat] = {}
    calibrator: Text | None = None
    quality: Text | None = None


class ArmParameter(Shown):
    """A number that a new arm may change; high: null where it has no end; whole: whether it counts something."""

    key: str = Field(examples=["linking.threshold"])
    about: SkipValidation[str] = Field(examples=["probability from which a person is linked to a child"])
    default: float = Field(examples=[0.8])
    low: float = Field(examples=[0.51])
    high: float | None = Field(examples=[1])
    whole: bool


class Promotion(Shown):
    """When an arm became the installation's; undoes: the number of the promotion that it takes back."""

    number: int = Field(examples=[2])
    arm: str = Field(examples=["stricter"])
    at: AwareDatetime
    author: str = Field(examples=["user ann"])
    undoes: int | None = Field(examples=[1])


@router.get("", dependencies=_SEE, responses=responses(), summary="Arms")
def list_arms(world: World, wanted: Paging) -> Page[Arm]:
    """List every arm that was created or ran."""
    rows, following = _BY_NAME.part(steps.list_arms(world), wanted, lambda one: (one.name,))
    return Page(items=[Arm.model_validate(one) for one in rows], next=following)


@router.post("", status_code=HTTPStatus.CREATED, responses=responses(HTTPStatus.CONFLICT), summary="Create an arm")
def create_arm(new: NewArm, world: World, known: Admin) -> Arm:
    """Create an arm, for an experiment to try."""
    steps.create_arm(world, **new.model_dump(), author=known.caller.name)
    return next(Arm.model_validate(one) for one in steps.list_arms(world) if one.name == new.name)


@router.get(
    "/parameters", dependencies=_SEE, responses=responses(HTTPStatus.CONFLICT), summary="What a new arm may change"
)
def list_parameters(world: World, space: Text | None = None) -> list[ArmParameter]:
    """Every number of an arm, with what it is in the embedding space, or in the one in use, unless changed."""
    return [ArmParameter.model_validate(one) for one in find_parameters(world, space=space)]


@router.get("/promotions", dependencies=_SEE, responses=responses(), summary="When which arm was promoted")
def list_promotions(world: World, wanted: Paging) -> Page[Promotion]:
    """List when which arm became the installation's, the newest first."""
    rows, following = _BY_NUMBER.part(steps.list_promotions(world), wanted, lambda one: (-one.number,))
    return Page(items=[Promotion.model_validate(one) for one in rows], next=following)


@router.post("/{name}/promote", responses=responses(HTTPStatus.CONFLICT), summary="Promote an arm")
def promote_arm(name: Name, world: World, known: Admin) -> Promotion:
    """Let families see this arm, each once the monthly job has brought it as far as what it sees now.

    Refused while an experiment shows families its arms, and from one embedding space to another before it was measured
    that albums lose nobody.
    """
    number = steps.promote_arm(world, name, author=known.caller.name)
    return _promotion(world, number)


@router.post("/rollback", responses=responses(HTTPStatus.CONFLICT), summary="Take the newest promotion back")
def rollback_arm(world: World, known: Admin) -> Promotion:
    """Take the newest promotion back at once."""
    undone = steps.rollback_arm(world, author=known.caller.name)
    return next(Promotion.model_validate(one) for one in steps.list_promotions(world) if one.undoes == undone.number)


def _promotion(world: Context, number: int) -> Promotion:
    return next(Promotion.model_validate(one) for one in steps.list_promotions(world) if one.number == number)
