"""Searches for better parameters: what was tried, and what is made of it.  They are started on the command line."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.steps import searches as steps
from facealbum.steps.propose_search import propose_search, trace_proposal
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import MonthText, Name, Shown
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/searches", tags=["searches"])
_SEE = [requires(Right.SEE_TRAININGS)]
_BY_AGE = Keys(tuple[int])
Admin = Annotated[Known, requires(Right.MANAGE)]


class Base(BaseModel):
    """The arm that a search began with."""

    arm: str = Field(examples=["default"])
    space: str = Field(examples=["fused-512"])
    algorithm: str = Field(examples=["constrained"])
    parameters: dict[str, Any]


class SearchPlan(BaseModel):
    """How many trials, on how many families at most, up to which month; held_out: the share only looked at last."""

    trials: int = Field(examples=[100])
    seed: int
    families: int = Field(examples=[200])
    held_out: float = Field(examples=[0.3])
    through: MonthText


class HeldOutDifference(BaseModel):
    """A measure under the arm that the search began with, under the one found, and the difference with its interval."""

    measure: str = Field(examples=["breakage"])
    base: float = Field(examples=[0.043])
    found: float = Field(examples=[0.038])
    value: float = Field(examples=[-0.005])
    low: float | None = Field(examples=[-0.009])
    high: float | None = Field(examples=[-0.001])
    families: int = Field(examples=[60])


class Side(BaseModel):
    """What families say; broken: guardrails that the arm found breaks on them."""

    families: int = Field(examples=[60])
    broken: list[str]
    differences: list[HeldOutDifference]


class SearchOutcome(BaseModel):
    """What was found so far; better: whether families that were never searched on show it."""

    trial: int = Field(examples=[17])
    changes: dict[str, float] = Field(examples=[{"similarity": 0.28}])
    better: bool
    reason: str
    searched: Side
    held_out: Side


class Search(Shown):
    """A search; arm: the one that was proposed."""

    name: str = Field(examples=["autumn"])
    base: Base
    plan: SearchPlan
    author: str = Field(examples=["operator"])
    created_at: AwareDatetime
    concluded_at: AwareDatetime | None
    outcome: SearchOutcome | None
    arm: str | None = Field(examples=["search-autumn"])


class Trial(BaseModel):
    """One arm that was tried: `complete`, `pruned` (given up early), `running`, `waiting` or `fail`.

    values: what it has other than the arm that the search began with.  rates: by measure, null without a case.
    """

    number: int = Field(examples=[17])
    state: str = Field(examples=["complete"])
    values: dict[str, float]
    loss: float | None = Field(examples=[0.21])
    rates: dict[str, float | None]
    broken: list[str]


class ProposeSearch(BaseModel):
    """Whether to make an arm although families that were held out do not show it to be better."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"anyway": False}]})

    anyway: bool = False


class SearchProposal(Shown):
    """What became of the arm.  installed: families see it.  experiment, stage: how far its experiment and model are."""

    arm: str = Field(examples=["search-autumn"])
    installed: bool
    experiment: str | None = Field(examples=["running"])
    model: int | None
    stage: str | None = Field(examples=["shadow"])


class SearchWithTrials(Search):
    """The same with its trials; proposal: null before an arm was made of it."""

    trials: list[Trial]
    proposal: SearchProposal | None


@router.get("", dependencies=_SEE, responses=responses(), summary="Searches for parameters")
def list_searches(world: World, wanted: Paging) -> Page[Search]:
    """List every search for better parameters, the newest first."""
    rows, following = _BY_AGE.part(steps.list_searches(world), wanted, lambda one: (-one.search_id,))
    return Page(items=[Search.model_validate(one) for one in rows], next=following)


@router.get("/{name}", dependencies=_SEE, responses=responses(HTTPStatus.CONFLICT), summary="A search with its trials")
def show_search(world: World, name: Name) -> SearchWithTrials:
    """Tell how far a search is, what it tried and what it found."""
    found = steps.show_search(world, name)
    return SearchWithTrials.model_validate(found.to_dict() | {"proposal": trace_proposal(world, found.search)})


@router.post(
    "/{name}/propose",
    status_code=HTTPStatus.CREATED,
    responses=responses(HTTPStatus.CONFLICT),
    summary="Propose what was found",
)
def propose(name: Name, wanted: ProposeSearch, world: World, known: Admin) -> SearchWithTrials:
    """Make an arm of what was found, the draft of an experiment with it, and a draft of a model; families see nothing.

    Refused if nothing was found or it is proposed already, and, but for `anyway`, if families held out do not show it.
    """
    propose_search(world, name, author=known.caller.name, anyway=wanted.anyway)
    return show_search(world, name)
