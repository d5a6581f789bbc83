"""Monthly jobs: how far each is, what failed and why, what its month changed; starting and steering one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.steps.arms import list_arms
from facealbum.steps.batches import advance, cancel_batch, pause_batch, resume_batch, retry_batch, start_batch
from facealbum.steps.context import Context
from facealbum.steps.dashboard import read_page
from facealbum.steps.operations import JobLook, look_at_job
from facealbum.web.languages import language_of
from facealbum.web.pages.metric_words import MetricWords
from facealbum.web.pages.page import Sure, expect_sure, lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/runs", include_in_schema=False)
Seer = Annotated[Known, requires(Right.SEE_FIGURES)]
Steerer = Annotated[Known, requires(Right.RUN_JOBS)]
_CHANGES = ("coverage", "association", "waiting", "cluster_size", "churn", "breakage")


@dataclass(frozen=True, slots=True)
class Change:
    """A metric's counts in the month and in the month before, where there are any."""

    metric: str
    now: Any
    before: Any


@router.get("")
def runs(request: Request, world: World, known: Seer) -> Response:
    """The newest monthly jobs, and a form to start one."""
    return render(
        request,
        known,
        "runs.html",
        jobs=read_page(world, "runs")["jobs"],
        arms=[arm.name for arm in list_arms(world)],
        month=Month.of(world.clock()).before(),
        broker=bool(world.settings.broker_url),
    )


@router.post("")
def start(
    request: Request,
    world: World,
    known: Steerer,
    month: Annotated[str, Form()],
    arm: Annotated[str, Form()] = "",
) -> Response:
    """Start one, or go on with the one that does the same already."""
    batch = start_batch(world, Month.parse(month), arm or None, author=known.caller.name)
    _hand_out(world)
    return lead_back(request, f"/runs/{batch.number}", "Run %(number)s is under way.", number=batch.number)


@router.get("/{number}")
def run(request: Request, world: World, known: Seer, number: int) -> Response:
    """How far one is."""
    look = look_at_job(world, number)
    return render(
        request,
        known,
        "run.html",
        look=look,
        changes=_changes(look),
        words=MetricWords(language_of(request)),
        broker=bool(world.settings.broker_url),
    )


@router.post("/{number}/pause")
def pause(request: Request, world: World, known: Steerer, number: int) -> Response:
    """Hand out no more families."""
    pause_batch(world, number, author=known.caller.name)
    return lead_back(request, f"/runs/{number}", "Run %(number)s is paused.", number=number)


@router.post("/{number}/resume")
def resume(request: Request, world: World, known: Steerer, number: int) -> Response:
    """Go on."""
    resume_batch(world, number, author=known.caller.name)
    _hand_out(world)
    return lead_back(request, f"/runs/{number}", "Run %(number)s goes on.", number=number)


@router.post("/{number}/retry")
def retry(request: Request, world: World, known: Steerer, number: int) -> Response:
    """Do the families again that failed."""
    retry_batch(world, number, author=known.caller.name)
    _hand_out(world)
    return lead_back(request, f"/runs/{number}", "Run %(number)s does the failed families again.", number=number)


@router.post("/{number}/cancel")
def cancel(request: Request, world: World, known: Steerer, number: int, sure: Sure = "") -> Response:
    """End it where it is."""
    expect_sure(sure)
    cancel_batch(world, number, author=known.caller.name)
    return lead_back(request, f"/runs/{number}", "Run %(number)s is cancelled; what it did stays.", number=number)


def _hand_out(world: Context) -> None:
    """Give workers what is due now; without any, a command of the same name goes on with it."""
    if world.settings.broker_url:
        advance(world)


def _changes(look: JobLook) -> Sequence[Change]:
    """The month beside the one before it."""
    through = look.progress.batch.through
    months: list[Mapping[str, Any]] = [
        {row["metric"]: row for row in look.change if row["month"] == month.start().date()}
        for month in (through, through.before())
    ]
    now, before = months
    return [Change(metric, now.get(metric), before.get(metric)) for metric in _CHANGES if metric in now]
