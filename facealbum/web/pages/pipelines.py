"""Trainings: every run on record, and of one what it was given, did, measured and left.

They begin on the command line.
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from facealbum.domain.access import Right
from facealbum.errors import ModelNotInstalledError
from facealbum.pipelines.runs import RunRecord, list_runs, read_run
from facealbum.pipelines.training import STEPS
from facealbum.steps.registry import list_versions
from facealbum.steps.snapshots import find_snapshot
from facealbum.web.api.lists import Paging
from facealbum.web.pages.page import render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/pipelines", include_in_schema=False)
Viewer = Annotated[Known, requires(Right.SEE_TRAININGS)]
_TAIL = 60  # lines of a log


@router.get("")
def pipelines(request: Request, world: World, known: Viewer, wanted: Paging, training: str | None = None) -> Response:
    """All runs, or those of one training."""
    runs: list[RunRecord] = []
    following, lacking = None, None
    try:
        runs, following = list_runs(world.settings, training=training, limit=wanted.limit, after=wanted.after)
    except ModelNotInstalledError as error:
        lacking = str(error)
    labels = _labels(world)
    return render(
        request,
        known,
        "pipelines.html",
        runs=runs,
        following=following,
        training=training,
        lacking=lacking,
        labels=labels,
    )


@router.get("/{run}")
def pipeline(request: Request, world: World, known: Viewer, run: str) -> Response:
    """One run, its steps in their order."""
    whole = read_run(world.settings, run)
    record, lines = whole.record, whole.log.splitlines()
    return render(
        request,
        known,
        "pipeline.html",
        whole=whole,
        run=record,
        steps={name: record.steps.get(name) for name in (*STEPS, *(record.steps.keys() - set(STEPS)))},
        snapshot=find_snapshot(world, record.data) if record.data else None,
        label=_labels(world).get(record.model),
        tail=lines[-_TAIL:],
        lines=len(lines),
    )


def _labels(world: World) -> dict[int | None, str]:
    """What the registry calls each model, by id."""
    return {one.model_id: one.label for one in list_versions(world)}
