"""Monthly jobs over all families: how far each is, starting and steering one."""

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.steps.batch_progress import list_batches, list_failed_families, show_batch
from facealbum.steps.batches import advance, cancel_batch, pause_batch, resume_batch, retry_batch, start_batch
from facealbum.steps.context import Context
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import MonthText, Number, Shown, Text
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/runs", tags=["runs"])
_BY_NUMBER, _BY_FAMILY = Keys(tuple[int]), Keys(tuple[UUID])
_SEE = [requires(Right.SEE_FIGURES)]
Operator = Annotated[Known, requires(Right.RUN_JOBS)]
_STEPS = {"pause": pause_batch, "resume": resume_batch, "cancel": cancel_batch, "retry": retry_batch}


class Families(BaseModel):
    """What became of the families of a run; those left are waiting or being worked on."""

    done: int = Field(examples=[980])
    failed: int = Field(examples=[1])
    left: int = Field(examples=[19])


class Faces(BaseModel):
    """Faces up to the month's end: with a person and without, and those in families that failed."""

    assigned: int = Field(examples=[88200])
    unassigned: int = Field(examples=[9700])
    failed: int = Field(examples=[104])


class Failure(BaseModel):
    """A reason why families failed, and the place of the newest."""

    code: str = Field(examples=["killed"])
    detail: str = Field(examples=["begun 5 times, and never ended"])
    families: int = Field(examples=[1])


class Run(BaseModel):
    """A monthly job: `running`, `paused`, `evaluating`, `done` or `cancelled`.  summary: once it is done."""

    run: int = Field(examples=[12])
    month: MonthText
    arm: str = Field(examples=["default"])
    status: str = Field(examples=["running"])
    started_at: AwareDatetime
    finished_at: AwareDatetime | None
    families: Families
    faces: Faces
    families_per_minute: float | None = Field(examples=[61.5])
    minutes_left: float | None = Field(examples=[0.3])
    failures: list[Failure]
    alarms: list[str]
    summary: dict[str, Any] | None


class NewRun(BaseModel):
    """Every month up to `month`, in all families; arm: only this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"month": "2026-10"}]})

    month: MonthText
    arm: Text | None = None


class FailedFamily(Shown):
    """A family that failed."""

    family_id: UUID
    code: str = Field(examples=["killed"])
    detail: str = Field(examples=["begun 5 times, and never ended"])
    finished_at: AwareDatetime


@router.get("", dependencies=_SEE, responses=responses(), summary="Monthly jobs")
def list_runs(world: World, wanted: Paging) -> Page[Run]:
    """List the monthly jobs, the newest first."""
    after = _BY_NUMBER.read(wanted)
    found = list_batches(world, before=after[0] if after else None, limit=wanted.limit + 1)
    part, following = _BY_NUMBER.page(found, wanted, lambda one: (one.batch.number,))
    return Page(items=[Run(**one.to_dict()) for one in part], next=following)


@router.post(
    "", status_code=HTTPStatus.ACCEPTED, responses=responses(HTTPStatus.CONFLICT), summary="Start a monthly job"
)
def start_run(new: NewRun, world: World, known: Operator) -> Run:
    """Start a monthly job, or go on with the one that does the same already.

    Workers do it.  Where there are none, `facealbum run start` with the same month goes on with it.
    """
    batch = start_batch(world, Month.parse(new.month), new.arm, author=known.caller.name)
    return _moved_on(world, batch.number)


@router.get("/{number}", dependencies=_SEE, responses=responses(), summary="A monthly job")
def show_run(number: Number, world: World) -> Run:
    """Tell how far a monthly job is, and why families failed."""
    return Run(**show_batch(world, number).to_dict())


@router.get("/{number}/failures", dependencies=_SEE, responses=responses(), summary="Families that failed")
def list_failures(number: Number, world: World, wanted: Paging) -> Page[FailedFamily]:
    """List the families that failed in a monthly job, by id."""
    after = _BY_FAMILY.read(wanted)
    found = list_failed_families(world, number, after=after[0] if after else None, limit=wanted.limit + 1)
    part, following = _BY_FAMILY.page(found, wanted, lambda one: (one.family_id,))
    return Page(items=[FailedFamily.model_validate(one) for one in part], next=following)


@router.post("/{number}/{change}", responses=responses(HTTPStatus.CONFLICT), summary="Pause, resume, cancel or retry")
def steer_run(
    number: Number, change: Literal["pause", "resume", "cancel", "retry"], world: World, known: Operator
) -> Run:
    """Pause, resume or cancel a monthly job, or retry the families that failed.

    What is being worked on is finished, and what was done stays.
    """
    _STEPS[change](world, number, author=known.caller.name)
    return _moved_on(world, number)


def _moved_on(world: Context, number: int) -> Run:
    """The run, handed to the workers if there are any."""
    if world.settings.broker_url:
        advance(world)
    return Run(**show_batch(world, number).to_dict())
