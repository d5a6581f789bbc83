"""The page of one version of a model: what it is, what it measured, what gates said, and what an admin can do about it.

Whatever is done must be ticked first; the steps are those of the command.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from facealbum.domain.access import Right
from facealbum.domain.model_gates import diff, reason_kept
from facealbum.domain.model_versions import MOVES, Stage, stages_of
from facealbum.steps.registry import find_model, list_changes, list_versions
from facealbum.steps.releases import Wish, promote_model, retire_model, rollback_model
from facealbum.web.api.values import Number
from facealbum.web.pages.page import Sure, expect_sure, lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/models", include_in_schema=False)
Viewer = Annotated[Known, requires(Right.SEE_FIGURES)]
Manager = Annotated[Known, requires(Right.MANAGE)]
Field = Annotated[str, Form()]


@router.get("/{model_id}")
def version(request: Request, world: World, known: Viewer, model_id: Number) -> Response:
    """One version, beside the one that serves in its place."""
    model = find_model(world, str(model_id))
    serving = [one for one in list_versions(world) if one.slot == model.slot and one.stage is Stage.PRODUCTION]
    beside = next((one for one in serving if one.model_id != model.model_id), None)
    may = stages_of(model.kind)
    return render(
        request,
        known,
        "model.html",
        model=model,
        beside=beside,
        difference=diff(beside, model) if beside else None,
        reasons={gate: reason_kept(one) for gate, one in model.gates.items()},
        changes=list_changes(world, model_id=model.model_id),
        stages=[stage for stage in MOVES[model.stage] if stage in may],
        may_retire=Stage.RETIRED in MOVES[model.stage],
        may_roll_back=model.stage is Stage.PRODUCTION and bool(may),
    )


@router.post("/{model_id}/promote")
def promote(  # noqa: PLR0913, PLR0917 - a field of the form each
    request: Request,
    world: World,
    known: Manager,
    model_id: Number,
    stage: Annotated[Stage, Form()],
    reason: Field = "",
    accept: Field = "",
    override: Field = "",
    sure: Sure = "",
) -> Response:
    """Bring it to a stage, or ask for it where another user must agree; the gates may refuse."""
    expect_sure(sure)
    wish = Wish(known.caller.name, reason.strip(), accept=accept == "yes", override=override == "yes")
    release = promote_model(world, str(model_id), stage, wish)
    to, label = f"/models/{model_id}", release.model.label
    if release.waits:
        return lead_back(request, to, "%(model)s waits for another user to ask for the same.", model=label)
    if release.experiment:
        return lead_back(request, to, "%(model)s is tried in %(name)s.", model=label, name=release.experiment)
    return lead_back(request, to, "%(model)s is in production.", model=label)


@router.post("/{model_id}/rollback")
def rollback(request: Request, world: World, known: Manager, model_id: Number, sure: Sure = "") -> Response:
    """Put back what served in its place before."""
    expect_sure(sure)
    model = find_model(world, str(model_id))
    rollback_model(world, model.slot, author=known.caller.name)
    return lead_back(request, f"/models/{model_id}", "%(model)s is taken back.", model=model.label)


@router.post("/{model_id}/retire")
def retire(request: Request, world: World, known: Manager, model_id: Number, sure: Sure = "") -> Response:
    """Take it out, with what tries it."""
    expect_sure(sure)
    model = retire_model(world, str(model_id), author=known.caller.name)
    return lead_back(request, f"/models/{model_id}", "%(model)s is retired.", model=model.label)
