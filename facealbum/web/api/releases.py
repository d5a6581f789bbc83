"""The registry of models: its versions, how two differ, and bringing one to families or back."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.domain.model_gates import Outcome, diff
from facealbum.domain.model_versions import ModelKind, Stage
from facealbum.steps.registry import find_model, list_changes, list_versions
from facealbum.steps.releases import Wish, promote_model, retire_model, rollback_model
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import LARGEST, Number, Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/models/versions", tags=["models"])
_BY_ID, _BY_NUMBER = Keys(tuple[int]), Keys(tuple[int])
_SEE = [requires(Right.SEE_FIGURES)]
Admin = Annotated[Known, requires(Right.MANAGE)]
OfModel = Annotated[int | None, Query(ge=1, le=LARGEST, description="Only of this version")]


class Version(Shown):
    """A version of a model; metrics: with their intervals, beside the baseline's.  asked_by: who wants it served."""

    model_id: int = Field(examples=[12])
    kind: ModelKind
    name: str = Field(examples=["ours"])
    version: str = Field(examples=["1"])
    sha256: str
    licence: str = Field(examples=["Apache-2.0"])
    research_only: bool
    source: str = Field(examples=["training embedding_head, version 1"])
    training_run: str | None
    snapshot: str | None
    metrics: dict[str, Any]
    primary: str | None
    gates: dict[str, Any]
    stage: Stage
    slot: str = Field(examples=["embedder"])
    arm: str | None
    asked_by: str | None
    made_at: AwareDatetime


class StageChange(Shown):
    """A version came to a stage; what was done together has one act.  undoes: the act that it takes back."""

    number: int = Field(examples=[31])
    act: int = Field(examples=[30])
    model_id: int = Field(examples=[12])
    before: Stage | None
    after: Stage
    author: str = Field(examples=["user ann"])
    approver: str | None = Field(examples=["user ben"])
    reason: str
    overridden: list[str]
    undoes: int | None
    at: AwareDatetime


class MetricDifference(Shown):
    """A metric of two versions, each with its own interval."""

    metric: str = Field(examples=["tar"])
    first: dict[str, Any] | None
    second: dict[str, Any] | None
    difference: float | None = Field(examples=[0.04])


class VersionDifference(Shown):
    """The fields that are not the same, with both values, and every metric of either."""

    fields: dict[str, tuple[Any, Any]]
    metrics: list[MetricDifference]


class GateVerdict(Shown):
    """What a gate said, and what to do about it."""

    gate: str = Field(examples=["baseline"])
    outcome: Outcome
    reason: str
    figures: dict[str, Any]
    needed: bool


class Release(Shown):
    """What became of it; waits: another user must ask for the same.  experiment: what it is tried in."""

    model: Version
    verdicts: list[GateVerdict]
    waits: bool
    experiment: str | None
    lacking: int


class NewStage(BaseModel):
    """The stage that a version is to come to; override: past gates that may be passed over, with a reason.

    share: of the families that a canary is shown to.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"stage": "shadow", "reason": "better on babies"}]})

    stage: Stage = Stage.PRODUCTION
    reason: Text | None = None
    accept_research_only: bool = False
    override: bool = False
    share: float = Field(default=0.05, gt=0, lt=1)


class Taken(BaseModel):
    """The place whose newest promotion is taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"slot": "embedder", "reason": "albums lost people"}]})

    slot: Text
    reason: Text | None = None


@router.get("", dependencies=_SEE, responses=responses(), summary="Versions of all models")
def list_model_versions(world: World, wanted: Paging, kind: ModelKind | None = None) -> Page[Version]:
    """List every version that was registered, or those of a kind, in the order of their registration."""
    found = list_versions(world, kind=kind)
    rows, following = _BY_ID.part(found, wanted, lambda one: (one.model_id,))
    return Page(items=[Version.model_validate(one) for one in rows], next=following)


@router.get("/changes", dependencies=_SEE, responses=responses(), summary="Who brought which version to which stage")
def list_model_changes(world: World, wanted: Paging, model_id: OfModel = None) -> Page[StageChange]:
    """List every change of a stage, or those of one version, the newest first."""
    found = list_changes(world, model_id=model_id)
    rows, following = _BY_NUMBER.part(found, wanted, lambda one: (-one.number,))
    return Page(items=[StageChange.model_validate(one) for one in rows], next=following)


@router.post("/rollback", responses=responses(HTTPStatus.CONFLICT), summary="Put back what served before")
def rollback_version(taken: Taken, world: World, known: Admin) -> Version | None:
    """Put back what served before the newest promotion, at once; null if that was no version of the registry."""
    serving = rollback_model(world, taken.slot, author=known.caller.name, reason=taken.reason or "")
    return None if serving is None else Version.model_validate(serving)


@router.get("/{model_id}", dependencies=_SEE, responses=responses(HTTPStatus.NOT_FOUND), summary="A version of a model")
def show_version(world: World, model_id: Number) -> Version:
    """Tell where it comes from, what it measured and what gates said."""
    return Version.model_validate(find_model(world, str(model_id)))


@router.get(
    "/{model_id}/diff/{other_id}",
    dependencies=_SEE,
    responses=responses(HTTPStatus.NOT_FOUND),
    summary="How two versions differ",
)
def diff_versions(world: World, model_id: Number, other_id: Number) -> VersionDifference:
    """Tell every field that differs, and the metrics of both side by side."""
    return VersionDifference.model_validate(diff(find_model(world, str(model_id)), find_model(world, str(other_id))))


@router.post(
    "/{model_id}/promote",
    responses=responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    summary="Bring a version to a stage",
)
def promote_version(model_id: Number, new: NewStage, world: World, known: Admin) -> Release:
    """Bring a version to shadow, canary or production, through every gate before it.

    Production is asked for by one user and granted by another, who asks for the same.
    """
    wish = Wish(known.caller.name, new.reason or "", new.accept_research_only, new.override, new.share)
    return Release.model_validate(promote_model(world, str(model_id), new.stage, wish))


@router.post(
    "/{model_id}/retire",
    responses=responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    summary="Take a version out that doesn't serve",
)
def retire_version(model_id: Number, world: World, known: Admin) -> Version:
    """Take it out, and end what tries it."""
    return Version.model_validate(retire_model(world, str(model_id), author=known.caller.name))
