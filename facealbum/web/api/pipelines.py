"""Runs of training pipelines, as MLflow has them on record; a run is started on the command line."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from facealbum.domain.access import Right
from facealbum.pipelines.runs import RunRecord, WholeRun, list_runs, read_plot, read_run
from facealbum.web.api.lists import Page, Paging
from facealbum.web.api.values import Shown
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/pipelines", tags=["pipelines"], dependencies=[requires(Right.SEE_TRAININGS)])
_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}, "description": "The plot"},
}
RunId = Annotated[str, Path(max_length=200, description="Its id")]


class TrainingStep(Shown):
    """What a step gave; cached: it was done before.  failures: of the attempts before the one that went well."""

    digest: str
    cached: bool
    seconds: float
    failures: list[str]


class TrainingRun(Shown):
    """A run of a training; data: the digest of what was collected, model: the id of what it registered."""

    run: str = Field(examples=["0f3c1a2b4d5e6f708192a3b4c5d6e7f8"])
    training: str = Field(examples=["embedding_head"])
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    started_at: datetime
    ended_at: datetime | None
    source: str = Field(examples=["confirmed"])
    code_version: str = Field(examples=["0.1.0-g1a2b3c4d5e6f"])
    data: str | None
    model: int | None
    failure: str | None = Field(examples=["leakage: a group is both learnt from and held out"])


class WholeTrainingRun(TrainingRun):
    """The same with its parameters, metrics, steps and log.

    figures: of each metric its value, low, high, n, baseline, difference and whether it is better.  plots: names to
    ask for.  mlflow: where MLflow has the run.
    """

    parameters: dict[str, str]
    metrics: dict[str, float]
    steps: dict[str, TrainingStep]
    figures: dict[str, dict[str, Any]]
    plots: list[str] = Field(examples=[["metrics.png"]])
    log: str
    mlflow: str = Field(examples=["https://mlflow.example/#/experiments/1/runs/0f3c1a2b4d5e6f708192a3b4c5d6e7f8"])


@router.get("", responses=responses(HTTPStatus.CONFLICT), summary="Runs of trainings")
def list_all(
    world: World,
    wanted: Paging,
    training: Annotated[str | None, Query(max_length=200, description="Only runs of this one")] = None,
) -> Page[TrainingRun]:
    """List the runs on record, newest first."""
    found, following = list_runs(world.settings, training=training, limit=wanted.limit, after=wanted.after)
    return Page(items=[TrainingRun.model_validate(one) for one in found], next=following)


@router.get("/{run}", responses=responses(HTTPStatus.CONFLICT), summary="One run of a training")
def read(world: World, run: RunId) -> WholeTrainingRun:
    """Read what a run was given, did, measured and logged."""
    whole = read_run(world.settings, run)
    shown = {name: getattr(whole.record, name) for name in RunRecord.__dataclass_fields__}
    left = {name: getattr(whole, name) for name in WholeRun.__dataclass_fields__ if name != "record"}
    return WholeTrainingRun.model_validate(shown | left)


@router.get(
    "/{run}/plots/{name}",
    response_class=Response,
    responses=_PNG | responses(HTTPStatus.CONFLICT),
    summary="A plot of a run",
)
def plot(world: World, run: RunId, name: Annotated[str, Path(max_length=200)]) -> Response:
    """A drawing of what a run measured, as PNG; it does not change."""
    return Response(
        read_plot(world.settings, run, name),
        media_type="image/png",
        headers={"Cache-Control": "private, max-age=86400"},
    )
