"""Runs of training pipelines, as MLflow has them on record; a run is started on the command line."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from facealbum.domain.access import Right
from facealbum.pipelines.runs import RunRecord, list_runs, read_log, read_run
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import Shown
from facealbum.web.problems import responses
from facealbum.web.rights import requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/pipelines", tags=["pipelines"], dependencies=[requires(Right.SEE_FIGURES)])
_NEWEST_FIRST = Keys(tuple[float, str])
_MOST = 1000


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
    code_version: str
    data: str | None
    model: int | None
    failure: str | None = Field(examples=["leakage: a group is both learnt from and held out"])


class WholeTrainingRun(TrainingRun):
    """The same with its parameters, metrics, steps and log."""

    parameters: dict[str, str]
    metrics: dict[str, float]
    steps: dict[str, TrainingStep]
    log: str


@router.get("", responses=responses(HTTPStatus.CONFLICT), summary="Runs of trainings")
def list_all(world: World, wanted: Paging) -> Page[TrainingRun]:
    """List the runs on record, newest first; the newest thousand."""
    rows, following = _NEWEST_FIRST.part(list_runs(world.settings, limit=_MOST), wanted, _key)
    return Page(items=[TrainingRun.model_validate(one) for one in rows], next=following)


@router.get("/{run}", responses=responses(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT), summary="One run of a training")
def read(world: World, run: Annotated[str, Path(max_length=200, description="Its id")]) -> WholeTrainingRun:
    """Read what a run was given, did, measured and logged."""
    found = read_run(world.settings, run)
    shown = {name: getattr(found, name) for name in RunRecord.__dataclass_fields__}
    return WholeTrainingRun.model_validate({**shown, "log": read_log(world.settings, run)})


def _key(run: RunRecord) -> tuple[float, str]:
    return -run.started_at.timestamp(), run.run
