"""Trying a version beside what families see, or on a few of them: experiments between the installation's arm and its.

A trial has the name of its stage and of the version's arm, so that asking twice finds the first.
"""

from dataclasses import replace

from facealbum.domain.model_versions import ModelKind, ModelVersion, Stage
from facealbum.domain.months import Month
from facealbum.errors import ConflictError
from facealbum.steps.arm_plans import load_side
from facealbum.steps.arms import add_arm, create_arm, expect_arm
from facealbum.steps.calibrators import NamedCalibrator, expect_calibrator
from facealbum.steps.context import Context
from facealbum.steps.embedders import models_of_space
from facealbum.steps.experiment_results import count_months_over
from facealbum.steps.experiments import (
    Draft,
    conclude_experiment,
    create_experiment,
    start_experiment,
    stop_experiment,
)
from facealbum.steps.predictors import NamedPredictor, expect_predictor
from facealbum.storage.database import Transaction
from facealbum.storage.experiment_counts import load_months, load_past
from facealbum.storage.experiments import SERVED, SHADOW, Experiment, load_experiments
from facealbum.storage.families import count_families
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.registry import update_version
from facealbum.storage.serving import load_installed_arm
from facealbum.storage.spaces import load_space_name

_TRIALS = {Stage.SHADOW: SHADOW, Stage.CANARY: SERVED}
_METRICS = {SHADOW: "breakage", SERVED: "corrections"}
_NAMED = (ModelKind.CALIBRATOR, ModelKind.QUALITY)  # an arm names these by their SHA-256
_MINIMUM_EFFECT = 0.01
_TOLERATED_BREAKAGE = 0.02


def begin_trial(context: Context, model: ModelVersion, stage: Stage, *, share: float, months: int, author: str) -> str:
    """Start the version's experiment of this stage, unless it runs; tells its name.

    share: of the families that see a canary.  months: that a shadow compares, the newest that are over and were
    measured, so the next `facealbum cluster` is enough to judge it.  Raises what starting an experiment raises.
    """
    model = give_arm(context, model, author=author)
    with context.database.begin() as transaction:
        trials = _trials(transaction, model, stage)
        control = load_installed_arm(transaction)
        load_side(transaction, control, context.settings)
        over = Month.of(context.clock()).before()
        past = [month for month in load_months(transaction, control) if month <= over][-months:] or [over]
        families = max(2, _count(transaction, stage, control, months=len(past)))
    if model.arm == control:
        raise ConflictError(f"{model.label} is what families see; there is nothing to compare it with")
    open_ones = [one for one in trials if one.status in {"draft", "running"}]
    if open_ones:
        name, status = open_ones[0].name, open_ones[0].status
    else:
        name, status = f"{stage}-{model.arm}" + (f"-{len(trials) + 1}" if trials else ""), "draft"
        draft = _draft(name, stage, (control, str(model.arm)), families, share=share, months=len(past))
        create_experiment(context, draft, author=author)
    if status == "draft":
        start_experiment(context, name, author=author, first_month=past[0] if stage is Stage.SHADOW else None)
    return name


def end_trials(context: Context, model: ModelVersion, *, author: str, but: Stage | None = None) -> None:
    """End what tries the version, with a verdict where a month is over; not the trials of the stage `but`."""
    with context.database.begin() as transaction:
        running = [
            one
            for stage in _TRIALS
            if stage is not but
            for one in _trials(transaction, model, stage)
            if one.status == "running"
        ]
        over = {one.name: count_months_over(context, transaction, one) for one in running}
    for one in running:
        end = conclude_experiment if over[one.name] else stop_experiment
        end(context, one.name, author=author)


def give_arm(context: Context, model: ModelVersion, *, author: str) -> ModelVersion:
    """The version with the arm that it is tried as, made now if it has none."""
    if model.arm is not None:
        return model
    name = f"{model.name}-{model.version}".lower().replace("+", "-")
    with context.database.begin() as transaction:
        arm = load_arm(transaction, name)
    if arm is None:
        arm = _make_arm(context, model, name, author=author)
    elif model.kind in _NAMED and arm.parameters.get(str(model.kind)) != model.sha256:
        raise ConflictError(f"{model.label} needs the name {name} for its arm, which another has; register it anew")
    with context.database.begin() as transaction:
        update_version(transaction, model.model_id, arm_id=arm.arm_id)
    return replace(model, arm=name)


def _make_arm(context: Context, model: ModelVersion, name: str, *, author: str) -> Arm:
    """An embedder's arm is that of its space; another model's is the installation's with the model in its place."""
    if model.kind is ModelKind.EMBEDDER:
        return create_arm(context, name, algorithm="constrained", space=model.name, author=author)
    address = str(model.model_id)
    with context.database.begin() as transaction:
        side = load_side(transaction, load_installed_arm(transaction), context.settings)
        models = models_of_space(load_space_name(transaction, side.arm.space_id), context.settings)
        named: NamedCalibrator | NamedPredictor
        match model.kind:
            case ModelKind.CALIBRATOR:
                named = expect_calibrator(context, transaction, address, space=models.space)
            case ModelKind.QUALITY:
                named = expect_predictor(context, transaction, address)
            case _:
                command = "facealbum models register-arm ARM"
                raise ConflictError(f"{model.label} has no arm; make one of its numbers: {command}")
        plan = replace(named.plan(side.plan), name=name)
        return add_arm(transaction, plan, models, author=author, now=context.clock())


def _trials(transaction: Transaction, model: ModelVersion, stage: Stage) -> list[Experiment]:
    name = f"{stage}-{model.arm}"
    return [one for one in load_experiments(transaction) if one.name == name or one.name.startswith(f"{name}-")]


def _count(transaction: Transaction, stage: Stage, control: str, *, months: int) -> int:
    """How many families a verdict needs: all, or in the shadow those that the months say something about."""
    if stage is not Stage.SHADOW:
        return count_families(transaction)
    arm = expect_arm(transaction, control)
    past = load_past(transaction, arm.arm_id, _METRICS[SHADOW], months=months)
    return sum(cases > 0 for _, cases in past.values())


def _draft(name: str, stage: Stage, arms: tuple[str, str], families: int, *, share: float, months: int) -> Draft:
    mode = _TRIALS[stage]
    given = share if mode == SERVED else 0.5
    return Draft(
        name,
        mode,
        ((arms[0], 1 - given), (arms[1], given)),
        _METRICS[mode],
        _MINIMUM_EFFECT,
        months=1 if mode == SERVED else months,
        families=families,
        guardrails={"breakage": _TOLERATED_BREAKAGE} if mode == SERVED else {},
    )
